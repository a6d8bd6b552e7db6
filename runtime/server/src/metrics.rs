//! All metrics of the server in one list, each with its type and a sentence of help. Labels come from closed lists:
//! reasons, and the names and rules of the plan that runs.

use std::fmt::Write as _;
use std::panic::PanicHookInfo;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use decide::Reason;
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};
use store::MetricsNow;

/// Panics of this process, whichever task they happened in.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// Bounds of totals of spam passes, in points.
const POINTS: [f64; 15] = [-20.0, -10.0, -5.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0];
/// Bounds of what a pass takes, in seconds: those of ours take less than a millisecond, others are asked over a network.
const PASS_SECONDS: [f64; 10] = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.5, 2.0, 10.0];

macro_rules! metrics {
    ($($kind:ident $field:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        /// The server's own counters and gauges.
        pub struct Metrics {
            registry: Registry,
            $(pub $field: metrics!(@type $kind),)*
        }

        impl Metrics {
            fn registered() -> Result<Metrics, prometheus::Error> {
                let registry = Registry::new();
                $(
                    let $field = metrics!(@new $kind $name [$($label),*] $help)?;
                    registry.register(Box::new($field.clone()))?;
                )*
                Ok(Metrics { registry, $($field,)* })
            }
        }
    };
    (@type counter) => { IntCounter };
    (@type counters) => { IntCounterVec };
    (@type gauge) => { IntGauge };
    (@type gauges) => { IntGaugeVec };
    (@type points) => { Histogram };
    (@type seconds) => { HistogramVec };
    (@new counter $name:literal [] $help:literal) => { IntCounter::new($name, $help) };
    (@new gauge $name:literal [] $help:literal) => { IntGauge::new($name, $help) };
    (@new counters $name:literal [$($label:literal),*] $help:literal) => {
        IntCounterVec::new(Opts::new($name, $help), &[$($label),*])
    };
    (@new gauges $name:literal [$($label:literal),*] $help:literal) => {
        IntGaugeVec::new(Opts::new($name, $help), &[$($label),*])
    };
    (@new points $name:literal [] $help:literal) => {
        Histogram::with_opts(HistogramOpts::new($name, $help).buckets(POINTS.to_vec()))
    };
    (@new seconds $name:literal [$($label:literal),*] $help:literal) => {
        HistogramVec::new(HistogramOpts::new($name, $help).buckets(PASS_SECONDS.to_vec()), &[$($label),*])
    };
}

metrics! {
    gauges plan "mail_plan_info" ["plan", "serial", "state"] "The plan being served, by its short hash and serial, confirmed or on trial; always 1.";
    counters rollbacks "mail_plan_rollbacks_total" ["cause"] "Plans that were taken back, by what did it.";
    counters connections "facteur_connections_total" ["listener", "class"] "Connections accepted by a listener, by client class.";
    gauges connections_open "facteur_connections_open" ["listener"] "Connections open now.";
    counter accept_errors "facteur_accept_errors_total" [] "Times the kernel would not give us a connection.";
    counter handshakes_failed "facteur_tls_handshakes_failed_total" [] "TLS handshakes that did not end well.";
    counters authentication "facteur_authentication_total" ["method", "result"] "Results of SPF, DKIM and DMARC on mail that came in.";
    counters logins "facteur_logins_total" ["result"] "Checks of a password: good, failed, later.";
    counters password_checks "facteur_password_checks_total" ["how"] "Checks of a password by what answered them: remembered, shared (another connection's hash), hashed, app_password, shed.";
    gauge logins_waiting "facteur_logins_waiting" [] "Logins that wait for their password to be hashed.";
    gauge logins_kept "facteur_logins_kept" [] "Logins that succeeded and would not be hashed after a restart.";
    counters portal_requests "facteur_portal_requests_total" ["route", "code"] "Requests to the portal by the page they matched and by the code of the answer.";
    counters compromise_cases "facteur_compromise_cases_total" ["detector"] "Times a detector of the policy went off for an account.";
    counters accepted "facteur_messages_accepted_total" ["direction"] "Messages answered with 250.";
    counters refusals "facteur_refusals_total" ["reason", "rule"] "Refusals by reason and by the rule of the plan that caused them.";
    counter quarantined "facteur_quarantined_total" [] "Messages kept in quarantine.";
    gauge quarantine_messages "facteur_quarantine_messages" [] "Messages in quarantine.";
    gauge quarantine_octets "facteur_quarantine_bytes" [] "Octets of the messages in quarantine.";
    gauge quarantine_oldest "facteur_quarantine_oldest_timestamp_seconds" [] "When the oldest message in quarantine came, 0 without any.";
    counter taken "facteur_taken_total" [] "Messages taken out of mailboxes.";
    counters spam_reports "facteur_spam_reports_total" ["result"] "Reports that the spam filter was wrong: proposed, unusable, refused (too many wait), gone, keyword.";
    gauge spam_proposals "facteur_spam_proposals" [] "Proposals for the spam filter that wait for a manager, as of the last one.";
    points spam_scores "facteur_spam_scores" [] "Totals of the spam passes in points; below 0 looks like spam.";
    counters spam_verdicts "facteur_spam_verdicts_total" ["verdict", "rule"] "Messages by what the spam filter decided: passed, tagged, refused.";
    seconds spam_passes "facteur_spam_pass_seconds" ["pass"] "What the passes of the spam filter take.";
    counters spam_no_scores "facteur_spam_no_scores_total" ["pass"] "Times a pass gave no score and was left out of the total.";
    counter spam_unscored "facteur_spam_unscored_total" [] "Messages no pass gave a score; they are delivered untagged.";
    counters scans "facteur_scans_total" ["engine", "result"] "Scans by engine: clean, infected, suspect, refused (not looked at), down, busy (no place in time).";
    gauge rescans_owed "facteur_rescans_owed" [] "Messages that passed without an engine and are owed a second look.";
    counters rescans "facteur_rescans_total" ["why", "result"] "Second looks, after an outage or with new signatures: clean, infected, refused (not looked at), lost (nothing to look at), later.";
    gauges scanner_up "facteur_scanner_up" ["engine"] "1 while an engine gives verdicts.";
    gauges signature_age "facteur_scanner_signature_age_seconds" ["engine"] "Age of an engine's signatures: since they were made, or since they last changed.";
    counters signed "facteur_signed_total" ["result"] "Messages that left with our signatures: signed, unsigned.";
    counter records_dropped "facteur_records_dropped_total" [] "Loss records and notes that found no place on their way to the store.";
    gauge backup_last "facteur_backup_last_timestamp_seconds" [] "When the last nightly backup of this process ended, 0 before the first.";
    counter backups_failed "facteur_backups_failed_total" [] "Nightly backups that failed.";
    gauge store_read_only "facteur_store_read_only" [] "1 while the device is full and nothing new is taken.";
    gauge store_free "facteur_store_free_bytes" [] "Room on the device of the data folder.";
    gauge directory_fresh "facteur_directory_fresh_timestamp_seconds" [] "When everybody was read from the directory last, 0 before the first time.";
    gauge directory_stale "facteur_directory_stale" [] "1 while what is known of the directory is older than the policy trusts.";
    gauge directory_stopped "facteur_directory_stopped" [] "1 while a sync waits for an operator, because too much changed at once.";
    gauge directory_entries "facteur_directory_entries" [] "Entries the last sync read.";
    gauge directory_refused "facteur_directory_refused_entries" [] "Entries of the last sync that are nobody here.";
    gauge directory_servers_up "facteur_directory_servers_up" [] "Directory servers nothing is wrong with that is known.";
    gauge directory_people "facteur_directory_people" [] "People the last sync left here that are the directory's.";
    gauge directory_sync_ms "facteur_directory_sync_milliseconds" [] "What the last sync took.";
    counters directory_seeks "facteur_directory_lookups_total" ["result"] "Unknown recipients the directory was asked about: found, nobody, unsure.";
    gauge queue_messages "facteur_queue_messages" [] "Messages that wait in the spool.";
    counters outbound "facteur_outbound_total" ["result"] "Ends and attempts of queued recipients: sink, capture, delivered, deferred, blocked, refused, expired.";
    counters outbound_statuses "facteur_outbound_statuses_total" ["next_hop", "status"] "What tries came to, by provider or route of the plan and by class and subject of the status.";
    counter notifications "facteur_notifications_total" [] "Recipients whose sender was told of a failure or a delay.";
    gauge destinations_blocked "facteur_destinations_blocked" [] "Destinations that refuse this server whatever it brings.";
    counters tls_failures "facteur_outbound_tls_failures_total" ["result"] "Sessions with next hops whose TLS failed, by result type of RFC 8460.";
    counter next_hop_connections "facteur_next_hop_connections_total" [] "Connections made to next hops.";
    counter next_hop_reuses "facteur_next_hop_reuses_total" [] "Messages handed over on a connection that had one before.";
}

/// Store counters under their public names.
type StoreCounter = (&'static str, &'static str, &'static str, fn(&MetricsNow) -> u64);

const STORE: [StoreCounter; 17] = [
    ("facteur_store_commits_total", "counter", "Commits that hold.", |m| m.commits),
    ("facteur_store_commits_failed_total", "counter", "Commits that were refused or failed.", |m| m.commits_failed),
    ("facteur_store_busy_total", "counter", "Commits turned away because the queue was full.", |m| m.busy),
    ("facteur_store_groups_total", "counter", "Transactions that held one or more commits.", |m| m.groups),
    ("facteur_store_ops_total", "counter", "Changes in those commits.", |m| m.ops),
    ("facteur_deliveries_total", "counter", "Messages put into mailboxes by delivery.", |m| m.deliveries),
    ("facteur_store_flushes_wal_total", "counter", "Flushes of the WAL by commits.", |m| m.flushes_wal),
    ("facteur_store_flushes_segment_total", "counter", "Flushes of segments.", |m| m.flushes_segment),
    ("facteur_store_flushes_checkpoint_total", "counter", "Flushes made by checkpoints.", |m| m.flushes_checkpoint),
    ("facteur_store_body_bytes_total", "counter", "Octets written into segments.", |m| m.body_bytes),
    ("facteur_store_wal_bytes_total", "counter", "Octets of WAL written by commits.", |m| m.wal_bytes),
    ("facteur_store_checkpoints_total", "counter", "Checkpoints.", |m| m.checkpoints),
    ("facteur_store_queue_ops", "gauge", "Changes that wait for the writer.", |m| m.queue_ops),
    ("facteur_search_indexed_total", "counter", "Messages the search index read.", |m| m.search_indexed),
    ("facteur_search_waiting", "gauge", "Messages of a mailbox the search index is at that it has not read.", |m| {
        m.search_waiting
    }),
    ("facteur_search_rebuilds_total", "counter", "Search indexes made anew.", |m| m.search_rebuilds),
    ("facteur_store_recovered_bad_bodies", "gauge", "Bodies the last recovery found bad.", |m| m.recovered_bad_bodies),
];

impl Metrics {
    /// Another plan runs, or it is in another state.
    pub fn runs(&self, plan: &str, serial: u64, state: &str) {
        self.plan.reset();
        self.plan.with_label_values(&[plan, &serial.to_string(), state]).set(1);
    }

    /// The counters of one server, all reasons at zero.
    pub fn new(plan: &str) -> Metrics {
        let metrics = Metrics::registered().expect("the names above are sound and differ");
        metrics.runs(plan, 1, "confirmed");
        for reason in Reason::ALL {
            metrics.refusals.with_label_values(&[reason.word(), ""]);
        }
        metrics
    }

    /// The page of `/metrics` (Prometheus text format 0.0.4).
    pub fn page(&self, store: &MetricsNow) -> String {
        let mut page = Vec::new();
        // Writing into memory does not fail, and a family of ours has one type.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut page);
        let mut page = String::from_utf8_lossy(&page).into_owned();
        let mut line = |name: &str, kind: &str, help: &str, value: u64| {
            let _ = write!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
        };
        for (name, kind, help, read) in STORE {
            line(name, kind, help, read(store));
        }
        line("facteur_panics_total", "counter", "Panics of this process.", PANICS.load(Ordering::Relaxed));
        let (resident, peak) = memory_octets();
        line("process_resident_memory_bytes", "gauge", "Memory in use.", resident);
        line("facteur_resident_memory_peak_bytes", "gauge", "Most memory ever in use.", peak);
        page
    }
}

/// Panics since the process started.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Counts panics from now on, and still tells them as before.
pub fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            before(info);
        }));
    });
}

/// Resident memory now and at its peak; zeros where there is no `/proc`.
fn memory_octets() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let read = |field: &str| {
        let line = status.lines().find(|line| line.starts_with(field))?;
        line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
    };
    (read("VmRSS:").unwrap_or(0), read("VmHWM:").unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_of_the_page_has_one_type_and_a_sentence_of_help() {
        let metrics = Metrics::new("q7k3m2xw");
        metrics.connections.with_label_values(&["mx", "outside"]).inc();
        let page = metrics.page(&MetricsNow::default());
        let mut named = std::collections::BTreeSet::new();
        for line in page.lines().filter(|line| line.starts_with("# HELP ")) {
            let (name, help) = line["# HELP ".len()..].split_once(' ').unwrap();
            assert!(help.ends_with('.'), "{line}");
            assert!(named.insert(name.to_owned()), "{name} twice");
        }
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            // A histogram has three kinds of lines.
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            assert!(named.contains(name) || family.is_some_and(|family| named.contains(family)), "{line}");
        }
        assert!(page.contains("mail_plan_info{plan=\"q7k3m2xw\",serial=\"1\",state=\"confirmed\"} 1"));
    }
}
