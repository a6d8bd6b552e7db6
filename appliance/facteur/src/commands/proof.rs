//! `facteur proof`: what is promised, whether it holds, and what that rests on.

use std::path::PathBuf;

use clap::Args;
use policy::compile::Compiled;
use policy::diagnostic::{Diagnostic, Level};
use policy::prove::{Assumption, Counterexample, Decided, ProofReport};
use policy::render::{human, json};

use super::{compiled, exit_of};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
#[command(allow_missing_positional = true)]
pub struct ProofArgs {
    /// One guarantee of the policy, such as NoOpenRelay [default: all of them]
    #[arg(value_name = "GUARANTEE")]
    pub guarantee: Option<String>,
    /// A policy or overlay, or a folder with policy.ron
    pub policy: PathBuf,
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

pub fn run(args: &ProofArgs) -> Exit {
    let compiled = match compiled(&args.policy) {
        Ok(compiled) => compiled,
        Err(exit) => return exit,
    };
    let wanted = |name: &str| args.guarantee.as_ref().is_none_or(|guarantee| guarantee == name);
    let ProofReport { decided, not_judged, .. } = &compiled.proofs;
    let shown: Vec<&Decided> = decided.iter().filter(|one| wanted(one.name)).collect();
    let unjudged: Vec<&str> = not_judged.iter().copied().filter(|name| wanted(name)).collect();
    if let Some(guarantee) = &args.guarantee
        && shown.is_empty()
        && unjudged.is_empty()
    {
        let names: Vec<&str> = decided.iter().map(|one| one.name).chain(not_judged.iter().copied()).collect();
        eprintln!("facteur: the policy does not promise {guarantee}; it promises: {}", names.join(", "));
        return Exit::Trouble;
    }
    match args.format {
        Format::Human => human_text(&compiled, &shown, &unjudged),
        Format::Json => json_lines(&compiled, &shown, &unjudged),
    }
    if shown.iter().any(|one| !one.holds) {
        return Exit::GuaranteeBroken;
    }
    // A promise nobody could look at is not kept.
    if unjudged.is_empty() { Exit::Fine } else { exit_of(&compiled) }
}

fn human_text(compiled: &Compiled, shown: &[&Decided], unjudged: &[&str]) {
    for one in shown {
        say!("{}", sentence(compiled, one));
        let mut said = false;
        for found in diagnostics(compiled, one.name) {
            say!("{}", human::render(found, &compiled.sources, false));
            said |= found.is_error();
        }
        // A check has the reason: `facteur check` shows it.
        for counterexample in compiled.counterexamples.iter().filter(|it| !said && it.guarantee == one.name) {
            say!("    {}", counterexample.to_string().replace('\n', "\n    "));
        }
    }
    for name in unjudged {
        say!("{name} is not judged: sections it reads have errors, see `facteur check`");
    }
    say!("");
    for assumption in Assumption::ALL {
        let text = match (assumption, compiled.proofs.carriers.as_slice()) {
            (Assumption::Carried, []) => continue,
            (Assumption::Carried, carriers) => format!("{} (here: {})", assumption.text(), carriers.join(", ")),
            _ => assumption.text().to_owned(),
        };
        say!("{} {text}", assumption.name());
    }
}

/// `NoOpenRelay holds. 4 800 envelope cases; 4 accept …. Assumes A1, A2, A3.`
fn sentence(compiled: &Compiled, one: &Decided) -> String {
    let says = if one.holds { "holds" } else { "is broken" };
    let mut text = format!("{} {says}. {}", one.name, one.visited);
    if !one.remark.is_empty() {
        text += &format!("; {}", one.remark);
    }
    text += ".";
    if !one.grants.is_empty() {
        text += &format!(" Not for who has a grant: {}.", one.grants.join("; "));
    }
    if !one.assumes.is_empty() {
        let named = |assumption: &Assumption| match assumption {
            Assumption::Carried => format!("{} ({})", assumption.name(), compiled.proofs.carriers.join(", ")),
            _ => assumption.name().to_owned(),
        };
        let names: Vec<String> = one.assumes.iter().map(named).collect();
        text += &format!(" Assumes {}.", names.join(", "));
    }
    text
}

/// What there is to say about one guarantee: how it is broken, which fact it needs.
fn diagnostics<'c>(compiled: &'c Compiled, name: &'c str) -> impl Iterator<Item = &'c Diagnostic> {
    let rule = format!("guarantees.{name}");
    let is_relay = name == "NoOpenRelay";
    compiled.diagnostics.iter().filter(move |found| {
        let about = found.rule.as_deref() == Some(rule.as_str()) && found.level != Level::Lint;
        about || (is_relay && found.code == policy::codes::Code::E0501)
    })
}

fn json_lines(compiled: &Compiled, shown: &[&Decided], unjudged: &[&str]) {
    for one in shown {
        let assumes: Vec<&str> = one.assumes.iter().map(|assumption| assumption.name()).collect();
        say!(
            "{}",
            serde_json::json!({
                "schema": 1,
                "kind": "proof",
                "guarantee": one.name,
                "holds": one.holds,
                "visited": one.visited,
                "remark": one.remark,
                "grants": one.grants,
                "assumes": assumes,
            })
        );
        for found in diagnostics(compiled, one.name) {
            say!("{}", json::render(found, &compiled.sources));
        }
        let of_it = |counterexample: &&Counterexample| counterexample.guarantee == one.name;
        for counterexample in compiled.counterexamples.iter().filter(of_it) {
            say!("{}", counterexample.to_json());
        }
    }
    for name in unjudged {
        say!("{}", serde_json::json!({"schema": 1, "kind": "not_judged", "guarantee": name}));
    }
    for assumption in Assumption::ALL {
        if assumption == Assumption::Carried && compiled.proofs.carriers.is_empty() {
            continue;
        }
        let (name, text) = (assumption.name(), assumption.text());
        say!("{}", serde_json::json!({"schema": 1, "kind": "assumption", "name": name, "text": text}));
    }
}
