//! Aggregate reports for those who asked for them in DNS (RFC 7489 7.2, RFC 9990).

use std::io::Write as _;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use mail::{Address, Domain, ReversePath};
use mail_auth::flate2::Compression;
use mail_auth::flate2::write::GzEncoder;
use mail_auth::report::{
    ActionDisposition, Alignment, AuthResult, DKIMAuthResult, Disposition, DkimResult, DmarcResult, Identifier,
    PolicyEvaluated, Record, Report, Row, SPFAuthResult, SPFDomainScope, SpfResult,
};
use mail_builder::MessageBuilder;
use mail_builder::headers::date::Date as DateField;
use mail_builder::headers::raw::Raw;
use store::{Enqueue, Op, QueueId, QueueRecipient, RecordEnvelope};

use super::{OfDomain, TALLIES, all, day};
use crate::authenticate::organisational;
use crate::service::Service;
use crate::{clock, durable, random};

/// Addresses one domain has reports sent to.
pub const RECIPIENTS_MAX: usize = 5;
/// Reports written in one go.
const REPORTS_MAX: usize = 10_000;

/// Sends what is owed for days gone by. What cannot be sent now is owed still.
pub async fn send(service: &Arc<Service>) {
    let store = service.store.clone();
    let Some(Ok(kept)) = durable::blocking(move || all(&store, TALLIES, REPORTS_MAX)).await else {
        return tracing::error!("the tallies cannot be read");
    };
    let today = day(0);
    for (key, value) in kept {
        let Some((day, domain)) = key.strip_prefix(TALLIES).and_then(|rest| rest.split_once('/')) else { continue };
        let Ok(of) = serde_json::from_slice::<OfDomain>(&value) else { continue };
        if day >= today.as_str() || of.sent {
            continue;
        }
        let Ok(about) = domain.parse::<Domain>() else { continue };
        let Some(recipients) = recipients(service, &about, &of).await else { continue };
        if let Err(error) = send_one(service, &key, day, &about, of, recipients).await {
            tracing::error!(domain, day, "the report was not sent: {error}");
        }
    }
}

/// Who gets the report: addresses of the domain's own organisation, and such as say in DNS that they take it (RFC 7489
/// 7.1). `None` when DNS does not answer now.
async fn recipients(service: &Service, about: &Domain, of: &OfDomain) -> Option<Vec<Address>> {
    let mut recipients = Vec::new();
    for address in of.published.reports_to.iter().take(RECIPIENTS_MAX) {
        let Ok(address) = address.trim_start_matches("mailto:").parse::<Address>() else { continue };
        let own = organisational(address.domain()) == organisational(about);
        if own || agreed(service, about, address.domain()).await? {
            recipients.push(address);
        }
    }
    Some(recipients)
}

async fn agreed(service: &Service, about: &Domain, destination: &Domain) -> Option<bool> {
    let resolver = service.resolver.as_ref()?;
    let records = resolver.txt(&format!("{about}._report._dmarc.{destination}")).await.ok()?;
    Some(records.iter().any(|record| record.starts_with(b"v=DMARC1")))
}

/// Writes one report; that it is sent is in the same commit as its place in the spool.
async fn send_one(
    service: &Arc<Service>,
    key: &str,
    day: &str,
    about: &Domain,
    mut of: OfDomain,
    recipients: Vec<Address>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut ops = Vec::new();
    let queue_id = QueueId(random::timed_id(clock::unix_ms()));
    if !recipients.is_empty() {
        let message = message(service, queue_id, day, about, &of, &recipients)?;
        let envelope = RecordEnvelope {
            delivery_id: queue_id.0,
            reverse_path: Some(ReversePath::Null),
            recipients: recipients.clone(),
            accepted_at_s: clock::unix_s(),
        };
        let store = service.store.clone();
        let put = durable::blocking(move || store.put_body_for(&envelope, &[], &[&message])).await;
        let body = put.ok_or("the store was not asked")??;
        ops.push(Op::Enqueue(Box::new(Enqueue {
            queue_id,
            body,
            reverse_path: ReversePath::Null,
            recipients: recipients.into_iter().map(due).collect(),
            plan: service.plan_full.clone(),
            accepted_at_s: clock::unix_s(),
            facts: Vec::new(),
        })));
    }
    let sent = ops.len();
    of.sent = true;
    ops.push(Op::Setting { key: key.to_owned(), value: Some(serde_json::to_vec(&of)?) });
    durable::commit(&service.store, ops).await?;
    if sent > 0 {
        service.spool.arrived(queue_id);
        tracing::info!(domain = %about, day, queue_id = %queue_id, "an aggregate report is on its way");
    }
    Ok(())
}

fn due(forward_path: Address) -> QueueRecipient {
    QueueRecipient {
        forward_path,
        next_hop: queue::Route::Remote.next_hop(),
        due_at_s: clock::unix_s(),
        facts: Vec::new(),
    }
}

