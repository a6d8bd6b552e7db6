//! `facteur person password`, `letter`, `totp`, `weak`: what people prove who they are with.

use std::io::BufRead;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use server::operate::{
    CountedPasswords, EndTotp, ImportPassword, Named, SetPassword, TotpOf, WeakPasswords, WriteLetter,
};

use super::{Place, ask, counted, failed, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct PasswordArgs {
    login: String,
    /// The line is the hash another server kept, such as {SSHA}…, {CRYPT}$6$… or $argon2id$…
    #[arg(long)]
    hash: bool,
    /// The day it was set there, 2026-11-30; without it, today
    #[arg(long, value_name = "DATE", requires = "hash")]
    changed_on: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct LetterArgs {
    login: String,
    /// [default: the language of the institution]
    #[arg(long, value_enum)]
    language: Option<Tongue>,
    /// Write it as a page to this file instead, which only you may read
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, ValueEnum)]
enum Tongue {
    Fr,
    En,
}

#[derive(Args)]
pub struct TotpArgs {
    login: String,
    /// Take it away: the person lost the device and the recovery codes
    #[arg(long)]
    end: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct WeakArgs {
    /// Name the people as well
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    place: Place,
}

pub fn password(args: &PasswordArgs) -> Result<Exit, Exit> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| failed(args.place.format, &error.to_string(), Exit::Trouble))?;
    let (login, line) = (args.login.clone(), line.trim_end_matches(['\r', '\n']).to_owned());
    if args.hash {
        ask(&args.place, "password", ImportPassword { login, hash: line, changed_on: args.changed_on.clone() })?;
    } else {
        ask(&args.place, "password", SetPassword { login, password: line })?;
    }
    Ok(Exit::Fine)
}

pub fn letter(args: &LetterArgs) -> Result<Exit, Exit> {
    let language = args.language.map(|tongue| match tongue {
        Tongue::Fr => plan::Language::French,
        Tongue::En => plan::Language::English,
    });
    // The file first: a letter that cannot be written down would lock its reader out.
    let mut file =
        args.html.as_ref().map(|path| private(path).map_err(|error| (path, error))).transpose().map_err(
            |(path, error)| failed(args.place.format, &format!("{}: {error}", path.display()), Exit::Trouble),
        )?;
    let letter = ask(&args.place, "letter", WriteLetter { login: args.login.clone(), language })?;
    match (&mut file, args.place.format) {
        (Some(file), _) => {
            let written = std::io::Write::write_all(file, letter.html.as_bytes());
            written.map_err(|error| failed(args.place.format, &error.to_string(), Exit::Trouble))?;
        }
        (None, Format::Json) => say_json("letter", &letter),
        (None, Format::Human) => say!("{}", letter.text.trim_end()),
    }
    Ok(Exit::Fine)
}

/// A new file of its owner alone.
fn private(path: &std::path::Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

pub fn totp(args: &TotpArgs) -> Result<Exit, Exit> {
    let login = args.login.clone();
    if args.end {
        if ask(&args.place, "second factor", EndTotp { login, code: None })? {
            return Ok(Exit::Fine);
        }
        let said = format!("{} has no second factor", args.login);
        return Err(failed(args.place.format, &said, Exit::DifferencesFound));
    }
    let state = ask(&args.place, "second factor", TotpOf { login })?;
    match args.place.format {
        Format::Json => say_json("second_factor", &state),
        Format::Human if state.is_on => {
            let left = counted(state.recovery_left as u64, "recovery code", "recovery codes");
            say!("{} has a second factor, {left} left", args.login);
        }
        Format::Human => say!("{} has no second factor", args.login),
    }
    Ok(Exit::Fine)
}

pub fn weak(args: &WeakArgs) -> Result<Exit, Exit> {
    let found = ask(&args.place, "passwords", WeakPasswords {})?;
    match args.place.format {
        Format::Json => say_json("passwords", &found),
        Format::Human => say_weak(&found, args.list),
    }
    Ok(Exit::Fine)
}

fn say_weak(found: &CountedPasswords, list: bool) {
    let say = |what: &str, named: &Named| {
        say!("{:<48} {}", what, super::number(named.count));
        if list {
            named.logins.iter().for_each(|login| say!("    {login}"));
        }
    };
    say!("{}", counted(found.people, "person", "people"));
    for (word, named) in &found.weak {
        say(&format!("weak, until its owner logs in: {word}"), named);
    }
    say("of a letter, not changed yet", &found.given);
    say("without a password", &found.without);
    say("never logged in", &found.never);
}
