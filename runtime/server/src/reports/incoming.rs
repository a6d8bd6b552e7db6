//! Reports of others about us (RFC 7489 7.2, RFC 8460): read when they come to `dmarc-reports@` or `tls-reports@` our
//! domain, and summed up. The mail itself goes where the address leads, read or not.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use mail::{Address, Domain};
use mail_auth::report::tlsrpt::TlsReport;
use mail_auth::report::{DmarcResult, Report};
use serde::{Deserialize, Serialize};
use store::Op;

use super::{SENDERS, TLS, all};
use crate::authenticate::{Checked, Results};
use crate::content::Content;
use crate::durable;
use crate::service::Service;

/// Octets of a mail with a report, and of a report unpacked.
const MAIL_OCTETS_MAX: u64 = 10 << 20;
const REPORT_OCTETS_MAX: usize = 50 << 20;
/// Rows of each table; once it is full only rows that are there are counted on.
const ROWS_MAX: usize = 10_000;
/// Rows of one report that are read.
const REPORT_ROWS_MAX: usize = 10_000;

/// What reports say of one address that sends mail in the name of a domain of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendsAsUs {
    /// Messages that SPF or DKIM showed to be ours, and others.
    pub aligned: u64,
    pub not_aligned: u64,
    /// The last day of the newest report, `YYYY-MM-DD`, and who sent it.
    pub last_day: String,
    pub reported_by: String,
}

/// What one organisation says of its connections to us on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsReported {
    pub successful: u64,
    pub failed: u64,
}

/// Reads a report among the mail just delivered, in the background, one at a time: one that comes while another is read is
/// delivered and not summed up. A report whose own sender is not authenticated says nothing.
pub fn take(service: &Arc<Service>, to: &[&Address], content: &Arc<Content>, results: &Results) {
    let ours = &service.tables.plan().institution.domain;
    let addressed =
        |local: &str| to.iter().any(|address| address.domain() == ours && address.local().eq_ignore_ascii_case(local));
    let (dmarc, tls) = (addressed("dmarc-reports"), addressed("tls-reports"));
    if !(dmarc || tls) || results.dmarc.result != Checked::Pass || content.len() > MAIL_OCTETS_MAX {
        return;
    }
    let Ok(permit) = service.report_reader.clone().try_acquire_owned() else { return };
    let (service, content) = (service.clone(), content.clone());
    tokio::spawn(async move {
        let reader = service.clone();
        let read = durable::blocking(move || read(&reader, &content, dmarc)).await;
        match read {
            Some(Ok(0)) | None => {}
            Some(Ok(rows)) => tracing::info!(rows, "a report about us was read"),
            Some(Err(why)) => tracing::info!("a report about us cannot be read: {why}"),
        }
        drop(permit);
    });
}

/// How many rows of the tables changed.
fn read(service: &Service, content: &Content, dmarc: bool) -> Result<usize, String> {
    let mail = content.start(MAIL_OCTETS_MAX as usize).map_err(|error| error.to_string())?;
    let ops = if dmarc {
        let report = Report::parse_rfc5322(&mail, REPORT_OCTETS_MAX).map_err(|error| format!("{error:?}"))?;
        let kept = all(&service.store, SENDERS, ROWS_MAX).map_err(|error| error.to_string())?;
        senders(&report, |domain| service.tables.domain(domain) != decide::DomainKind::NotOurs, kept)
    } else {
        let report = TlsReport::parse_rfc5322(&mail, REPORT_OCTETS_MAX).map_err(|error| format!("{error:?}"))?;
        let kept = all(&service.store, TLS, ROWS_MAX).map_err(|error| error.to_string())?;
        tls(&report, |domain| service.tables.domain(domain) != decide::DomainKind::NotOurs, kept)
    };
    let rows = ops.len();
    for slice in ops.chunks(100) {
        service.store.commit_wait(slice.to_vec()).map_err(|error| error.to_string())?;
    }
    Ok(rows)
}

