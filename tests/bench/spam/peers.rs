//! SpamAssassin and bogofilter of Debian, taught the same folds. What they said is kept beside the corpus.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::corpus::{Corpus, FOLDS};
use crate::judge::Scores;

/// Fields that say where a message of the corpus comes from, or that somebody else judged it.
pub const TELLTALES: &[&str] = &[
    "Received",
    "Delivered-To",
    "To",
    "Return-Path",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Archive",
    "List-Post",
    "List-Help",
    "List-Subscribe",
    "List-Owner",
    "X-Spam-Status",
    "X-Spam-Level",
    "X-Spam-Flag",
    "X-Spam-Checker-Version",
    "Date",
];

/// A peer as the report names it.
pub struct Peer {
    pub name: &'static str,
    program: Program,
    /// Whether it may look at [`TELLTALES`].
    telltales: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Program {
    SpamAssassin,
    Bogofilter,
}

pub const PEERS: &[Peer] = &[
    Peer { name: "SpamAssassin", program: Program::SpamAssassin, telltales: true },
    Peer { name: "bogofilter", program: Program::Bogofilter, telltales: true },
    Peer { name: "SpamAssassin-blind", program: Program::SpamAssassin, telltales: false },
    Peer { name: "bogofilter-blind", program: Program::Bogofilter, telltales: false },
];

/// What a peer said of all messages, in the order of the corpus: below 0 is spam, not a number where it was not asked.
pub struct Said {
    pub scores: Scores,
    /// Processor time of one message for scoring alone, on average, in seconds.
    pub seconds: f64,
    /// Memory at its peak, in octets; 0 where nobody looked.
    pub memory: u64,
}

impl Peer {
    fn file(&self, corpus: &Corpus, fold: usize) -> PathBuf {
        corpus.folder.join(format!("{}-{fold}", self.name))
    }

    /// What it said before, or, when `may_run`, says now. `None` where the program is not installed, or said nothing yet.
    pub fn say(&self, corpus: &Corpus, may_run: bool) -> Option<Said> {
        let missing: Vec<usize> = (0..FOLDS).filter(|fold| !self.file(corpus, *fold).is_file()).collect();
        if !may_run {
            return (missing.len() < FOLDS).then(|| self.collect(corpus));
        }
        // Two at a time: each is one process of one thread.
        for pair in missing.chunks(2) {
            let ran = std::thread::scope(|scope| {
                let runs: Vec<_> = pair.iter().map(|fold| scope.spawn(|| self.run(corpus, *fold))).collect();
                runs.into_iter().all(|run| run.join().expect("a peer does not panic").is_some())
            });
            if !ran {
                return None;
            }
        }
        Some(self.collect(corpus))
    }

    /// Of how many folds it said something.
    pub fn folds(&self, corpus: &Corpus) -> usize {
        (0..FOLDS).filter(|fold| self.file(corpus, *fold).is_file()).count()
    }

    fn collect(&self, corpus: &Corpus) -> Said {
        let mut by_path: HashMap<PathBuf, f64> = HashMap::new();
        let (mut milliseconds, mut memory) = (0.0, 0);
        for fold in 0..FOLDS {
            // A fold that nobody asked about yet has no score.
            let said = std::fs::read_to_string(self.file(corpus, fold)).unwrap_or_default();
            for line in said.lines() {
                let mut columns = line.split('\t');
                let path = columns.next().unwrap_or_default();
                let number = columns.next().and_then(|score| score.parse::<f64>().ok());
                let number = number.unwrap_or_else(|| panic!("{}: `{line}`", self.name));
                milliseconds += columns.next().and_then(|time| time.parse::<f64>().ok()).unwrap_or_default();
                match path {
                    "peak" => memory = memory.max(number as u64),
                    _ => drop(by_path.insert(PathBuf::from(path), number)),
                }
            }
        }
        let limit = match self.program {
            Program::SpamAssassin => 5.0,
            Program::Bogofilter => 0.99,
        };
        let score = |path: &PathBuf| {
            let Some(found) = by_path.get(path) else { return f64::NAN };
            // Its own limit is our 0, and what reaches it is spam.
            if *found >= limit { -(found - limit) - 1e-12 } else { limit - found }
        };
        let scores = corpus.messages.iter().map(|message| score(&message.path)).collect();
        Said { scores, seconds: milliseconds / 1000.0 / by_path.len() as f64, memory }
    }

    /// Teaches it the other folds and asks about this one.
    fn run(&self, corpus: &Corpus, fold: usize) -> Option<()> {
        let home = corpus.folder.join(format!("home-{}-{fold}", self.name));
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(&home).expect("the build folder can be written");
        let (mut train, mut test) = (String::new(), String::new());
        for message in &corpus.messages {
            let list = if message.fold == fold { &mut test } else { &mut train };
            let path = self.seen(corpus, &message.path, &message.octets);
            let _ = writeln!(list, "{}\t{}", if message.spam { "spam" } else { "ham" }, path.display());
        }
        eprintln!("{}: fold {fold}", self.name);
        let said = match self.program {
            Program::SpamAssassin => self.assassin(&home, &train, &test)?,
            Program::Bogofilter => bogofilter(&home, &train, &test)?,
        };
        let blind = corpus.folder.join("blind").display().to_string();
        let messages = corpus.folder.join("messages").display().to_string();
        let file = self.file(corpus, fold);
        std::fs::write(file.with_extension("new"), said.replace(&blind, &messages))
            .expect("the build folder can be written");
        std::fs::rename(file.with_extension("new"), file).expect("the build folder can be written");
        std::fs::remove_dir_all(&home).expect("the build folder can be written");
        Some(())
    }

