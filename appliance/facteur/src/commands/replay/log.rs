//! An exported decision log, read back a row at a time: it is looked at twice, and never whole in memory.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use decide::{FACTS_EVENT, FACTS_SCHEMA, Facts};
use serde::Deserialize;
use server::operate::DecisionLog;

/// The longest line; rows have bounds of their own far below.
const LINE_OCTETS_MAX: u64 = 4 << 20;
const BUFFER: usize = 1 << 18;

pub struct Log {
    pub head: DecisionLog,
    /// As messages name it.
    name: String,
    file: File,
    /// Lines before the first row.
    lines: u64,
}

/// What every line has.
#[derive(Deserialize)]
struct Any<'l> {
    schema: u32,
    #[serde(borrow)]
    event: Cow<'l, str>,
}

/// Opens a log; the error is what is wrong, with file and line. What comes through a pipe is kept aside first.
pub fn read(path: &Path) -> Result<Log, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = File::open(path).map_err(wrong)?;
    if !file.metadata().map_err(wrong)?.is_file() {
        let mut kept = aside().map_err(|error| format!("the log cannot be kept aside: {error}"))?;
        std::io::copy(&mut file, &mut kept).map_err(wrong)?;
        file = kept;
    }
    let mut log = Log { head: DecisionLog::default(), name: path.display().to_string(), file, lines: 1 };
    let mut text = String::new();
    next(&mut log.start()?, &mut text).map_err(|why| log.wrong(1, &why))?;
    let head = serde_json::from_str::<DecisionLog>(&text).ok();
    let head = head.filter(|head| head.kind == "decision-log" && head.schema == 1);
    log.head = head.ok_or_else(|| log.wrong(1, "this is no log `facteur log export` writes in this version"))?;
    Ok(log)
}

/// A log made of rows that are written to it, in a file that goes with it.
pub struct Aside {
    to: BufWriter<File>,
    transactions: u64,
}

impl Aside {
    pub fn new() -> Result<Aside, String> {
        let file = aside().map_err(|error| format!("the log cannot be kept aside: {error}"))?;
        Ok(Aside { to: BufWriter::with_capacity(BUFFER, file), transactions: 0 })
    }

    pub fn add(&mut self, head: &DecisionLog, facts: &Facts) -> Result<(), String> {
        self.transactions += u64::from(facts.at_s >= head.judged_from_s);
        serde_json::to_writer(&mut self.to, facts).map_err(|error| error.to_string())?;
        self.to.write_all(b"\n").map_err(|error| error.to_string())
    }

    /// The log with all that was added.
    pub fn log(self, head: &DecisionLog) -> Result<Log, String> {
        let file = self.to.into_inner().map_err(|error| error.to_string())?;
        let head = DecisionLog { transactions: self.transactions, ..head.clone() };
        Ok(Log { head, name: "the log under the plan before".to_owned(), file, lines: 0 })
    }
}

/// A file without a name, in the folder of temporary files.
fn aside() -> std::io::Result<File> {
    for number in 0.. {
        let path = std::env::temp_dir().join(format!("facteur-log-{}-{number}", std::process::id()));
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => return std::fs::remove_file(&path).map(|()| file),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < 100 => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

impl Log {
    /// Looks at every row in the order of the file.
    pub fn each(&self, mut look: impl FnMut(Facts) -> Result<(), String>) -> Result<(), String> {
        let mut from = self.start()?;
        let (mut text, mut there) = (String::new(), 0);
        for number in 1_u64.. {
            let wrong = |why: String| self.wrong(number, &why);
            if !next(&mut from, &mut text).map_err(wrong)? {
                return whole(&self.head, there).map_err(wrong);
            }
            let facts = if number > self.lines { row(&text).map_err(wrong)? } else { None };
            if let Some(facts) = facts {
                there += u64::from(facts.at_s >= self.head.judged_from_s);
                look(facts).map_err(wrong)?;
            }
        }
        Ok(())
    }

    fn start(&self) -> Result<BufReader<File>, String> {
        let again = || {
            let mut file = self.file.try_clone()?;
            file.rewind()?;
            Ok(BufReader::with_capacity(BUFFER, file))
        };
        again().map_err(|error: std::io::Error| format!("{}: {error}", self.name))
    }

    fn wrong(&self, number: u64, why: &str) -> String {
        format!("{}:{number}: {why}", self.name)
    }
}

/// A log that lost its end would say of everybody in it that nothing changes. There may be more than its first line says:
/// what was under way then.
fn whole(head: &DecisionLog, there: u64) -> Result<(), String> {
    if there < head.transactions {
        return Err(format!("the log ends here with {there} of {} transactions: export it again", head.transactions));
    }
    Ok(())
}

/// `None` for a line that is about something else.
fn row(text: &str) -> Result<Option<Facts>, String> {
    match serde_json::from_str::<Facts>(text) {
        Ok(facts) if facts.event == FACTS_EVENT && facts.schema == FACTS_SCHEMA => Ok(Some(facts)),
        Ok(facts) => Err(format!("a row of schema {}, this version reads {FACTS_SCHEMA}", facts.schema)),
        Err(error) => match serde_json::from_str::<Any<'_>>(text) {
            Ok(any) if any.schema > 0 && any.event != FACTS_EVENT => Ok(None),
            Ok(_) | Err(_) => Err(error.to_string()),
        },
    }
}

/// False at the end.
fn next(from: &mut impl BufRead, text: &mut String) -> Result<bool, String> {
    text.clear();
    let octets = from.take(LINE_OCTETS_MAX).read_line(text).map_err(|error| error.to_string())?;
    if octets as u64 == LINE_OCTETS_MAX {
        return Err("a line without end".to_owned());
    }
    Ok(octets > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at_s: i64) -> String {
        format!(
            "{{\"schema\":2,\"event\":\"transaction\",\"at_s\":{at_s},\"plan\":\"p\",\"listener\":\"mx\",\"class\":\"outside\",\
             \"who\":\"00\",\"sender\":\"Empty\",\"turn\":1,\"tick\":1}}\n"
        )
    }

    #[test]
    fn a_log_is_read_as_often_as_it_is_asked_for_and_one_without_its_end_is_told() {
        let head = |transactions| DecisionLog { judged_from_s: 10, transactions, ..DecisionLog::default() };
        let mut aside = Aside::new().unwrap();
        for at_s in [9, 10, 11] {
            aside.add(&head(0), &row(&line(at_s)).unwrap().expect("a row")).unwrap();
        }
        let mut log = aside.log(&head(0)).unwrap();
        assert_eq!(log.head.transactions, 2, "what only fills windows does not count");
        for transactions in [1, 2] {
            // One more may have been under way.
            log.head = head(transactions);
            let mut seen = Vec::new();
            log.each(|facts| {
                seen.push(facts.at_s);
                Ok(())
            })
            .unwrap();
            assert_eq!(seen, [9, 10, 11]);
        }
        log.head = head(3);
        assert!(log.each(|_| Ok(())).unwrap_err().contains(":4: the log ends here with 2 of 3"));
        assert!(log.each(|_| Err("no".to_owned())).unwrap_err().contains(":1: no"));
    }
}