type Kept = Vec<(String, Vec<u8>)>;

fn senders(report: &Report, is_ours: impl Fn(&Domain) -> bool, kept: Kept) -> Vec<Op> {
    let full = kept.len() >= ROWS_MAX;
    let known: BTreeMap<String, Vec<u8>> = kept.into_iter().collect();
    let mut rows: BTreeMap<String, SendsAsUs> = BTreeMap::new();
    for record in report.records().iter().take(REPORT_ROWS_MAX) {
        let Some(address) = record.row.source_ip.map(|address: IpAddr| address.to_canonical()) else { continue };
        let named =
            if record.identifiers.header_from.is_empty() { report.domain() } else { &record.identifiers.header_from };
        let Ok(domain) = named.parse::<Domain>() else { continue };
        let key = format!("{SENDERS}{domain}/{address}");
        if !is_ours(&domain) || (full && !known.contains_key(&key)) {
            continue;
        }
        let row = rows.entry(key).or_insert_with_key(|key| {
            known.get(key).and_then(|octets| serde_json::from_slice(octets).ok()).unwrap_or_default()
        });
        let passed = |result: DmarcResult| result == DmarcResult::Pass;
        let evaluated = &record.row.policy_evaluated;
        let aligned = passed(evaluated.dkim) || passed(evaluated.spf);
        let count = if aligned { &mut row.aligned } else { &mut row.not_aligned };
        *count = count.saturating_add(u64::from(record.row.count));
        row.last_day = row.last_day.clone().max(day_of(report.date_range_end()));
        row.reported_by = plain(report.org_name());
    }
    ops(rows)
}

fn tls(report: &TlsReport, is_ours: impl Fn(&Domain) -> bool, kept: Kept) -> Vec<Op> {
    let full = kept.len() >= ROWS_MAX;
    let known: BTreeMap<String, Vec<u8>> = kept.into_iter().collect();
    let day = &report.date_range.end_datetime.to_rfc3339();
    let day = day.get(..10).unwrap_or_default();
    let organisation = plain(report.organization_name.as_deref().unwrap_or("unknown"));
    let key = format!("{TLS}{day}/{organisation}");
    if full && !known.contains_key(&key) {
        return Vec::new();
    }
    let mut row: TlsReported =
        known.get(&key).and_then(|octets| serde_json::from_slice(octets).ok()).unwrap_or_default();
    let mut about_us = false;
    for policy in report.policies.iter().take(REPORT_ROWS_MAX) {
        if policy.policy.policy_domain.parse::<Domain>().is_ok_and(|domain| is_ours(&domain)) {
            about_us = true;
            row.successful = row.successful.saturating_add(u64::from(policy.summary.total_success));
            row.failed = row.failed.saturating_add(u64::from(policy.summary.total_failure));
        }
    }
    if about_us { ops(BTreeMap::from([(key, row)])) } else { Vec::new() }
}

fn ops<R: Serialize>(rows: BTreeMap<String, R>) -> Vec<Op> {
    let op = |(key, row)| Some(Op::Setting { key, value: Some(serde_json::to_vec(&row).ok()?) });
    rows.into_iter().filter_map(op).collect()
}

