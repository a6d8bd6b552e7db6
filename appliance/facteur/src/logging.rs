//! Where log lines of this process go: standard error as text or JSON, or the journal with its fields.

use std::io::{IsTerminal, Write};

use clap::ValueEnum;
use server::logs::{self, Entry, Journal};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogTo {
    /// The journal where it reads standard error, else text
    Auto,
    /// Lines for people on standard error
    Text,
    /// One JSON object a line on standard error
    Json,
    /// The journal of this machine, with fields
    Journald,
}

/// Lines of commands, as text on standard error; RUST_LOG says how many.
pub fn plain(default: &str) {
    // A command of several requests sets it up once.
    let _ = tracing_subscriber::registry().with(filter(default)).with(text()).try_init();
}

/// Lines of a server: they also go where the site says, and the newest are remembered.
pub fn of_server(to: LogTo) -> std::io::Result<()> {
    let registry = tracing_subscriber::registry().with(filter("info")).with(Note);
    let _ = match to {
        LogTo::Text => registry.with(text()).try_init(),
        LogTo::Json => registry.with(Json).try_init(),
        LogTo::Journald => registry.with(ToJournal(Journal::open()?)).try_init(),
        LogTo::Auto => match journal() {
            Some(journal) => registry.with(ToJournal(journal)).try_init(),
            None => registry.with(text()).try_init(),
        },
    };
    Ok(())
}

fn filter(default: &str) -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default))
}

fn text<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
}

/// The journal, when it is what reads our standard error: its lines are then not written twice.
fn journal() -> Option<Journal> {
    let stream = std::env::var("JOURNAL_STREAM").ok()?;
    logs::is_journal(std::io::stderr(), &stream).then(|| Journal::open().ok())?
}

struct Note;

impl<S: Subscriber> Layer<S> for Note {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        logs::note(Entry::of(event));
    }
}

struct Json;

impl<S: Subscriber> Layer<S> for Json {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // Standard error that went away is no reason to end.
        let _ = writeln!(std::io::stderr(), "{}", Entry::of(event).json());
    }
}

struct ToJournal(Journal);

impl<S: Subscriber> Layer<S> for ToJournal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.0.send(&Entry::of(event));
    }
}
