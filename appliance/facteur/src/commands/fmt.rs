//! `facteur fmt`: files in their canonical layout.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use policy::compile::{Inputs, Loader};
use policy::layout;
use policy::render::human;

use super::compiled_with;
use crate::Exit;
use crate::cli::Format;
use crate::files::{Disk, Overlaid, write_whole};

/// Changed lines that are told, and characters of each.
const LINES_MAX: usize = 200;
const LINE_CHARS_MAX: usize = 200;

#[derive(Args)]
pub struct FmtArgs {
    /// Files, or folders: every .ron file in them but plans
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Write nothing; name the lines that would change and end with 4
    #[arg(long)]
    pub check: bool,
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

pub fn run(args: &FmtArgs) -> Exit {
    let mut exit = Exit::Fine;
    for path in &args.paths {
        let files = match files(path) {
            Ok(files) => files,
            Err(error) => {
                eprintln!("facteur: {}: {error}", path.display());
                exit = exit.or(Exit::Trouble);
                continue;
            }
        };
        for file in files {
            exit = exit.or(one(args, &file));
        }
    }
    exit
}

/// The file, or the files of a folder in the order of names. A plan has a layout of its own.
fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ours =
            name.ends_with(".ron") && ![".plan.ron", ".map.ron", ".expected.ron"].iter().any(|e| name.ends_with(e));
        if ours && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn one(args: &FmtArgs, path: &Path) -> Exit {
    let name = path.to_string_lossy().into_owned();
    let text = match Disk.load(&name) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("facteur: {name}: {error}");
            return Exit::Trouble;
        }
    };
    let formatted = match layout::format(&name, &text) {
        Ok(formatted) => formatted,
        Err((sources, found)) => {
            found.iter().for_each(|one| eprintln!("{}", human::render(one, &sources, false)));
            return Exit::PolicyErrors;
        }
    };
    if formatted == text {
        return Exit::Fine;
    }
    if !same_plan(path, &name, &formatted) {
        eprintln!("facteur: {name}: the plan would not be the same; left as it is, please report this");
        return Exit::Trouble;
    }
    if args.check {
        tell(args.format, &name, &text, &formatted);
        return Exit::DifferencesFound;
    }
    match write_whole(path, &formatted) {
        Ok(()) => Exit::Fine,
        Err(error) => {
            eprintln!("facteur: {name}: {error}");
            Exit::Trouble
        }
    }
}

/// Compiles the file as it is and as it would be. What is no policy, or gives no plan, has nothing to compare.
fn same_plan(path: &Path, name: &str, formatted: &str) -> bool {
    let hash = |files: &dyn Loader| {
        let compiled = compiled_with(files, path, Inputs::default()).ok()?;
        compiled.plan_unproved.map(|sealed| sealed.hash)
    };
    hash(&Disk) == hash(&Overlaid { name, text: formatted })
}

/// Longest time that an exact comparison is looked for.
const DIFF_TIME: std::time::Duration = std::time::Duration::from_secs(1);

/// The lines that would change. Where a line only changes, both are shown.
fn tell(format: Format, name: &str, text: &str, formatted: &str) {
    // Where everything changes, a coarser comparison is as good as an exact one that takes minutes.
    let diff = similar::TextDiff::configure().timeout(DIFF_TIME).diff_lines(text, formatted);
    let (mut spaces, mut told, mut more): (Vec<usize>, usize, usize) = (Vec::new(), 0, 0);
    for hunk in diff.ops().iter().filter(|hunk| hunk.tag() != similar::DiffTag::Equal) {
        let (old, new) = (hunk.old_range(), hunk.new_range());
        let line = |line: Option<&str>| line.map(|line| line.trim_end().to_owned()).unwrap_or_default();
        for step in 0..old.len().max(new.len()) {
            let before = line(old.clone().nth(step).and_then(|at| diff.old_slice(at)));
            let after = line(new.clone().nth(step).and_then(|at| diff.new_slice(at)));
            let number = old.clone().nth(step).unwrap_or(old.end.saturating_sub(1)) + 1;
            if format == Format::Json {
                say!(
                    "{}",
                    serde_json::json!({
                        "schema": 1, "kind": "layout", "file": name, "line": number, "before": before, "after": after,
                    })
                );
            } else if before.split_whitespace().eq(after.split_whitespace()) {
                spaces.push(number);
            } else if told == LINES_MAX {
                more += 1;
            } else {
                told += 1;
                let (before, after) = narrowed(before.trim(), after.trim());
                let (before, after) = (short(&before), short(&after));
                eprintln!("{}", human::shown(&format!("{name}: line {number} {before} → {after}")));
            }
        }
    }
    if more > 0 {
        eprintln!("{name}: and {more} more lines");
    }
    spaces.dedup();
    if !spaces.is_empty() {
        let runs = spaces.chunk_by(|one, next| one + 1 == *next).map(|run| match run {
            [one] => one.to_string(),
            [first, .., last] => format!("{first}–{last}"),
            [] => String::new(),
        });
        eprintln!("{name}: spaces in line {}", runs.collect::<Vec<_>>().join(", "));
    }
}

/// The beginning of a long line.
fn short(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// What differs of two lines, by words.
fn narrowed(before: &str, after: &str) -> (String, String) {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.split(", ").collect(), after.split(", ").collect());
    if old.len() != new.len() {
        return (before.to_owned(), after.to_owned());
    }
    let differing: Vec<(&str, &str)> = old.into_iter().zip(new).filter(|(old, new)| old != new).collect();
    let joined = |pick: fn(&(&str, &str)) -> String| differing.iter().map(pick).collect::<Vec<_>>().join(", ");
    (joined(|pair| pair.0.to_owned()), joined(|pair| pair.1.to_owned()))
}