/// The mail with the report (RFC 7489 7.2.1.1).
fn message(
    service: &Service,
    queue_id: QueueId,
    day: &str,
    about: &Domain,
    of: &OfDomain,
    recipients: &[Address],
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let institution = &service.tables.plan().institution;
    let us = institution.domain.as_str();
    let begin_s = day.parse::<Date>()?.to_zoned(TimeZone::UTC)?.timestamp().as_second();
    let end_s = begin_s + 86_399;
    let id = queue_id.to_string();
    let report = report(&institution.name, us, &id, (begin_s, end_s), about, of);
    let mut zip = GzEncoder::new(Vec::new(), Compression::default());
    zip.write_all(report.to_xml().as_bytes())?;
    let name = format!("{us}!{about}!{begin_s}!{end_s}!{id}.xml.gz");
    let to = recipients.iter().map(Address::to_string).collect::<Vec<_>>().join(", ");
    let message = MessageBuilder::new()
        .from(format!("postmaster@{us}"))
        .header("To", Raw::new(to))
        .date(DateField::new(clock::unix_s()))
        .message_id(format!("{id}@{us}"))
        .subject(format!("Report Domain: {about} Submitter: {us} Report-ID: <{id}>"))
        .header("Auto-Submitted", Raw::new("auto-generated"))
        .text_body(format!("DMARC aggregate report about {about} of {day}, from {us}.\r\n"))
        .attachment("application/gzip", name, zip.finish()?);
    Ok(message.write_to_vec()?)
}

fn report(organisation: &str, us: &str, id: &str, range: (i64, i64), about: &Domain, of: &OfDomain) -> Report {
    let disposition = |word: &str| match word {
        "reject" => Disposition::Reject,
        "quarantine" => Disposition::Quarantine,
        _ => Disposition::None,
    };
    let mode = |strict| if strict { Alignment::Strict } else { Alignment::Relaxed };
    let seconds = |at_s: i64| u64::try_from(at_s).unwrap_or(0);
    let mut report = Report::new()
        .with_version(1.0)
        .with_org_name(organisation)
        .with_email(format!("postmaster@{us}"))
        .with_report_id(id)
        .with_date_range_begin(seconds(range.0))
        .with_date_range_end(seconds(range.1))
        .with_domain(about.as_str())
        .with_adkim(mode(of.published.strict_dkim))
        .with_aspf(mode(of.published.strict_spf))
        .with_p(disposition(&of.published.p))
        .with_sp(disposition(&of.published.sp));
    if of.untold > 0 {
        report = report.with_error(format!("{} messages more, from too many sources to tell", of.untold));
    }
    of.rows.iter().for_each(|(row, count)| report.add_record(record(row, *count)));
    report
}

fn record(row: &super::tally::Row, count: u32) -> Record {
    let passed = |aligned| if aligned { DmarcResult::Pass } else { DmarcResult::Fail };
    let dkim = row.dkim.iter().map(|(domain, selector, result)| DKIMAuthResult {
        domain: domain.clone(),
        selector: selector.clone(),
        result: match result.as_str() {
            "pass" => DkimResult::Pass,
            "fail" => DkimResult::Fail,
            "neutral" => DkimResult::Neutral,
            "temperror" => DkimResult::TempError,
            "permerror" => DkimResult::PermError,
            _ => DkimResult::None,
        },
        human_result: None,
    });
    let spf = SPFAuthResult {
        domain: row.spf_domain.clone(),
        scope: SPFDomainScope::MailFrom,
        result: match row.spf.as_str() {
            "pass" => SpfResult::Pass,
            "fail" => SpfResult::Fail,
            "softfail" => SpfResult::SoftFail,
            "neutral" => SpfResult::Neutral,
            "temperror" => SpfResult::TempError,
            "permerror" => SpfResult::PermError,
            _ => SpfResult::None,
        },
        human_result: None,
    };
    Record {
        row: Row {
            source_ip: Some(row.source),
            count,
            policy_evaluated: PolicyEvaluated {
                disposition: if row.refused { ActionDisposition::Reject } else { ActionDisposition::None },
                dkim: passed(row.dkim_aligned),
                spf: passed(row.spf_aligned),
                reason: Vec::new(),
            },
        },
        identifiers: Identifier {
            envelope_to: None,
            envelope_from: row.envelope_from.clone(),
            header_from: row.header_from.clone(),
        },
        auth_results: AuthResult { dkim: dkim.collect(), spf: vec![spf] },
        extensions: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::{OfDomain, Published, Row};
    use super::*;

    #[test]
    fn a_report_says_what_was_counted() {
        let row = Row {
            source: "192.0.2.1".parse().unwrap(),
            header_from: "example.org".to_owned(),
            envelope_from: "a<b&.example".to_owned(),
            spf: "softfail".to_owned(),
            spf_domain: "a<b&.example".to_owned(),
            dkim: vec![("example.org".to_owned(), "s".to_owned(), "pass".to_owned())],
            dkim_aligned: true,
            spf_aligned: false,
            refused: false,
        };
        let published = Published { p: "quarantine".to_owned(), ..Published::default() };
        let of = OfDomain { published, rows: vec![(row, 7)], ..OfDomain::default() };
        let about = "example.org".parse().unwrap();
        let xml = report("We & Co", "us.example", "id", (1, 2), &about, &of).to_xml();
        let read = Report::parse_xml(xml.as_bytes()).unwrap();
        assert_eq!((read.domain(), read.p()), ("example.org", Disposition::Quarantine));
        let [record] = read.records() else { panic!("{xml}") };
        assert_eq!((record.row.count, record.row.policy_evaluated.dkim), (7, DmarcResult::Pass));
        assert_eq!(record.auth_results.spf[0].result, SpfResult::SoftFail);
        for text in ["<org_name>We &amp; Co<", "<envelope_from>a&lt;b&amp;.example<"] {
            assert!(xml.contains(text), "{text} in {xml}");
        }
    }
}
