//! What came in, counted for the domains whose names it bears (RFC 7489 7.2): one tally for each day (UTC) and domain.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use decide::Alignment;
use mail_auth::dmarc::{Alignment as Mode, Dmarc as Record, Policy};
use serde::{Deserialize, Serialize};

use crate::authenticate::Results;

/// Rows of one domain on one day; more are counted and not told apart.
const ROWS_MAX: usize = 1_000;
/// Domains of one day.
const DOMAINS_MAX: usize = 5_000;
/// Rows of all.
const ALL_ROWS_MAX: usize = 100_000;
/// Signatures told of a message.
const SIGNATURES_MAX: usize = 4;
/// Octets of a name somebody else wrote.
const NAME_OCTETS_MAX: usize = 255;

/// The policy a domain published, in the words of its record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    pub p: String,
    pub sp: String,
    pub strict_dkim: bool,
    pub strict_spf: bool,
    /// Who asked for reports: addresses of `rua`.
    pub reports_to: Vec<String>,
}

/// Messages that were alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Row {
    pub source: IpAddr,
    pub header_from: String,
    pub envelope_from: String,
    pub spf: String,
    pub spf_domain: String,
    /// Domain, selector, result.
    pub dkim: Vec<(String, String, String)>,
    pub dkim_aligned: bool,
    pub spf_aligned: bool,
    pub refused: bool,
}

/// One domain on one day, as the store keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfDomain {
    pub published: Published,
    pub rows: Vec<(Row, u32)>,
    /// Messages that found no row.
    pub untold: u32,
    /// The report went to the spool.
    #[serde(default)]
    pub sent: bool,
}

#[derive(Debug, Default)]
struct Counted {
    published: Published,
    rows: HashMap<Row, u32>,
    untold: u32,
}

/// The tallies in memory: all of today's, and what is not written yet of days before.
#[derive(Debug, Default)]
pub struct Tally {
    domains: BTreeMap<(String, String), Counted>,
    unwritten: BTreeSet<(String, String)>,
    rows: usize,
    /// What the store had when the server started is here. Another plan goes on with what is in memory.
    pub is_read: bool,
}

impl Tally {
    /// Takes back what the store has of a day, beside what was counted since.
    pub fn restore(&mut self, day: &str, domain: &str, kept: OfDomain) {
        let counted = self.domains.entry((day.to_owned(), domain.to_owned())).or_default();
        counted.published = kept.published;
        counted.untold = counted.untold.saturating_add(kept.untold);
        for (row, times) in kept.rows {
            let count = counted.rows.entry(row).or_default();
            self.rows += usize::from(*count == 0);
            *count = count.saturating_add(times);
        }
    }

    /// Counts a message of `day`. Nothing is counted for who has no record.
    pub fn count(&mut self, day: &str, source: IpAddr, results: &Results, refused: bool) {
        let (Some((domain, record)), Some(from)) = (&results.dmarc.record, &results.dmarc.from) else { return };
        let key = (day.to_owned(), domain.to_string());
        if !self.domains.contains_key(&key) && self.domains.len() >= DOMAINS_MAX {
            return;
        }
        let room = self.rows < ALL_ROWS_MAX;
        let counted = self.domains.entry(key.clone()).or_default();
        counted.published = published(record);
        let row = row(source, from.as_str(), results, refused);
        let room = room && counted.rows.len() < ROWS_MAX;
        match counted.rows.get_mut(&row) {
            Some(count) => *count = count.saturating_add(1),
            None if room => {
                counted.rows.insert(row, 1);
                self.rows += 1;
            }
            None => counted.untold = counted.untold.saturating_add(1),
        }
        self.unwritten.insert(key);
    }

    /// What changed since it was last asked, by day and domain; days before `today` are forgotten.
    pub fn take_unwritten(&mut self, today: &str) -> Vec<(String, String, OfDomain)> {
        let mut taken = Vec::new();
        for key in std::mem::take(&mut self.unwritten) {
            if let Some(counted) = self.domains.get(&key) {
                let mut rows: Vec<(Row, u32)> = counted.rows.iter().map(|(row, count)| (row.clone(), *count)).collect();
                rows.sort();
                let published = counted.published.clone();
                taken.push((key.0, key.1, OfDomain { published, rows, untold: counted.untold, sent: false }));
            }
        }
        self.domains.retain(|(day, _), _| day.as_str() >= today);
        self.rows = self.domains.values().map(|counted| counted.rows.len()).sum();
        taken
    }

