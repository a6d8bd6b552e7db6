//! `facteur person import`.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;
use server::operate::{
    BadLine, ImportPeople, ImportedPeople, ImportedPerson, PEOPLE_OCTETS_MAX, PersonState, WantedPerson, people_of_csv,
    people_of_ldif,
};

use super::super::{Place, ask, counted, failed, number, say_json, size};
use crate::Exit;
use crate::cli::Format;

/// Of those a mass change would touch, named.
const NAMED: usize = 10;

/// How people stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FileKind {
    /// A first line with the names of the columns: id, login, first, last, address, profile, unit, home, quota, registered, until,
    /// former, aliases, functions, password (a hash such as {SSHA}…, for who has none here yet)
    Csv,
    /// Entries with sn, givenName, uid, mail, ou, employeeType, entryUUID, userPassword and so on
    Ldif,
}

#[derive(Args)]
pub struct ImportArgs {
    /// A file whose name ends in .csv or .ldif
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// What the file is, where its name does not say
    #[arg(long, value_enum)]
    kind: Option<FileKind>,
    /// Only say what would happen to each person
    #[arg(long)]
    dry_run: bool,
    /// People of earlier lists who are not in this one have their last day today
    #[arg(long)]
    missing_leave: bool,
    /// Let so many people change or leave at once, exactly as the command said when it stopped
    #[arg(long, value_name = "N")]
    allow_mass_change: Option<u64>,
}

pub fn kind_of(path: &Path, given: Option<FileKind>) -> Option<FileKind> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    given.or(match ending.as_deref() {
        Some("csv") => Some(FileKind::Csv),
        Some("ldif" | "ldf") => Some(FileKind::Ldif),
        _ => None,
    })
}

pub fn run(args: &ImportArgs) -> Result<Exit, Exit> {
    let format = args.place.format;
    let people = read(args).map_err(|why| failed(format, &why, Exit::Trouble))?;
    let request = ImportPeople {
        people,
        missing_leave: args.missing_leave,
        allow_mass_change: args.allow_mass_change,
        dry_run: args.dry_run,
    };
    let answer = ask(&args.place, "people", request)?;
    match format {
        Format::Json => json_lines(&answer),
        Format::Human => human(args, &answer),
    }
    let is_fine = answer.is_written || (args.dry_run && answer.mistakes.is_empty() && answer.more_than.is_none());
    Ok(if is_fine { Exit::Fine } else { Exit::Trouble })
}

fn read(args: &ImportArgs) -> Result<Vec<WantedPerson>, String> {
    let name = args.file.display();
    let kind = kind_of(&args.file, args.kind).ok_or_else(|| format!("{name}: say what it is with --kind"))?;
    let file = std::fs::File::open(&args.file).map_err(|error| format!("{name}: {error}"))?;
    let mut text = String::new();
    let longest = PEOPLE_OCTETS_MAX as u64 + 1;
    let read = file.take(longest).read_to_string(&mut text).map_err(|error| format!("{name}: {error}"))?;
    if read as u64 == longest {
        return Err(format!("{name}: a file has at most {}", size(longest - 1)));
    }
    let people = match kind {
        FileKind::Csv => people_of_csv(&text),
        FileKind::Ldif => people_of_ldif(&text),
    };
    people.map_err(|BadLine { line, what }| format!("{name}:{line}: {what}"))
}

fn json_lines(answer: &ImportedPeople) {
    answer.people.iter().for_each(|person| say_json("person", person));
    answer.missing.iter().for_each(|person| say_json("missing", person));
    answer.mistakes.iter().for_each(|mistake| say_json("mistake", mistake));
    answer.passwords_left.iter().for_each(|left| say_json("password_left", left));
    let ImportedPeople { new, changed, same, known, more_than, is_written, .. } = answer;
    let ImportedPeople { passwords, passwords_kept, aliases, functions, .. } = answer;
    let (missing, mistakes) = (answer.missing.len(), answer.mistakes.len());
    let summary = json!({
        "new": new, "changed": changed, "same": same, "missing": missing, "mistakes": mistakes, "known": known,
        "passwords": passwords, "passwords_kept": passwords_kept, "passwords_left": answer.passwords_left.len(),
        "aliases": aliases, "functions": functions, "more_than": more_than, "is_written": is_written,
    });
    say_json("summary", &summary);
}

