//! Does the domain in header From stand behind the message (DMARC, RFC 7489)?

use decide::{Alignment, Division, PublicSuffixes};
use mail::Domain;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::dmarc::{self, Dmarc as Record, Policy};

use super::resolver::Resolver;
use super::results::{Checked, Dmarc, Signature};
use super::spf::SpfResult;

/// What SPF and DKIM found.
pub struct Found<'a> {
    pub spf: SpfResult,
    /// The domain SPF was asked about: of MAIL FROM, or the HELO name.
    pub spf_domain: &'a str,
    pub dkim: &'a [Signature],
}

/// The domain under which an owner registered: public suffix and one label (RFC 7489 3.2). A public suffix is its own.
pub fn organisational(domain: &Domain) -> String {
    let list = PublicSuffixes::pinned();
    let suffix = list.suffix_of(domain, Division::Private);
    match (list.registered_label(domain, Division::Private), suffix) {
        (Some(label), Some(suffix)) => format!("{label}.{suffix}"),
        _ => domain.to_string(),
    }
}

/// Judges the author domain `from`.
pub async fn check(resolver: &Resolver, from: &Domain, found: &Found<'_>) -> Dmarc {
    let looked_up = record(resolver, from).await;
    let (record, unknown) = match looked_up {
        Ok(record) => (record, false),
        Err(_) => (None, true),
    };
    let [dkim, spf] = alignments(from, found, record.as_ref().map(|(_, record)| record));
    let aligned = dkim.min(spf);
    let result = match (&record, aligned) {
        _ if unknown => Checked::TempError,
        (None, _) => Checked::None,
        (Some(_), Alignment::Aligned) => Checked::Pass,
        (Some(_), Alignment::Unknown) => Checked::TempError,
        (Some(_), Alignment::NotAligned) => Checked::Fail,
    };
    let policy = record.as_ref().map(|(at, record)| policy(*at == *from, record));
    Dmarc { result, from: Some(from.clone()), dkim, spf, policy, record }
}

/// Without any question: what can be said of alignment when the record is not known.
pub fn out_of_time(from: &Domain, found: &Found<'_>) -> Dmarc {
    let [dkim, spf] = alignments(from, found, None);
    Dmarc { result: Checked::TempError, from: Some(from.clone()), dkim, spf, policy: None, record: None }
}

/// RFC 7489 6.6.3: the record of the domain, else of the organisational domain, and where it stands.
async fn record(resolver: &Resolver, from: &Domain) -> Result<Option<(Domain, Record)>, super::resolver::NoAnswer> {
    let organisation = organisational(from).parse::<Domain>().ok().filter(|organisation| organisation != from);
    for domain in [Some(from.clone()), organisation].into_iter().flatten() {
        let mut records = resolver.txt(&format!("_dmarc.{domain}")).await?;
        records.retain(|record| record.starts_with(b"v=DMARC1"));
        match records.as_slice() {
            [] => {}
            [only] => return Ok(usable(only).map(|record| (domain, record))),
            // More than one: as if there were none.
            [_, _, ..] => return Ok(None),
        }
    }
    Ok(None)
}

/// A record without a usable policy counts as `none` when it asks for reports, else as no record (RFC 7489 6.6.3).
fn usable(text: &[u8]) -> Option<Record> {
    let mut record = Record::parse(text).ok()?;
    if record.p == Policy::Unspecified {
        if record.rua.is_empty() {
            return None;
        }
        record.p = Policy::None;
    }
    Some(record)
}

fn policy(own: bool, record: &Record) -> Policy {
    let policy = if own { record.p } else { record.sp };
    if policy == Policy::Unspecified { record.p } else { policy }
}

