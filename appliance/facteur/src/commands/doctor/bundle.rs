//! `facteur doctor bundle`: one file with what helps to find a fault from outside, and nothing of anybody's mail.

use std::fs::File;
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use server::operate::{Bundled, MakeBundle, Status};

use super::here;
use crate::commands::dns::Where;
use crate::commands::live::called;
use crate::commands::unix_s;
use crate::serving::named;
use crate::{Exit, tar};

#[derive(Args)]
pub struct BundleArgs {
    /// The archive that is written; it must not be there
    file: PathBuf,
    #[command(flatten)]
    place: Where,
}

pub fn run(args: &BundleArgs) -> Exit {
    let data = match args.place.data_folder() {
        Ok(data) => data,
        Err(error) => return crate::serving::trouble(error.as_ref()),
    };
    let files = files(&data);
    match write(&args.file, &files) {
        Ok(()) => {
            say!("{}: {} files", args.file.display(), files.len());
            say!("logs, plan, metrics, status and facts of this machine; no addresses, logins, subjects or secrets");
            Exit::Fine
        }
        Err(error) => crate::serving::trouble(named(&args.file, error).as_ref()),
    }
}

/// What the server gives, and what is seen from here also when it gives nothing.
fn files(data: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    match called(data, MakeBundle {}) {
        Ok(Bundled { files: given }) => {
            files.extend(given.into_iter().map(|(name, text)| (name, text.into_bytes())));
        }
        Err(error) => files.push(("no-server.txt".to_owned(), format!("{error}\n").into_bytes())),
    }
    // The warnings of the server are in its status, where people are taken out of them.
    let now = called(data, Status {}).ok();
    let doctor: String =
        here::of_machine(data, now.as_ref()).iter().map(|finding| here::line(finding) + "\n").collect();
    files.push(("doctor.txt".to_owned(), doctor.into_bytes()));
    files.push(("machine.txt".to_owned(), here::machine(data).into_bytes()));
    files.iter_mut().for_each(|(name, _)| *name = format!("facteur-bundle/{name}"));
    files
}

fn write(path: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    tar::write(BufWriter::new(&file), files, u64::try_from(unix_s()).unwrap_or(0))?;
    file.sync_all()
}
