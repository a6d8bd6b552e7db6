//! `facteur diff`: what differs between two policies or plans, and what each difference does.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use policy::codes::Code;
use policy::diagnostic::{Diagnostic, Sources};
use policy::diff::{self, Difference};
use policy::render::{human, json};

use server::operate::Deployed;

use super::live;
use super::side::Side;
use crate::Exit;
use crate::cli::Format;

/// In place of the old side.
const DEPLOYED: &str = "deployed";
/// Rules L1007 names; the table above it has them all.
const RULES_MAX: usize = 12;

#[derive(Args)]
pub struct DiffArgs {
    /// What holds now: a policy file, a folder with policy.ron, or a plan (NAME.plan.ron); `deployed` is the plan of the running server
    pub old: PathBuf,
    /// What is to hold, likewise
    pub new: PathBuf,
    #[arg(long, value_enum, default_value = "human")]
    pub format: DiffFormat,
    /// What the change is allowed to do
    #[arg(long, value_enum, value_name = "WHAT")]
    pub ack: Option<Ack>,
    /// With `deployed`: the data folder of the server [default: /var/lib/facteur]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// With `deployed`: its site.ron, which names the data folder
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub site: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    Human,
    /// One JSON object a line
    Json,
    /// A table for a comment on a merge request
    Markdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Ack {
    /// Loosening is meant (L1007)
    Loosen,
}

pub fn run(args: &DiffArgs) -> Exit {
    let format = match args.format {
        DiffFormat::Json => Format::Json,
        DiffFormat::Human | DiffFormat::Markdown => Format::Human,
    };
    let (old, new) = match (old(args, format), Side::load(&args.new, format)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(old), Err(new)) => return old.or(new),
        (Err(exit), Ok(_)) | (Ok(_), Err(exit)) => return exit,
    };
    let difference = match compare(&old, &new, &args.old, &args.new) {
        Ok(difference) => difference,
        Err(exit) => return exit,
    };
    let acknowledged = args.ack == Some(Ack::Loosen);
    match args.format {
        DiffFormat::Human => say!("{}", diff::human(&difference, acknowledged).trim_end()),
        DiffFormat::Markdown => say!("{}", diff::markdown(&difference, acknowledged).trim_end()),
        DiffFormat::Json => {
            for line in diff::json(&difference, acknowledged) {
                say!("{line}");
            }
        }
    }
    let loosened = difference.loosened();
    if !loosened.is_empty() && !acknowledged {
        say_loosened(&loosened, format);
    }
    if difference.is_empty() { Exit::Fine } else { Exit::DifferencesFound }
}

/// The old side: of files, or of the server that runs.
fn old(args: &DiffArgs, format: Format) -> Result<Side, Exit> {
    if args.old != Path::new(DEPLOYED) || args.old.exists() {
        return Side::load(&args.old, format);
    }
    let trouble = |why: String| {
        eprintln!("facteur: {why}");
        Exit::Trouble
    };
    let data = live::folder(args.data.as_deref(), args.site.as_deref()).map_err(trouble)?;
    let now = live::called(&data, Deployed {}).map_err(|error| trouble(error.to_string()))?;
    let map = now.map.as_deref().and_then(|map| ron::from_str(map).ok());
    Ok(Side { text: now.plan, map, compiled: None })
}

fn compare(old: &Side, new: &Side, old_path: &Path, new_path: &Path) -> Result<Difference, Exit> {
    diff::diff(of(old), of(new)).map_err(|(is_new, fault)| {
        let path = if is_new { new_path } else { old_path };
        eprintln!("facteur: {}:{}: {fault}", path.display(), fault.line);
        Exit::Trouble
    })
}

/// A side as the comparison takes it.
pub fn of(side: &Side) -> diff::Side<'_> {
    let found = side.compiled.as_ref().map(|compiled| compiled.diagnostics.as_slice());
    diff::Side { text: &side.text, map: side.map.as_ref(), found }
}

/// L1007, once for all that is looser.
pub fn say_loosened(rules: &[&str], format: Format) {
    let mut what = rules.iter().take(RULES_MAX).map(|rule| format!("`{rule}`")).collect::<Vec<_>>().join(", ");
    if rules.len() > RULES_MAX {
        what += &format!(" and {} more", rules.len() - RULES_MAX);
    }
    let lint = Diagnostic::new(Code::L1007, format!("the change loosens {what}"))
        .help("if that is meant, say so with `--ack loosen`")
        .rule(rules.first().copied().unwrap_or_default());
    let sources = Sources::new();
    match format {
        Format::Human => eprintln!("{}", human::render(&lint, &sources, false)),
        Format::Json => say!("{}", json::render(&lint, &sources)),
    }
}
