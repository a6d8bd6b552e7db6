//! All metrics of the server in one list, each with its type and a sentence of help. Labels come from closed lists:
//! reasons, and the names and rules of the plan that runs. `appliance/monitoring/METRICS.md` is made of the same list.

mod process;
mod store;
mod table;

use std::fmt::Write as _;
use std::panic::PanicHookInfo;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use ::store::MetricsNow;
use decide::Reason;
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

pub use table::{Described, table};

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

        /// The list as it is documented.
        const OWN: &[Described] = &[$(
            Described { name: $name, kind: metrics!(@word $kind), help: $help, labels: &[$($label),*] },
        )*];

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
    (@word counter) => { "counter" };
    (@word counters) => { "counter" };
    (@word gauge) => { "gauge" };
    (@word gauges) => { "gauge" };
    (@word points) => { "histogram" };
    (@word seconds) => { "histogram" };
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
    gauge plan_unsigned "facteur_plan_unsigned" [] "1 while no plan key is enrolled, so that plans are taken without a signature.";
    gauge plan_key_alarm "facteur_plan_key_alarm" [] "1 from the moment the plan keys are replaced at the console until somebody says they saw it.";
    gauge plan_signature_broken "facteur_plan_signature_broken" [] "1 while the signatures of the plan that runs do not hold with the keys enrolled today.";
    gauge plans_damaged "facteur_plans_damaged" [] "1 from a start that found kept plans damaged until somebody says which plan is to stay.";
    gauges build "facteur_build_info" ["version"] "The program that runs; always 1.";
    gauge plan_serial "facteur_plan_serial" [] "How many plans this server has executed, with this one.";
    gauge trial_until "facteur_plan_trial_until_timestamp_seconds" [] "When the plan goes unless somebody confirms it, 0 when it is confirmed.";
    gauges probe_level "facteur_probe_level" ["probe"] "What facteur probe says by its usual limits: 0 well, 1 warning, 2 critical, 3 unknown.";
    gauges loops_stopped "facteur_loops_stopped" ["loop"] "1 for work in the background that has ended by a panic and waits to be begun again.";
    counters loop_panics "facteur_loop_panics_total" ["loop"] "Times work in the background ended by a panic.";
    gauges listener_open "facteur_listener_open" ["listener"] "1 while a listener of the plan accepts connections.";
    gauge addresses_unbound "facteur_addresses_unbound" [] "Addresses of the site that cannot be bound and are tried again.";
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
    gauge compromise_open "facteur_compromise_cases_open" [] "Cases of accounts that look stolen which have not ended.";
    counters accepted "facteur_messages_accepted_total" ["direction"] "Messages answered with 250.";
    counters would_refuse "facteur_would_refuse_total" ["rule"] "Messages and recipients that a limit which only watches would have refused.";
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
    gauges certificate_until "facteur_certificate_end_timestamp_seconds" ["certificate"] "When the certificate shown under this name ends, Unix seconds.";
    gauges certificate_self_signed "facteur_certificate_self_signed" ["certificate"] "1 while the certificate shown under this name is self-signed.";
    counters certificate_orders "facteur_certificate_orders_total" ["certificate", "result"] "Certificates ordered by ACME: renewed, unreached, refused.";
    counters signed "facteur_signed_total" ["result"] "Messages that left with our signatures: signed, unsigned.";
    counter records_dropped "facteur_records_dropped_total" [] "Loss records and notes that found no place on their way to the store.";
    gauge backup_last "facteur_backup_last_timestamp_seconds" [] "When the newest backup was made, 0 without any.";
    gauge backup_wanted "facteur_backup_wanted" [] "1 where the plan has backups.";
    counter backups_failed "facteur_backups_failed_total" [] "Nightly backups that failed.";
    gauge store_read_only "facteur_store_read_only" [] "1 while the device is full and nothing new is taken.";
    gauge store_free "facteur_store_free_bytes" [] "Room on the device of the data folder.";
    gauge store_size "facteur_store_size_bytes" [] "Octets of the device of the data folder.";
    gauge store_verified "facteur_store_verified_timestamp_seconds" [] "When everything in the store was recounted last, 0 before the first time.";
    gauge store_findings "facteur_store_verify_findings" [] "What the last verification of the store found wrong.";
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
    gauge queue_oldest "facteur_queue_oldest_timestamp_seconds" [] "When the oldest message of the spool came, also one that is held; 0 without any.";
    gauge destinations_down "facteur_destinations_down" [] "Destinations that do not answer.";
    counters outbound "facteur_outbound_total" ["result"] "Ends and attempts of queued recipients: sink, capture, delivered, deferred, blocked, refused, expired.";
    counters outbound_statuses "facteur_outbound_statuses_total" ["next_hop", "status"] "What tries came to, by provider or route of the plan and by class and subject of the status.";
    counter notifications "facteur_notifications_total" [] "Recipients whose sender was told of a failure or a delay.";
    gauge destinations_blocked "facteur_destinations_blocked" [] "Destinations that refuse this server whatever it brings.";
    counters tls_failures "facteur_outbound_tls_failures_total" ["result"] "Sessions with next hops whose TLS failed, by result type of RFC 8460.";
    counter next_hop_connections "facteur_next_hop_connections_total" [] "Connections made to next hops.";
    counter next_hop_reuses "facteur_next_hop_reuses_total" [] "Messages handed over on a connection that had one before.";
}

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
        metrics.build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
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
        let mut line = |name: &str, kind: &str, help: &str, value: f64| {
            let _ = write!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
        };
        for (name, kind, help, read) in store::STORE {
            line(name, kind, help, read(store) as f64);
        }
        for (name, kind, help, read) in process::PROCESS {
            line(name, kind, help, read());
        }
        // What has no value yet is known all the same: an alert may be about it.
        let absent: Vec<&Described> =
            OWN.iter().filter(|one| !page.contains(&format!("# HELP {} ", one.name))).collect();
        for one in absent {
            let _ = write!(page, "# HELP {} {}\n# TYPE {} {}\n", one.name, one.help, one.name, one.kind);
        }
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
        let documented: std::collections::BTreeSet<String> =
            table().into_iter().map(|one| one.name.to_owned()).collect();
        assert_eq!(named, documented, "the page and the table have the same metrics");
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            // A histogram has three kinds of lines.
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            assert!(named.contains(name) || family.is_some_and(|family| named.contains(family)), "{line}");
        }
        assert!(page.contains("mail_plan_info{plan=\"q7k3m2xw\",serial=\"1\",state=\"confirmed\"} 1"));
    }
}
