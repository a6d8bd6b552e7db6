//! What the steps want to know of what is inside a message: it is read once for all of them, and nothing of it is held.

use std::sync::Arc;

use decide::{Refusal, Step, Wants};
use mail::{Address, ReversePath};
use plan::BuiltInPass;
use spam::view::{Scheme, View};

use super::Session;
use super::antispam;
use crate::content::Content;
use crate::drive::blocked;
use crate::drive::transaction::Open;
use crate::durable;
use crate::marks::{self, sha256};
use crate::service::Service;
use crate::spam::{Facts, Scored, built_in};

/// What is wanted.
#[derive(Default)]
pub struct Wanted {
    /// What somebody blocked something by.
    pub blocks: Wants,
    /// Marks, of a message with this reverse-path.
    pub marks: Option<ReversePath>,
    /// Passes of our own by their names in the plan, with what they judge by beside the message.
    pub passes: Vec<(String, BuiltInPass)>,
    pub facts: Facts,
}

/// What was found of that.
#[derive(Default)]
pub struct Reading {
    /// Whom `mailto:` links write to.
    pub mailto: Vec<Address>,
    pub url_hosts: Vec<String>,
    /// SHA-256 of each, 64 hexadecimal digits.
    pub attachments: Vec<String>,
    pub marks: Vec<u64>,
    /// `None` before the passes were asked.
    pub scores: Option<Vec<Scored>>,
}

impl Wanted {
    /// What the passes need alone.
    pub fn of_passes(service: &Service, session: &Session<'_>, open: &Open) -> Wanted {
        let passes = antispam::built_in(service, open);
        Wanted { passes, facts: antispam::facts(session, open), ..Wanted::default() }
    }

    /// What the steps from here on need. The passes wait for a step `Authenticate` that is still to come before them.
    pub fn of(service: &Service, session: &Session<'_>, open: &Open, steps: &[Step]) -> Wanted {
        let antispam = steps.iter().position(|step| *step == Step::Antispam);
        let known = antispam.filter(|end| !steps[..*end].contains(&Step::Authenticate));
        let passes = if known.is_some() { antispam::built_in(service, open) } else { Vec::new() };
        Wanted {
            blocks: blocked::wants_inside(service, session, open),
            marks: steps.contains(&Step::Place).then(|| open.reverse_path.clone()),
            facts: if passes.is_empty() { Facts::default() } else { antispam::facts(session, open) },
            passes,
        }
    }

    fn is_nothing(&self) -> bool {
        !self.blocks.anything() && self.marks.is_none() && self.passes.is_empty()
    }

    /// Looks through a whole message.
    pub fn look(&self, service: &Service, message: &[u8]) -> Reading {
        let view = View::read(message);
        let mut reading = Reading::default();
        if self.blocks.reply_to {
            let links = view.links.iter().filter(|link| link.scheme == Scheme::Mailto);
            reading.mailto = links.flat_map(|link| blocked::mailto(&link.href)).collect();
        }
        if self.blocks.url_hosts {
            reading.url_hosts = view.url_hosts().into_iter().map(str::to_owned).collect();
        }
        if self.blocks.attachments {
            reading.attachments = view.attachments().iter().map(|file| sha256(&file.decoded())).collect();
        }
        if let Some(reverse_path) = &self.marks {
            reading.marks = marks::with(&view, reverse_path, &reading.attachments);
        }
        if !self.passes.is_empty() {
            reading.scores = Some(built_in::scores(service, &self.passes, &self.facts, &view));
        }
        reading
    }
}

/// Reads a content, where there is anything to read it for.
///
/// Where somebody blocked what may be in it, a content that cannot be read back is refused for now; else it goes on without
/// marks and scores.
pub async fn read(service: &Arc<Service>, wanted: Wanted, content: &Arc<Content>) -> Result<Reading, Refusal> {
    if wanted.is_nothing() {
        return Ok(Reading::default());
    }
    let needed = wanted.blocks.anything();
    let read = if content.is_read_at_once() {
        content.whole().map(|whole| wanted.look(service, &whole))
    } else {
        // A few long ones are whole in memory at a time.
        let permit = if content.is_spilled() { service.long_contents.acquire().await.ok() } else { None };
        let (worker, content) = (service.clone(), content.clone());
        let read = durable::blocking(move || content.whole().map(|whole| wanted.look(&worker, &whole))).await;
        drop(permit);
        read.unwrap_or_else(|| Err(std::io::Error::other("reading it failed")))
    };
    match read {
        Ok(reading) => Ok(reading),
        Err(error) if needed => {
            tracing::error!("the content cannot be read: {error}");
            Err(blocked::trouble())
        }
        Err(error) => {
            tracing::error!("a message goes on without scores and marks: {error}");
            Ok(Reading::default())
        }
    }
}
