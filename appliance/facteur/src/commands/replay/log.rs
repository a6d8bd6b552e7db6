//! An exported decision log, read back.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use decide::{FACTS_EVENT, FACTS_SCHEMA, Facts};
use serde::Deserialize;
use server::operate::DecisionLog;

/// The longest line; rows have bounds of their own far below.
const LINE_OCTETS_MAX: u64 = 4 << 20;
/// Rows of one log.
const ROWS_MAX: usize = 20_000_000;

pub struct Log {
    pub head: DecisionLog,
    pub facts: Vec<Facts>,
}

/// What every line has.
#[derive(Deserialize)]
struct Any<'l> {
    schema: u32,
    #[serde(borrow)]
    event: Cow<'l, str>,
}

/// Reads a log; the error is what is wrong, with file and line.
pub fn read(path: &Path) -> Result<Log, String> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut from = BufReader::with_capacity(1 << 20, file);
    let (mut text, mut number) = (String::new(), 1_u64);
    let wrong = |number: u64, why: &str| format!("{}:{number}: {why}", path.display());
    next(&mut from, &mut text).map_err(|why| wrong(1, &why))?;
    let head = serde_json::from_str::<DecisionLog>(&text).ok();
    let head = head.filter(|head| head.kind == "decision-log" && head.schema == 1);
    let head = head.ok_or_else(|| wrong(1, "this is no log `facteur log export` writes in this version"))?;
    let mut facts = Vec::new();
    loop {
        number += 1;
        if !next(&mut from, &mut text).map_err(|why| wrong(number, &why))? {
            whole(&head, &facts).map_err(|why| wrong(number, &why))?;
            return Ok(Log { head, facts });
        }
        facts.extend(row(&text).map_err(|why| wrong(number, &why))?);
        if facts.len() > ROWS_MAX {
            return Err(wrong(number, &format!("more than {ROWS_MAX} rows")));
        }
    }
}

/// A log that lost its end would say of everybody in it that nothing changes. There may be more than its first line says:
/// what was under way then.
fn whole(head: &DecisionLog, facts: &[Facts]) -> Result<(), String> {
    let there = facts.iter().filter(|facts| facts.at_s >= head.judged_from_s).count() as u64;
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

    #[test]
    fn a_log_that_lost_its_end_is_told_from_a_whole_one() {
        let head = |transactions| DecisionLog { judged_from_s: 10, transactions, ..DecisionLog::default() };
        let row = |at_s: i64| {
            let text = format!(
                "{{\"schema\":2,\"event\":\"transaction\",\"at_s\":{at_s},\"plan\":\"p\",\"listener\":\"mx\",\"class\":\"outside\",\
                 \"who\":\"00\",\"sender\":\"Empty\",\"turn\":1,\"tick\":1}}"
            );
            row(&text).unwrap().expect("a row")
        };
        let facts = [row(9), row(10), row(11)];
        assert_eq!(whole(&head(2), &facts), Ok(()));
        assert_eq!(whole(&head(1), &facts), Ok(()), "one more was under way");
        assert!(whole(&head(3), &facts).unwrap_err().contains("2 of 3"), "what only fills windows does not count");
    }
}
