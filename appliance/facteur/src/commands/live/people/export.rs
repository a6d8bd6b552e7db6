//! `facteur person export`.

use std::path::PathBuf;

use clap::Args;
use server::operate::{ListPeople, WantedPerson, people_to_csv, people_to_ldif};

use super::super::{Place, ask, counted, failed};
use super::import::{FileKind, kind_of};
use crate::Exit;

/// People of one request.
const PAGE: u32 = 1_000;

#[derive(Args)]
pub struct ExportArgs {
    /// A file whose name ends in .csv or .ldif; standard output without one, as CSV
    file: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    #[arg(long, value_enum)]
    kind: Option<FileKind>,
}

pub fn run(args: &ExportArgs) -> Result<Exit, Exit> {
    let format = args.place.format;
    let kind = match &args.file {
        Some(file) => kind_of(file, args.kind),
        None => Some(args.kind.unwrap_or(FileKind::Csv)),
    };
    let kind = kind.ok_or_else(|| failed(format, "say what to write with --kind", Exit::Trouble))?;
    let people = everybody(&args.place)?;
    let text = match kind {
        FileKind::Csv => people_to_csv(&people),
        FileKind::Ldif => people_to_ldif(&people),
    };
    match &args.file {
        Some(file) => {
            let written = std::fs::write(file, text);
            written.map_err(|error| failed(format, &format!("{}: {error}", file.display()), Exit::Trouble))?;
            say!("{} in {}", counted(people.len() as u64, "person", "people"), file.display());
        }
        None => print!("{text}"),
    }
    Ok(Exit::Fine)
}

fn everybody(place: &Place) -> Result<Vec<WantedPerson>, Exit> {
    let (mut people, mut after): (Vec<WantedPerson>, Option<String>) = (Vec::new(), None);
    loop {
        let page = ask(place, "people", ListPeople { after: after.clone(), limit: PAGE, ..ListPeople::default() })?;
        let Some(last) = page.last() else { return Ok(people) };
        after.clone_from(&last.person.login);
        people.extend(page.into_iter().map(|listed| listed.person));
    }
}
