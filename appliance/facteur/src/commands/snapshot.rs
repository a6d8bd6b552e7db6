//! `facteur snapshot`: the plan of a policy against the one committed beside it.

use std::path::{Path, PathBuf};

use clap::Args;
use plan::SourceMap;
use policy::codes::Code;
use policy::compile::{LoadError, Loader};
use policy::diagnostic::{Diagnostic, Sources};
use policy::render::{human, json};
use policy::table::{self, Moved, Row};

use super::side::Side;
use crate::Exit;
use crate::cli::Format;
use crate::files::{Disk, policy_files, write_whole};

#[derive(Args)]
pub struct SnapshotArgs {
    /// A policy file, or a folder with policy.ron
    pub policy: PathBuf,
    /// Write the snapshot: it has been read, and is meant
    #[arg(long)]
    pub accept: bool,
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

pub fn run(args: &SnapshotArgs) -> Exit {
    let side = match Side::load(&args.policy, args.format) {
        Ok(side) => side,
        Err(exit) => return exit,
    };
    let path = snapshot_path(&args.policy);
    let committed = match Disk.load(&path.to_string_lossy()) {
        Ok(text) => Some(text),
        Err(LoadError::NotFound) => None,
        Err(LoadError::Unreadable(why)) => {
            eprintln!("facteur: {}: {why}", path.display());
            return Exit::Trouble;
        }
    };
    if committed.as_ref() == Some(&side.text) {
        return Exit::Fine;
    }
    if args.accept {
        return accept(&path, &side.text);
    }
    show(&side, committed.as_deref(), &path, args)
}

/// `policy.plan.ron` beside `policy.ron`.
fn snapshot_path(policy: &Path) -> PathBuf {
    PathBuf::from(policy_files(policy).policy).with_extension("plan.ron")
}

fn accept(path: &Path, text: &str) -> Exit {
    if let Err(error) = write_whole(path, text) {
        eprintln!("facteur: {}: {error}", path.display());
        return Exit::Trouble;
    }
    eprintln!("{} {}", path.display(), plan::hash(text));
    Exit::Fine
}

/// Rows that differ, and E1003.
fn show(side: &Side, committed: Option<&str>, path: &Path, args: &SnapshotArgs) -> Exit {
    let message = match committed.map(table::table) {
        None => format!("there is no snapshot {}", path.display()),
        Some(Err(fault)) => format!("snapshot {}:{} is no plan: {fault}", path.display(), fault.line),
        Some(Ok(old)) => {
            let Ok(new) = table::table(&side.text) else { return Exit::Trouble };
            print(&table::compare(&old, &new), side.map.as_ref(), args.format);
            format!("snapshot {} differs", path.display())
        }
    };
    let help = format!("read it, then `facteur snapshot --accept {}`", args.policy.display());
    let diagnostic = Diagnostic::new(Code::E1003, message).help(help);
    match args.format {
        Format::Human => eprintln!("{}", human::render(&diagnostic, &Sources::new(), false)),
        Format::Json => say!("{}", json::render(&diagnostic, &Sources::new())),
    }
    Exit::DifferencesFound
}

fn print(moved: &[Moved<'_>], map: Option<&SourceMap>, format: Format) {
    let rows: Vec<Row> = moved.iter().map(|moved| moved.row().clone()).collect();
    let lines: Vec<String> = table::aligned(&rows).lines().map(str::to_owned).collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default().min(100);
    for (moved, line) in moved.iter().zip(&lines) {
        let (sign, row) = match moved {
            Moved::Gone(row) => ("-", row),
            Moved::Came(row) => ("+", row),
        };
        let place = map.and_then(|map| policy::diff::lookup(map, &row.place).map(|place| (map, place)));
        let place = place.map(|(map, place)| {
            let file = map.files.get(place.file as usize).map_or("", String::as_str);
            (file.rsplit('/').next().unwrap_or(file).to_owned(), place.line)
        });
        match format {
            Format::Human => {
                let place = place.map(|(file, line)| format!("{file}:{line}")).unwrap_or_default();
                say!("{}", format!("{sign} {line:width$}   {place}").trim_end());
            }
            Format::Json => {
                let (file, line) = place.map_or((None, None), |(file, line)| (Some(file), Some(line)));
                say!(
                    "{}",
                    serde_json::json!({"schema": 1, "kind": "fact", "sign": sign, "fact": row.cells,
                    "rule": row.rule, "file": file, "line": line})
                );
            }
        }
    }
}