fn human(args: &ImportArgs, answer: &ImportedPeople) {
    if args.dry_run {
        answer.people.iter().for_each(person);
        answer.missing.iter().for_each(|person| say!("missing  {:<20} {}", person.login, person.name));
    }
    for BadLine { line, what } in &answer.mistakes {
        eprintln!("facteur: {}:{line}: {what}", args.file.display());
    }
    let missing = answer.missing.len() as u64;
    let word = if args.missing_leave { "leaving" } else { "missing and left alone" };
    let (new, changed, same) = (number(answer.new), number(answer.changed), number(answer.same));
    say!("{new} new, {changed} changed, {same} as they are, {} {word}", number(missing));
    besides(args, answer);
    if !answer.mistakes.is_empty() {
        let mistakes = counted(answer.mistakes.len() as u64, "mistake", "mistakes");
        say!("{mistakes}: nothing is written before they are mended");
    } else if let Some(most) = answer.more_than {
        mass(args, answer, most);
    } else if answer.is_written && answer.new > answer.passwords {
        say!("who is new and came without a password has none yet: `facteur person password LOGIN`");
    }
}

/// What comes with people; nothing where a list has none of it.
fn besides(args: &ImportArgs, answer: &ImportedPeople) {
    let ImportedPeople { passwords, passwords_kept, passwords_left, aliases, functions, .. } = answer;
    for BadLine { line, what } in passwords_left {
        eprintln!("facteur: {}:{line}: {what}", args.file.display());
    }
    let left = passwords_left.len() as u64;
    if passwords + passwords_kept + left > 0 {
        let (taken, kept, left) = (number(*passwords), number(*passwords_kept), number(left));
        say!("passwords: {taken} taken over, {kept} set here already and kept, {left} that open nothing here");
    }
    if aliases + functions > 0 {
        let (aliases, functions) = (number(*aliases), number(*functions));
        say!("addresses: {aliases} aliases and {functions} functions, new or with new members");
    }
}

/// One of a list: what happens, who it is, and how a collision ended.
fn person(person: &ImportedPerson) {
    let ImportedPerson { login, address, profile, quota_octets, changes, instead_of, .. } = person;
    let state = match person.state {
        PersonState::New => "new",
        PersonState::Changed => "changed",
        PersonState::Same => "same",
    };
    let mut more = String::new();
    if !changes.is_empty() {
        more.push_str(&format!("  [{}]", changes.join(", ")));
    }
    for (wanted, given) in instead_of {
        more.push_str(&format!("  {wanted} is taken: {given}"));
    }
    say!("{state:<8} {login:<20} {address:<48} {profile:<12} {}{more}", size(*quota_octets));
}

/// What stopped it, and what lets it go on.
fn mass(args: &ImportArgs, answer: &ImportedPeople, most: u64) {
    let leaving = if args.missing_leave { answer.missing.len() as u64 } else { 0 };
    let changes = answer.changed + leaving;
    let (known, most) = (number(answer.known), number(most));
    say!("{} of {known} people would change or leave, and {most} may unasked: nothing is written", number(changes));
    let gone = answer.missing.iter().filter(|_| args.missing_leave).map(|person| (&person.login, &person.name));
    let changed = answer.people.iter().filter(|person| person.state == PersonState::Changed);
    let all = gone.chain(changed.map(|person| (&person.login, &person.name)));
    all.take(NAMED).for_each(|(login, name)| say!("  {login:<20} {name}"));
    say!("if that is meant: --allow-mass-change {changes}");
}
