//! `facteur spam explain`: each reason of the score of a message.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use decide::Tables;
use mail::date::DateTime;
use policy::people::Directory;
use serde_json::json;
use server::operate::{COUNTED_TOKENS_AT_ONCE, CountsOfTokens};
use spam::form::{self, Colleagues, Facts, Reported};
use spam::view::View;
use spam::{Contribution, PassScore, learned, shown, tokens};

use super::verdict::{Verdict, decimal, verdict};
use crate::Exit;
use crate::cli::Format;
use crate::commands::live::called;
use crate::commands::{Ready, ready};

/// No server takes larger mail.
const MESSAGE_OCTETS_MAX: u64 = 256 << 20;

/// Prints each reason of the score that the built-in passes give a message, and what the policy makes of it.
///
/// What was known when it came is read from its own fields, as far as a host of the policy wrote them: Received (when),
/// Authentication-Results, Return-Path. Without a policy nothing is known but the message.
#[derive(Args)]
#[command(about = "Print each reason of the score of a message", verbatim_doc_comment)]
pub struct ExplainArgs {
    /// Files with one message each, as received (`.eml`)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A policy file, or a folder with policy.ron and people.ron: domains and people that are ours, and what a score means
    #[arg(long, value_name = "POLICY")]
    policy: Option<PathBuf>,
    /// The data folder of a server: what was learned there is asked as well
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub fn run(args: &ExplainArgs) -> Exit {
    let ready = match args.policy.as_deref().map(|path| ready(path, false)).transpose() {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let house = match House::of(ready.as_ref(), args.data.as_deref()) {
        Ok(house) => house,
        Err(error) => {
            eprintln!("facteur: {error}");
            return Exit::Trouble;
        }
    };
    args.files.iter().fold(Exit::Fine, |exit, path| {
        let octets = match octets(path) {
            Ok(octets) => octets,
            Err(error) => {
                eprintln!("facteur: {}: {error}", path.display());
                return exit.or(Exit::Trouble);
            }
        };
        match explain(args.format, path, &octets, &house) {
            Ok(()) => exit,
            Err(error) => {
                eprintln!("facteur: {error}");
                exit.or(Exit::Trouble)
            }
        }
    })
}

fn octets(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    crate::files::open(path)?.take(MESSAGE_OCTETS_MAX + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > MESSAGE_OCTETS_MAX {
        return Err(std::io::Error::other(format!("larger than {MESSAGE_OCTETS_MAX} octets")));
    }
    Ok(octets)
}

/// Who is ours, as a policy says.
struct House<'a> {
    tables: Option<Tables>,
    domains: Vec<&'a str>,
    people: People,
    /// Where something was learned.
    data: Option<&'a Path>,
}

impl<'a> House<'a> {
    fn of(ready: Option<&'a Ready>, data: Option<&'a Path>) -> Result<House<'a>, String> {
        let plan = ready.map(|ready| &ready.sealed.plan);
        // Domains of units stand under a domain that is named.
        let named = plan.iter().flat_map(|plan| plan.domains.keys()).filter(|name| !name.contains('{'));
        let people = ready.and_then(|ready| ready.people.as_ref());
        let tables = plan.map(|plan| Tables::new(plan.clone())).transpose().map_err(|error| error.to_string())?;
        Ok(House { tables, domains: named.map(String::as_str).collect(), people: People::of(people), data })
    }

    fn is_ours(&self, host: &str) -> bool {
        let within = |own: &&str| host.strip_suffix(*own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        self.domains.iter().any(within)
    }
}

/// Addresses by the words of a name in order of the alphabet.
struct People(HashMap<String, Vec<String>>);

impl People {
    fn of(directory: Option<&Directory>) -> People {
        let mut names: HashMap<String, Vec<String>> = HashMap::new();
        for person in directory.iter().flat_map(|directory| &directory.people) {
            names.entry(key(&format!("{} {}", person.first, person.last))).or_default().push(person.address.folded());
        }
        People(names)
    }
}

impl Colleagues for People {
    fn addresses_of(&self, display_name: &str) -> Vec<String> {
        self.0.get(&key(display_name)).cloned().unwrap_or_default()
    }
}

fn key(name: &str) -> String {
    let folded = mail::fold(name);
    let mut words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.join(" ")
}

/// What the built-in passes say.
struct Scores {
    form: PassScore,
    /// `None` where nobody was asked what was learned.
    learned: Option<PassScore>,
}

fn explain(format: Format, path: &Path, octets: &[u8], house: &House<'_>) -> Result<(), String> {
    let view = View::read(octets);
    let reported = Reported::read(&view, |host| house.is_ours(host));
    let signed = reported.as_ref().map(Reported::signed).unwrap_or_default();
    let return_path = view.field("Return-Path").map(|field| field.text());
    let facts = Facts {
        now: received(&view),
        authentication: reported.as_ref().map(|reported| reported.authentication(&signed)),
        reverse_path: return_path.as_deref().map(|path| path.trim().trim_matches(['<', '>'])),
        own_domains: &house.domains,
        colleagues: &house.people,
        ..Facts::default()
    };
    let learned = house.data.map(|data| learned_of(&view, data)).transpose()?;
    let scores = Scores { form: form::score(&view, &facts), learned };
    let verdict = house.tables.as_ref().and_then(|tables| {
        verdict(tables, scores.form.thousandths, scores.learned.as_ref().map(|score| score.thousandths))
    });
    match format {
        Format::Human => say_table(path, &view, &scores, verdict.as_ref()),
        Format::Json => say_json(path, &scores, verdict.as_ref()),
    }
    Ok(())
}

/// What the words mean in the mail that was taught to the owner of this folder.
fn learned_of(view: &View<'_>, data: &Path) -> Result<PassScore, String> {
    let said = tokens::said(view);
    let names: Vec<u64> = [learned::MESSAGES].into_iter().chain(said.iter().map(|each| each.token)).collect();
    let mut counts = Vec::with_capacity(names.len());
    for tokens in names.chunks(COUNTED_TOKENS_AT_ONCE) {
        let request = CountsOfTokens { tokens: tokens.to_vec() };
        counts.extend(called(data, request).map_err(|error| error.to_string())?);
    }
    let counts = counts.into_iter().map(|(spam, ham)| learned::Count { spam, ham });
    Ok(learned::explain(&said, &learned::Table::from_counts(names.into_iter().zip(counts))))
}

/// When the last host took it, as its trace says.
fn received(view: &View<'_>) -> Option<i64> {
    let trace = view.field("Received")?.text();
    DateTime::parse_rfc5322(trace.rsplit_once(';')?.1.as_bytes()).map(|date| date.unix_seconds)
}

fn say_table(path: &Path, view: &View<'_>, scores: &Scores, verdict: Option<&Verdict>) {
    let from = view.from.first().map(|from| format!("{} <{}>", from.name, from.address()));
    say!("{}", path.display());
    say!("  From     {}", shown(from.as_deref().unwrap_or("nobody").trim()));
    say!("  Subject  {}", shown(view.subject.as_deref().unwrap_or("none")));
    let passes = [("form", Some(&scores.form)), ("learned", scores.learned.as_ref())];
    for (name, score) in passes.into_iter().filter_map(|(name, score)| Some((name, score?))) {
        say!();
        let wide = score.contributions.iter().map(|each| each.rule.len()).max().unwrap_or(0);
        for each in &score.contributions {
            say!("  {}  {:<wide$}  {}", decimal(each.thousandths), each.rule, each.about);
        }
        say!("  {}  {:<wide$}  {}", decimal(score.thousandths), name, words(score.thousandths));
    }
    if let Some(verdict) = verdict {
        say!();
        say!("  {}", verdict.says);
    }
}

fn words(thousandths: i64) -> &'static str {
    match thousandths {
        ..0 => "looks like spam",
        0 => "says nothing",
        1.. => "looks correct",
    }
}

fn say_json(path: &Path, scores: &Scores, verdict: Option<&Verdict>) {
    let reason = |pass: &'static str| move |each: &Contribution| json!({"pass": pass, "rule": each.rule, "thousandths": each.thousandths, "about": each.about});
    let learned = scores.learned.iter().flat_map(|score| &score.contributions).map(reason("learned"));
    let reasons: Vec<_> = scores.form.contributions.iter().map(reason("form")).chain(learned).collect();
    let said = json!({"schema": 1, "kind": "spam", "file": path.display().to_string(),
        "form": scores.form.thousandths, "learned": scores.learned.as_ref().map(|score| score.thousandths),
        "reasons": reasons, "verdict": verdict.map(|verdict| verdict.word)});
    say!("{said}");
}
