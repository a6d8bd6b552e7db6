//! A local scanner, run once for each message: no shell, no environment, its own process group that ends with the
//! deadline, limits where this machine can set them (`sandbox`). Its exit code is the verdict, as the plan says; what it
//! prints gives the name of what was found and nothing else.

mod output;
mod sandbox;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use plan::{Exit, ExitMeans};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::OnceCell;

use self::sandbox::Sandbox;
use super::Look;
use super::source::{PIECE_OCTETS, Source};
use crate::{durable, random};

/// Folder of the data folder for files scanners are given.
const FOLDER: &str = "scanning";
/// Octets of output that are kept; what comes after is read and dropped.
const OUTPUT_OCTETS_MAX: usize = 64 * 1024;
/// What a program that ended may leave in its pipes is waited for so long.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Where the message stands in an argument.
const FILE: &str = "{file}";

/// A scanner of the plan.
pub struct Program {
    name: String,
    argv: Vec<String>,
    exits: Vec<Exit>,
    folder: PathBuf,
    cpu_s: u64,
    sandbox: OnceCell<Sandbox>,
}

impl Program {
    /// `at`: the program and its arguments, parted by spaces; `None` where there is none.
    pub fn new(name: &str, at: &str, exits: &[Exit], data: &Path, deadline_s: u64) -> Option<Program> {
        let argv: Vec<String> = at.split_ascii_whitespace().map(str::to_owned).collect();
        let folder = data.join(FOLDER);
        // Files of a run that was killed; nobody reads them any more.
        let _ = fs::remove_dir_all(&folder);
        (!argv.is_empty()).then(|| Program {
            name: name.to_owned(),
            argv,
            exits: exits.to_vec(),
            folder,
            cpu_s: deadline_s + 1,
            sandbox: OnceCell::new(),
        })
    }

    /// What this machine can take away from it; found out once.
    pub async fn sandbox(&self) -> &Sandbox {
        self.sandbox.get_or_init(|| Sandbox::tried(&self.name, self.cpu_s)).await
    }

    /// What the scanner says of a content. Dropped, it ends with everything it started.
    pub async fn scan(&self, source: &Source) -> io::Result<Look> {
        let sandbox = self.sandbox().await;
        let wants_file = self.argv.iter().any(|word| word.contains(FILE));
        let file = if wants_file { Some(self.file(source).await?) } else { None };
        let path = file.as_ref().map(|file| file.0.display().to_string());
        let fill = |word: &String| path.as_ref().map_or_else(|| word.clone(), |path| word.replace(FILE, path));
        let argv: Vec<String> = self.argv.iter().map(fill).collect();
        let mut command = sandbox.command(&argv);
        command.stdin(if wants_file { Stdio::null() } else { Stdio::piped() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
        let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (mut said, mut complained) = (Vec::new(), Vec::new());
        let mut fed = None;
        let status = {
            let feeding = feed(&mut stdin, source);
            let hearing = async { tokio::join!(hear(stdout, &mut said), hear(stderr, &mut complained)) };
            tokio::pin!(feeding, hearing);
            let mut heard = false;
            let status = loop {
                tokio::select! {
                    biased;
                    result = &mut feeding, if fed.is_none() => fed = Some(result),
                    _ = &mut hearing, if !heard => heard = true,
                    status = child.wait() => break status?,
                }
            };
            drop(group);
            if !heard {
                // Who holds the pipe open now is no scanner.
                let _ = tokio::time::timeout(LAST_WORDS, &mut hearing).await;
            }
            status
        };
        if let Some(words) = sandbox::failed(&complained) {
            return Ok(Look::Failed(words));
        }
        let whole = matches!(fed, Some(Ok(())));
        Ok(look(status, &self.exits, whole, &said, path.as_deref()))
    }

    /// A file of its own for the message, which goes with the value.
    async fn file(&self, source: &Source) -> io::Result<Gone> {
        let (folder, source) = (self.folder.clone(), source.clone());
        let written = durable::blocking(move || {
            fs::create_dir_all(&folder)?;
            let name = u128::from_le_bytes(random::octets());
            let path = folder.join(format!("{name:032x}.eml"));
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            let gone = Gone(path);
            copy(&source, file)?;
            Ok(gone)
        });
        written.await.unwrap_or(Err(io::ErrorKind::Other.into()))
    }
}

fn copy(source: &Source, mut file: File) -> io::Result<()> {
    let mut piece = vec![0; PIECE_OCTETS];
    let mut offset = 0;
    loop {
        let read = source.read_at(&mut piece, offset)?;
        if read == 0 {
            return Ok(());
        }
        file.write_all(&piece[..read])?;
        offset += read as u64;
    }
}

/// What the end of a scanner means. `whole`: it took all of the message, or the file of it.
fn look(status: ExitStatus, exits: &[Exit], whole: bool, said: &[u8], file: Option<&str>) -> Look {
    let Some(code) = status.code() else {
        return Look::Failed(format!("ended by signal {}", status.signal().unwrap_or_default()));
    };
    match exits.iter().find(|exit| i32::from(exit.code) == code).map(|exit| exit.means) {
        None => Look::Failed(format!("ended with {code}, which the policy gives no meaning")),
        Some(ExitMeans::Infected) => Look::Infected(output::name(said, file)),
        Some(ExitMeans::Suspect) => Look::Suspect(output::name(said, file)),
        Some(ExitMeans::Clean) if whole => Look::Clean,
        Some(ExitMeans::Clean) => Look::Failed("called the message clean before it had read all of it".to_owned()),
    }
}

/// A file that is removed with the value.
struct Gone(PathBuf);

impl Drop for Gone {
    fn drop(&mut self) {
        // The folder is emptied at the next start.
        let _ = fs::remove_file(&self.0);
    }
}

/// A process group that ends with the value.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Writes the content and closes the pipe. Without a pipe there is nothing to do.
async fn feed<W: AsyncWrite + Unpin>(stdin: &mut Option<W>, source: &Source) -> io::Result<()> {
    let Some(mut pipe) = stdin.take() else { return Ok(()) };
    let mut piece = vec![0; PIECE_OCTETS];
    let mut offset = 0;
    loop {
        let read = source.read_at(&mut piece, offset)?;
        if read == 0 {
            return pipe.shutdown().await;
        }
        pipe.write_all(&piece[..read]).await?;
        offset += read as u64;
    }
}

/// Reads to the end and keeps the beginning.
async fn hear<R: AsyncRead + Unpin>(pipe: Option<R>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 4_096];
    while let Ok(read) = pipe.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        let room = OUTPUT_OCTETS_MAX - kept.len();
        kept.extend_from_slice(&buffer[..read.min(room)]);
    }
}

#[cfg(test)]
mod tests;