fn day_of(at_s: u64) -> String {
    let at = i64::try_from(at_s).ok().and_then(|at_s| jiff::Timestamp::from_second(at_s).ok()).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// A name somebody else wrote, for a table.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_control() && *c != '/').take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::tests::unpacked;

    fn report(rows: &[(&str, &str, u32, &str)]) -> Report {
        let record = |(from, source, count, spf): &(&str, &str, u32, &str)| {
            format!(
                "<record><row><source_ip>{source}</source_ip><count>{count}</count><policy_evaluated>\
                 <disposition>none</disposition><dkim>fail</dkim><spf>{spf}</spf></policy_evaluated></row>\
                 <identifiers><header_from>{from}</header_from></identifiers><auth_results/></record>"
            )
        };
        let records: String = rows.iter().map(record).collect();
        let xml = format!(
            "<feedback><report_metadata><org_name>mail/er\u{7}</org_name><date_range><begin>0</begin>\
             <end>86400</end></date_range></report_metadata><policy_published><domain>ours.example</domain>\
             </policy_published>{records}</feedback>"
        );
        Report::parse_xml(xml.as_bytes()).unwrap()
    }

    fn is_ours(domain: &Domain) -> bool {
        domain.as_str() == "ours.example"
    }

    fn rows(ops: &[Op]) -> Vec<(String, SendsAsUs)> {
        let row = |op: &Op| match op {
            Op::Setting { key, value: Some(value) } => (key.clone(), serde_json::from_slice(value).unwrap()),
            other => panic!("{other:?}"),
        };
        ops.iter().map(row).collect()
    }

    #[test]
    fn who_sends_as_us_is_summed_up_over_reports() {
        let first = report(&[
            ("ours.example", "192.0.2.1", 3, "pass"),
            ("ours.example", "192.0.2.1", 2, "fail"),
            ("other.example", "192.0.2.2", 9, "pass"),
        ]);
        let ops = senders(&first, is_ours, Vec::new());
        let [(key, row)] = &rows(&ops)[..] else { panic!("{ops:?}") };
        assert_eq!(key, "sends-as-us/ours.example/192.0.2.1");
        assert_eq!((row.aligned, row.not_aligned, row.last_day.as_str()), (3, 2, "1970-01-02"));
        assert_eq!(row.reported_by, "mailer");
        let kept = vec![(key.clone(), serde_json::to_vec(row).unwrap())];
        assert_eq!(rows(&senders(&first, is_ours, kept))[0].1.aligned, 6);
    }

    #[test]
    fn a_full_table_takes_no_new_rows() {
        let kept: Kept = (0..ROWS_MAX).map(|n| (format!("sends-as-us/ours.example/{n}"), Vec::new())).collect();
        let one = report(&[("ours.example", "192.0.2.1", 3, "pass")]);
        assert!(senders(&one, is_ours, kept).is_empty());
    }

    /// The rows a report of the corpus gives, every domain being ours.
    fn read_rows(path: &str, octets: &[u8]) -> Result<usize, String> {
        let report = match path.rsplit_once('.') {
            Some((_, "eml")) => {
                Report::parse_rfc5322(octets, REPORT_OCTETS_MAX).map_err(|error| format!("{error:?}"))?
            }
            _ => Report::parse_xml(octets)?,
        };
        Ok(senders(&report, |_| true, Vec::new()).len())
    }

    #[test]
    fn reports_as_large_providers_send_them_are_read() {
        let Some(mut files) = unpacked("parsedmarc-samples") else { return };
        files.extend(unpacked("mail-auth-resources").unwrap_or_default());
        let mut read = 0;
        for (path, octets) in &files {
            let aggregate = path.contains("/aggregate/") || path.contains("/dmarc-feedback/");
            if !aggregate || !(path.ends_with(".xml") || path.ends_with(".eml")) {
                continue;
            }
            match read_rows(path, octets) {
                Ok(rows) => assert!(rows > 0, "{path}"),
                Err(why) => assert!(path.contains("invalid"), "{path}: {why}"),
            }
            read += 1;
        }
        assert!(read >= 8, "{read} reports");
        let mail = &files["mail-auth-resources/tlsrpt/rpt02.eml"];
        let report = TlsReport::parse_rfc5322(mail, REPORT_OCTETS_MAX).unwrap();
        let [Op::Setting { key, value: Some(value) }] = &tls(&report, |_| true, Vec::new())[..] else {
            panic!("{report:?}")
        };
        assert_eq!(key, "tls-reports/2020-01-07/Google Inc.");
        let row: TlsReported = serde_json::from_slice(value).unwrap();
        assert!(row.successful + row.failed > 0, "{row:?}");
        assert!(tls(&report, |_| false, Vec::new()).is_empty());
    }
}
