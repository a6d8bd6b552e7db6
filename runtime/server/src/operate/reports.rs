//! `facteur reports`: what others report of our domains, and what we counted for others.

use decide::roles;
use serde::{Deserialize, Serialize};

use super::{Context, OperateError, Operation, Progress};
use crate::reports::{OfDomain, SENDERS, SendsAsUs, TALLIES, TLS, TlsReported, all};
use crate::world::tally::{DomainDay, PREFIX};

/// Rows of each table that are told.
const ROWS_MAX: usize = 10_000;

/// `POST /reports`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportsOf {}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// By domain of ours and address, those first that send most in our name without showing it.
    pub sends_as_us: Vec<Sender>,
    /// Newest first.
    pub tls: Vec<Tls>,
    /// What came in, newest day first.
    pub counted: Vec<CountedFor>,
    /// TLS towards others, newest day first.
    pub tls_to_others: Vec<TlsTo>,
}

/// How TLS went with a domain on a day (RFC 8460 4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsTo {
    pub day: String,
    pub domain: String,
    #[serde(flatten)]
    pub of: DomainDay,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    pub domain: String,
    pub address: String,
    #[serde(flatten)]
    pub said: SendsAsUs,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    pub day: String,
    pub organisation: String,
    #[serde(flatten)]
    pub said: TlsReported,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedFor {
    pub day: String,
    pub domain: String,
    pub messages: u64,
    pub aligned: u64,
    /// The report is on its way, or there is nobody to send it to.
    pub sent: bool,
}

impl Operation for ReportsOf {
    type Response = Reported;
    const PATH: &'static str = "/reports";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::SeeReports
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Reported, OperateError> {
        let mut reported = Reported::default();
        for (domain, address, said) in rows::<SendsAsUs>(context, SENDERS)? {
            reported.sends_as_us.push(Sender { domain, address, said });
        }
        reported.sends_as_us.sort_by_key(|sender| std::cmp::Reverse((sender.said.not_aligned, sender.said.aligned)));
        for (day, organisation, said) in rows::<TlsReported>(context, TLS)? {
            reported.tls.push(Tls { day, organisation, said });
        }
        reported.tls.reverse();
        for (day, domain, of) in rows::<OfDomain>(context, TALLIES)? {
            reported.counted.push(counted(day, domain, &of));
        }
        reported.counted.reverse();
        for (day, domain, of) in rows::<DomainDay>(context, PREFIX)? {
            reported.tls_to_others.push(TlsTo { day, domain, of });
        }
        reported.tls_to_others.reverse();
        Ok(reported)
    }
}

fn counted(day: String, domain: String, of: &OfDomain) -> CountedFor {
    let sum = |which: fn(bool) -> bool| -> u64 {
        let rows = of.rows.iter().filter(|(row, _)| which(row.dkim_aligned || row.spf_aligned));
        rows.map(|(_, count)| u64::from(*count)).sum()
    };
    let messages = sum(|_| true) + u64::from(of.untold);
    CountedFor { day, domain, messages, aligned: sum(|aligned| aligned), sent: of.sent }
}

/// Settings `PREFIX one/two` with their values; what this build cannot read is left out.
fn rows<T: serde::de::DeserializeOwned>(
    context: &Context,
    prefix: &str,
) -> Result<Vec<(String, String, T)>, OperateError> {
    context.go_on()?;
    let row = |(key, value): (String, Vec<u8>)| {
        let (one, two) = key.strip_prefix(prefix)?.split_once('/')?;
        Some((one.to_owned(), two.to_owned(), serde_json::from_slice(&value).ok()?))
    };
    Ok(all(&context.store, prefix, ROWS_MAX)?.into_iter().filter_map(row).collect())
}