/// Do the identifiers that DKIM and SPF authenticated agree with `from`? Relaxed where no record says how.
fn alignments(from: &Domain, found: &Found<'_>, record: Option<&Record>) -> [Alignment; 2] {
    let organisation = organisational(from);
    let strict = |mode: Option<&dmarc::Alignment>| mode == Some(&dmarc::Alignment::Strict);
    let (strict_spf, strict_dkim) = (strict(record.map(|r| &r.aspf)), strict(record.map(|r| &r.adkim)));
    let agrees = |name: &str, strict: bool| {
        let Ok(domain) = name.parse::<Domain>() else { return false };
        domain == *from || (!strict && !domain.is_literal() && organisational(&domain) == organisation)
    };
    let spf = match found.spf {
        SpfResult::Pass => Some(Alignment::Aligned),
        SpfResult::TempError => Some(Alignment::Unknown),
        _ => None,
    };
    let spf = spf.filter(|_| agrees(found.spf_domain, strict_spf));
    let dkim = found.dkim.iter().filter_map(|signature| match signature.result {
        Checked::Pass => Some(Alignment::Aligned).filter(|_| agrees(&signature.domain, strict_dkim)),
        Checked::TempError => Some(Alignment::Unknown).filter(|_| agrees(&signature.domain, strict_dkim)),
        _ => None,
    });
    [dkim.min().unwrap_or(Alignment::NotAligned), spf.unwrap_or(Alignment::NotAligned)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alignment(from: &Domain, found: &Found<'_>, record: Option<&Record>) -> Alignment {
        let [dkim, spf] = alignments(from, found, record);
        dkim.min(spf)
    }

    fn signed(domain: &str, result: Checked) -> Signature {
        Signature { domain: domain.to_owned(), ..Signature::unknown(result, "") }
    }

    #[test]
    fn one_identifier_that_agrees_is_enough() {
        let from: Domain = "mail.example.co.uk".parse().unwrap();
        for (spf, spf_domain, dkim, aligned) in [
            (SpfResult::Pass, "example.co.uk", vec![], Alignment::Aligned),
            (SpfResult::Pass, "co.uk", vec![], Alignment::NotAligned),
            (SpfResult::Pass, "other.co.uk", vec![signed("other.co.uk", Checked::Pass)], Alignment::NotAligned),
            (SpfResult::Fail, "example.co.uk", vec![signed("example.co.uk", Checked::Pass)], Alignment::Aligned),
            (SpfResult::Fail, "example.co.uk", vec![signed("example.co.uk", Checked::Fail)], Alignment::NotAligned),
            (SpfResult::TempError, "example.co.uk", vec![], Alignment::Unknown),
            (SpfResult::None, "", vec![signed("x.example.co.uk", Checked::TempError)], Alignment::Unknown),
            (SpfResult::TempError, "other.org", vec![], Alignment::NotAligned),
        ] {
            let found = Found { spf, spf_domain, dkim: &dkim };
            assert_eq!(alignment(&from, &found, None), aligned, "{spf:?} {spf_domain} {dkim:?}");
        }
    }

    #[test]
    fn a_strict_record_wants_the_very_domain() {
        let from: Domain = "mail.example.org".parse().unwrap();
        let record = Record::parse(b"v=DMARC1; p=reject; aspf=s; adkim=s").unwrap();
        let found = Found { spf: SpfResult::Pass, spf_domain: "example.org", dkim: &[] };
        assert_eq!(alignment(&from, &found, Some(&record)), Alignment::NotAligned);
        let found = Found { spf: SpfResult::Pass, spf_domain: "mail.example.org", dkim: &[] };
        assert_eq!(alignment(&from, &found, Some(&record)), Alignment::Aligned);
    }

    #[test]
    fn records_are_usable_or_none_at_all() {
        for (text, p) in [
            ("v=DMARC1; p=none", Some(Policy::None)),
            ("v=DMARC1; p=reject; rua=mailto:a@b.example", Some(Policy::Reject)),
            ("v=DMARC1; rua=mailto:a@b.example", Some(Policy::None)),
            ("v=DMARC1", None),
        ] {
            assert_eq!(usable(text.as_bytes()).map(|record| record.p), p, "{text}");
        }
    }
}
