//! The labelled mail, and its five folds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How often the corpus is divided.
pub const FOLDS: usize = 5;
const ARCHIVES: [&str; 4] = [
    "spam-train/ham.tar.zst",
    "spam-train/spam.tar.zst",
    "spam-train/spam-phishing-nc.tar.zst",
    "french/french.tar.zst",
];

pub struct Message {
    /// Folder in the corpus, and `french` in front where the project's own French mail is.
    pub source: String,
    pub spam: bool,
    pub french: bool,
    pub fold: usize,
    pub path: PathBuf,
    /// Without the [`MARKS`] of who published it.
    pub octets: Vec<u8>,
}

/// What stands in place of addresses that were taken out, different in each source: nothing to learn from.
const MARKS: [&[u8]; 6] =
    [b"phishing@pot", b"[removed]", b"netnoteinc.com", b"spamassassin.taint.org", b"taint.org", b"csmining.org"];

/// The message with an address of its own in place of each mark; where From had none, there, too.
fn unmarked(octets: &[u8]) -> Vec<u8> {
    let own = format!("{}.example", &blake3::hash(octets).to_hex()[..8]);
    let mut out = Vec::with_capacity(octets.len());
    let mut at = 0;
    while at < octets.len() {
        let rest = &octets[at..];
        let mark = MARKS.iter().find(|mark| rest.starts_with(mark));
        match mark {
            Some(mark) => {
                if mark.contains(&b'@') || mark.starts_with(b"[") {
                    out.extend_from_slice(b"x@");
                }
                out.extend_from_slice(own.as_bytes());
                at += mark.len();
            }
            None if rest.starts_with(b"\nFrom:\n") || rest.starts_with(b"\nFrom:\r\n") => {
                out.extend_from_slice(format!("\nFrom: x@{own}").as_bytes());
                at += b"\nFrom:".len();
            }
            None => {
                out.push(rest[0]);
                at += 1;
            }
        }
    }
    out
}

pub struct Corpus {
    pub messages: Vec<Message>,
    /// Everything made of this corpus, for the next run: the name says which corpus it was.
    pub folder: PathBuf,
}

impl Corpus {
    /// Unpacks once into the build folder, without the mbox line some messages begin with; `None` without a corpus.
    pub fn read() -> Option<Corpus> {
        let from = tests::corpus::folder()?;
        let mut key = blake3::Hasher::new();
        for archive in ARCHIVES {
            key.update(&std::fs::read(from.join(archive)).unwrap_or_else(|error| panic!("{archive}: {error}")));
        }
        let key = key.finalize().to_hex();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spam").join(&key[..12]);
        let messages = folder.join("messages");
        if !messages.is_dir() {
            unpack(&from, &messages);
        }
        let mut found = Vec::new();
        for french in [false, true] {
            walk(&messages.join(if french { "french" } else { "mixed" }), french, &mut found);
        }
        divide(&mut found);
        for message in &mut found {
            message.octets = unmarked(&message.octets);
        }
        Some(Corpus { messages: found, folder })
    }
}

fn unpack(from: &Path, to: &Path) {
    let fresh = to.with_extension("new");
    let _ = std::fs::remove_dir_all(&fresh);
    for archive in ARCHIVES {
        let into = fresh.join(if archive.starts_with("french") { "french" } else { "mixed" });
        std::fs::create_dir_all(&into).expect("the build folder can be written");
        let mut command = Command::new("tar");
        command.arg("--zstd").arg("-xf").arg(from.join(archive)).arg("-C").arg(&into);
        tests::program::run(&mut command).ends(0);
    }
    let mut files = Vec::new();
    walk(&fresh, false, &mut files);
    for message in files {
        std::fs::write(&message.path, message.octets).expect("the build folder can be written");
    }
    std::fs::rename(&fresh, to).expect("the build folder can be written");
}

fn walk(folder: &Path, french: bool, into: &mut Vec<Message>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, french, into);
            continue;
        }
        let mut octets = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if octets.starts_with(b"From ") {
            let end = octets.iter().position(|octet| *octet == b'\n').map_or(octets.len(), |at| at + 1);
            octets.drain(..end);
        }
        let parent = path.parent().expect("a file is in a folder");
        let class = parent.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let name = parent.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let spam = class.starts_with("spam");
        let source = match (french, class.as_str()) {
            (true, _) => format!("french-{name}"),
            (false, "spam-phishing-nc") => format!("phishing-{name}"),
            // A source that has both classes.
            (false, _) if name == "csdmc2010" => format!("{name}-{class}"),
            (false, _) => name,
        };
        into.push(Message { source, spam, french, fold: 0, path, octets });
    }
}

/// Each source lies evenly in all folds; chance is the hash of the octets, so it is the same on every machine.
fn divide(messages: &mut [Message]) {
    let mut sources: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, message) in messages.iter().enumerate() {
        sources.entry(message.source.clone()).or_default().push(at);
    }
    for (number, mut members) in sources.into_values().enumerate() {
        members.sort_by_cached_key(|at| *blake3::hash(&messages[*at].octets).as_bytes());
        for (rank, at) in members.into_iter().enumerate() {
            // Small sources do not all begin in the same fold.
            messages[at].fold = (rank + number) % FOLDS;
        }
    }
}
