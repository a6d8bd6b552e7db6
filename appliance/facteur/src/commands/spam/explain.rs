//! `facteur spam explain`: each reason of the score of a message.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use mail::date::DateTime;
use plan::{Antispam, At, BuiltInPass, Plan, TagTotal};
use policy::people::Directory;
use serde_json::json;
use spam::form::{self, Colleagues, Facts, Reported};
use spam::view::View;
use spam::{PassScore, shown};

use crate::Exit;
use crate::cli::Format;
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
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub fn run(args: &ExplainArgs) -> Exit {
    let ready = match args.policy.as_deref().map(|path| ready(path, false)).transpose() {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let house = House::of(ready.as_ref());
    args.files.iter().fold(Exit::Fine, |exit, path| {
        let octets = match octets(path) {
            Ok(octets) => octets,
            Err(error) => {
                eprintln!("facteur: {}: {error}", path.display());
                return exit.or(Exit::Trouble);
            }
        };
        explain(args.format, path, &octets, &house);
        exit
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
    plan: Option<&'a Plan>,
    domains: Vec<&'a str>,
    people: People,
}

impl<'a> House<'a> {
    fn of(ready: Option<&'a Ready>) -> House<'a> {
        let plan = ready.map(|ready| &ready.sealed.plan);
        // Domains of units stand under a domain that is named.
        let named = plan.iter().flat_map(|plan| plan.domains.keys()).filter(|name| !name.contains('{'));
        let people = ready.and_then(|ready| ready.people.as_ref());
        House { plan, domains: named.map(String::as_str).collect(), people: People::of(people) }
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

fn explain(format: Format, path: &Path, octets: &[u8], house: &House<'_>) {
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
    let score = form::score(&view, &facts);
    match format {
        Format::Human => say_table(path, &view, &score, house.plan),
        Format::Json => say_json(path, &score, house.plan),
    }
}

/// When the last host took it, as its trace says.
fn received(view: &View<'_>) -> Option<i64> {
    let trace = view.field("Received")?.text();
    DateTime::parse_rfc5322(trace.rsplit_once(';')?.1.as_bytes()).map(|date| date.unix_seconds)
}

fn say_table(path: &Path, view: &View<'_>, score: &PassScore, plan: Option<&Plan>) {
    let from = view.from.first().map(|from| format!("{} <{}>", from.name, from.address()));
    say!("{}", path.display());
    say!("  From     {}", shown(from.as_deref().unwrap_or("nobody").trim()));
    say!("  Subject  {}", shown(view.subject.as_deref().unwrap_or("none")));
    say!();
    let wide = score.contributions.iter().map(|each| each.rule.len()).max().unwrap_or(0);
    for each in &score.contributions {
        say!("  {}  {:<wide$}  {}", decimal(each.thousandths), each.rule, each.about);
    }
    say!("  {}  {:<wide$}  {}", decimal(score.thousandths), "form", words(score.thousandths));
    if let Some(verdict) = plan.and_then(|plan| plan.antispam.as_ref().map(|rules| verdict(plan, rules, score))) {
        say!();
        say!("  {}", verdict.says);
    }
}

/// Thousandths as people write them: `+1.000`.
fn decimal(thousandths: i64) -> String {
    let sign = if thousandths < 0 { '-' } else { '+' };
    let size = thousandths.unsigned_abs();
    format!("{:>9}", format!("{sign}{}.{:03}", size / 1_000, size % 1_000))
}

fn words(thousandths: i64) -> &'static str {
    match thousandths {
        ..0 => "looks like spam",
        0 => "says nothing",
        1.. => "looks correct",
    }
}

/// What the policy makes of a score.
struct Verdict {
    word: &'static str,
    says: String,
}

fn verdict(plan: &Plan, rules: &Antispam, score: &PassScore) -> Verdict {
    let is_form = |name: &&String| {
        plan.scanners.get(*name).is_some_and(|scanner| matches!(scanner.at, At::BuiltIn(BuiltInPass::Form)))
    };
    let others: Vec<&str> = rules.passes.iter().filter(|name| !is_form(name)).map(String::as_str).collect();
    let beside = match (others.is_empty(), rules.total) {
        (true, _) => String::new(),
        (false, TagTotal::Sum) => format!(" (by form alone; {} is added)", others.join(" and ")),
        (false, TagTotal::Lowest) => format!(" (by form alone; {} may be lower)", others.join(" or ")),
    };
    let below = |bound: i64| if bound == 0 { "0".to_owned() } else { decimal(bound).trim().to_owned() };
    let total = score.thousandths;
    if !rules.passes.iter().any(|name| is_form(&name)) {
        return Verdict { word: "not-asked", says: "the policy does not ask this pass".to_owned() };
    }
    match rules.refuse_below_thousandths {
        Some(bound) if total < bound => {
            let says = format!("the policy refuses it: below {}{beside}", below(bound));
            Verdict { word: "refused", says }
        }
        _ if total < rules.tag_below_thousandths => {
            let bound = below(rules.tag_below_thousandths);
            Verdict { word: "tagged", says: format!("the policy tags it: below {bound}{beside}") }
        }
        _ => Verdict { word: "untouched", says: format!("the policy leaves it as it is{beside}") },
    }
}

fn say_json(path: &Path, score: &PassScore, plan: Option<&Plan>) {
    let reasons: Vec<_> = score
        .contributions
        .iter()
        .map(|each| json!({"pass": "form", "rule": each.rule, "thousandths": each.thousandths, "about": each.about}))
        .collect();
    let verdict = plan.and_then(|plan| plan.antispam.as_ref().map(|rules| verdict(plan, rules, score).word));
    let said = json!({"schema": 1, "kind": "spam", "file": path.display().to_string(), "form": score.thousandths,
        "reasons": reasons, "verdict": verdict});
    say!("{said}");
}
