//! Answers of DNS without records, kept as long as their zone says (RFC 2308 5), bounded.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_resolver::net::DnsError;
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, Record, RecordType};

use super::resolver::{Answers, Fault};

/// Answers kept.
const KEPT_MAX: usize = 20_000;
/// No answer is kept for longer (RFC 2308 5 says one to three hours).
const TTL_MAX_S: u32 = 3_600;

/// What is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// The name is there, and has no such records.
    Records {
        secure: bool,
    },
    Name,
}

/// Names and types without records.
#[derive(Default)]
pub struct Absent {
    kept: Mutex<HashMap<(String, RecordType), (Nothing, Instant)>>,
}

impl Nothing {
    /// What an answer without records means, and how long it is believed.
    pub fn read(error: DnsError) -> Result<(Nothing, Duration), Fault> {
        let (code, secure, ttl) = match &error {
            DnsError::NoRecordsFound(found) => {
                let records = found.authorities.as_deref().unwrap_or_default();
                let mut signed = records.iter().filter(|record| record.record_type() != RecordType::RRSIG).peekable();
                let secure = signed.peek().is_some() && signed.all(|record| record.proof == Proof::Secure);
                (found.response_code, secure, ttl(records))
            }
            DnsError::Nsec { proof: Proof::Bogus, .. } | DnsError::DnssecBogus => return Err(Fault::Bogus),
            DnsError::Nsec { response, proof, .. } => {
                (response.response_code, *proof == Proof::Secure, ttl(&response.authorities))
            }
            DnsError::ResponseCode(code) => (*code, false, Duration::ZERO),
            _ => return Err(Fault::Trouble(error.to_string())),
        };
        match code {
            ResponseCode::NoError => Ok((Nothing::Records { secure }, ttl)),
            ResponseCode::NXDomain => Ok((Nothing::Name, ttl)),
            code => Err(Fault::Trouble(format!("the name server says {code}"))),
        }
    }

    pub fn told<T>(self, name: &str) -> Result<Answers<T>, Fault> {
        match self {
            Nothing::Records { secure } => Ok(Answers { records: Vec::new(), secure, name: name.to_ascii_lowercase() }),
            Nothing::Name => Err(Fault::NoName),
        }
    }
}

/// RFC 2308 5: the lesser of the SOA's own TTL and its MINIMUM.
fn ttl(authorities: &[Record]) -> Duration {
    let soa = authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.minimum.min(record.ttl)),
        _ => None,
    });
    Duration::from_secs(soa.unwrap_or(0).min(TTL_MAX_S).into())
}

impl Absent {
    pub fn get(&self, name: &str, kind: RecordType) -> Option<Nothing> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (nothing, until) = kept.get(&(name.to_ascii_lowercase(), kind))?;
        (*until > Instant::now()).then_some(*nothing)
    }

    pub fn keep(&self, name: &str, kind: RecordType, nothing: Nothing, ttl: Duration) {
        if ttl.is_zero() {
            return;
        }
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, (_, until)| *until > now);
        }
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert((name.to_ascii_lowercase(), kind), (nothing, now + ttl));
    }
}