    /// Where it reads a message. bogofilter cannot be told to leave fields out, so it gets a copy without them.
    fn seen(&self, corpus: &Corpus, path: &Path, octets: &[u8]) -> PathBuf {
        if self.telltales || self.program == Program::SpamAssassin {
            return path.to_path_buf();
        }
        let below = path.strip_prefix(corpus.folder.join("messages")).expect("all messages lie there");
        let copy = corpus.folder.join("blind").join(below);
        if !copy.is_file() {
            std::fs::create_dir_all(copy.parent().expect("it has one")).expect("the build folder can be written");
            let fresh = copy.with_extension(format!("{:?}", std::thread::current().id()));
            std::fs::write(&fresh, without(octets, TELLTALES)).expect("the build folder can be written");
            std::fs::rename(fresh, &copy).expect("the build folder can be written");
        }
        copy
    }

    fn assassin(&self, home: &Path, train: &str, test: &str) -> Option<String> {
        let (train_list, test_list) = (home.join("train"), home.join("test"));
        std::fs::write(&train_list, train).expect("the build folder can be written");
        std::fs::write(&test_list, test).expect("the build folder can be written");
        let script = tests::program::top().join("tests/bench/spam/spamassassin.pl");
        let mut command = Command::new("nice");
        command.args(["-n", "19", "perl"]).arg(script).arg(home).arg(train_list).arg(test_list);
        command.env("FACTEUR_IGNORED", if self.telltales { String::new() } else { TELLTALES.join(" ") });
        output(command, "")
    }
}

fn bogofilter(home: &Path, train: &str, test: &str) -> Option<String> {
    let paths = |list: &str, class: &str| -> String {
        let wanted = list.lines().filter_map(|line| line.strip_prefix(class)?.strip_prefix('\t'));
        wanted.map(|path| format!("{path}\n")).collect()
    };
    for (class, option) in [("ham", "-n"), ("spam", "-s")] {
        let mut command = Command::new("bogofilter");
        command.arg("-d").arg(home).args(["-k", "64", "-b", option]);
        output(command, &paths(train, class))?;
    }
    let asked: String =
        test.lines().filter_map(|line| line.split_once('\t')).map(|(_, path)| format!("{path}\n")).collect();
    let mut command = Command::new("bash");
    // `times` says, in its second line, what children used: user, then system.
    command.arg("-c").arg("bogofilter -d \"$0\" -k 64 -b -TT; times >&2").arg(home);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
    let mut input = child.stdin.take().expect("it is piped");
    let writer = std::thread::spawn({
        let asked = asked.clone();
        move || input.write_all(asked.as_bytes())
    });
    let done = child.wait_with_output().ok()?;
    writer.join().expect("writing does not panic").ok()?;
    let scores = String::from_utf8_lossy(&done.stdout).into_owned();
    let times = String::from_utf8_lossy(&done.stderr).into_owned();
    let used: f64 = times.lines().last().into_iter().flat_map(str::split_whitespace).filter_map(duration).sum();
    let paths: Vec<&str> = asked.lines().collect();
    let lines: Vec<&str> = scores.lines().collect();
    assert_eq!(lines.len(), paths.len(), "bogofilter scores each message: {times}");
    let each = 1000.0 * used / paths.len() as f64;
    let rows = paths.iter().zip(&lines).map(|(path, line)| {
        let score = line.split_whitespace().last().unwrap_or_default();
        format!("{path}\t{score}\t{each:.3}\n")
    });
    Some(rows.collect())
}

/// `0m1.230s` in seconds.
fn duration(text: &str) -> Option<f64> {
    let (minutes, seconds) = text.split_once('m')?;
    Some(60.0 * minutes.parse::<f64>().ok()? + seconds.strip_suffix('s')?.parse::<f64>().ok()?)
}

/// What a program prints; `None` where there is no such program or it fails.
fn output(mut command: Command, input: &str) -> Option<String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().ok()?;
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_string();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let done = child.wait_with_output().ok()?;
    // A program that reads no input may have closed it.
    let _ = writer.join().expect("writing does not panic");
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The message without the fields of these names.
pub fn without(octets: &[u8], names: &[&str]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(octets.len());
    let mut rest = octets;
    let mut dropping = false;
    while !rest.is_empty() {
        let end = rest.iter().position(|octet| *octet == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if line == b"\n" || line == b"\r\n" {
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.split(|octet| *octet == b':').next().unwrap_or_default();
            dropping = names.iter().any(|it| it.as_bytes().eq_ignore_ascii_case(name.trim_ascii_end()));
        }
        if !dropping {
            kept.extend_from_slice(line);
        }
        rest = after;
    }
    kept.extend_from_slice(rest);
    kept
}