    /// The write failed: asked for again next time.
    pub fn not_written(&mut self, day: &str, domain: &str, of: OfDomain) {
        let key = (day.to_owned(), domain.to_owned());
        if !self.domains.contains_key(&key) {
            self.restore(day, domain, of);
        }
        self.unwritten.insert(key);
    }
}

fn published(record: &Record) -> Published {
    let word = |policy: Policy| policy.to_string();
    Published {
        p: word(record.p),
        sp: word(record.sp),
        strict_dkim: record.adkim == Mode::Strict,
        strict_spf: record.aspf == Mode::Strict,
        reports_to: record.rua.iter().map(|uri| bounded(uri.uri())).take(super::send::RECIPIENTS_MAX).collect(),
    }
}

fn row(source: IpAddr, from: &str, results: &Results, refused: bool) -> Row {
    let signatures = results.dkim.iter().take(SIGNATURES_MAX).map(|signature| {
        let word = signature.result.word().to_owned();
        (bounded(&signature.domain), bounded(&signature.selector), word)
    });
    let spf = results.spf.as_ref();
    Row {
        source,
        header_from: bounded(from),
        envelope_from: spf.map(|spf| bounded(&spf.domain)).unwrap_or_default(),
        spf: spf.map_or("none", |spf| spf.result.word()).to_owned(),
        spf_domain: spf.map(|spf| bounded(&spf.domain)).unwrap_or_default(),
        dkim: signatures.collect(),
        dkim_aligned: results.dmarc.dkim == Alignment::Aligned,
        spf_aligned: results.dmarc.spf == Alignment::Aligned,
        refused,
    }
}

/// Without control characters, and no longer than a name can be.
fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(NAME_OCTETS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use mail_auth::common::parse::TxtRecordParser;

    use super::*;

    fn results(from: &str) -> Results {
        let mut results = Results::default();
        let record = Record::parse(b"v=DMARC1; p=reject; rua=mailto:reports@example.org").unwrap();
        results.dmarc.from = Some(from.parse().unwrap());
        results.dmarc.record = Some(("example.org".parse().unwrap(), record));
        results
    }

    fn source(last: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from(0x0a00_0000 + last))
    }

    #[test]
    fn alike_messages_are_one_row_and_survive_a_restart() {
        let mut tally = Tally::default();
        for _ in 0..3 {
            tally.count("2026-11-29", source(1), &results("a.example.org"), false);
        }
        tally.count("2026-11-29", source(2), &results("a.example.org"), true);
        tally.count("2026-11-29", source(2), &Results::default(), false);
        let taken = tally.take_unwritten("2026-11-29");
        let [(day, domain, of)] = taken.as_slice() else { panic!("{taken:?}") };
        assert_eq!((day.as_str(), domain.as_str()), ("2026-11-29", "example.org"));
        assert_eq!(of.rows.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(of.published.reports_to, ["reports@example.org"]);
        assert_eq!(tally.take_unwritten("2026-11-29"), []);
        let mut again = Tally::default();
        again.restore(day, domain, of.clone());
        again.count("2026-11-29", source(1), &results("a.example.org"), false);
        assert_eq!(again.take_unwritten("2026-11-30")[0].2.rows[0].1, 4);
        assert_eq!(again.rows, 0, "yesterday is forgotten once it is written");
        // A message was faster than the store.
        let mut late = Tally::default();
        late.count("2026-11-29", source(1), &results("a.example.org"), false);
        late.restore(day, domain, of.clone());
        assert_eq!(late.take_unwritten("2026-11-29")[0].2.rows[0].1, 4);
        assert_eq!(late.rows, 2);
    }

    #[test]
    fn a_flood_of_sources_does_not_grow_without_bound() {
        let mut tally = Tally::default();
        for last in 0..2_000 {
            tally.count("2026-11-29", source(last), &results("example.org"), false);
        }
        let taken = tally.take_unwritten("2026-11-29");
        assert_eq!((taken[0].2.rows.len(), taken[0].2.untold), (ROWS_MAX, 1_000));
    }
}
