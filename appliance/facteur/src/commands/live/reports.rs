//! `facteur reports`: who sends as us, as others report it, and what came in from domains that want reports.

use clap::Args;
use server::operate::{Reported, ReportsOf};

use super::{Place, ask, number, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct ReportsArgs {
    #[command(flatten)]
    place: Place,
    /// Rows of each table
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    top: u16,
}

pub fn run(args: &ReportsArgs) -> Exit {
    let reported = match ask(&args.place, "reports", ReportsOf {}) {
        Ok(reported) => reported,
        Err(exit) => return exit,
    };
    match args.place.format {
        Format::Human => say_reported(&reported, usize::from(args.top)),
        Format::Json => say_json("reports", &reported),
    }
    Exit::Fine
}

fn say_reported(reported: &Reported, top: usize) {
    if reported.sends_as_us.is_empty() {
        say!("nobody reported who sends as us");
    } else {
        say!("{:<32} {:<40} {:>10} {:>10} {:<10} reported by", "sends as us", "from", "ours", "not ours", "until");
    }
    for sender in reported.sends_as_us.iter().take(top) {
        let said = &sender.said;
        say!(
            "{:<32} {:<40} {:>10} {:>10} {:<10} {}",
            sender.domain,
            sender.address,
            number(said.aligned),
            number(said.not_aligned),
            said.last_day,
            said.reported_by
        );
    }
    say_rest(reported.sends_as_us.len(), top);
    if !reported.tls.is_empty() {
        say!("");
        say!("{:<10} {:<40} {:>12} {:>12}", "TLS to us", "reported by", "good", "failed");
    }
    for tls in reported.tls.iter().take(top) {
        let (good, failed) = (number(tls.said.successful), number(tls.said.failed));
        say!("{:<10} {:<40} {good:>12} {failed:>12}", tls.day, tls.organisation);
    }
    say_rest(reported.tls.len(), top);
    if !reported.counted.is_empty() {
        say!("");
        say!("{:<10} {:<40} {:>12} {:>12} report", "came in", "from", "messages", "aligned");
    }
    for counted in reported.counted.iter().take(top) {
        let (messages, aligned) = (number(counted.messages), number(counted.aligned));
        let sent = if counted.sent { "sent" } else { "kept" };
        say!("{:<10} {:<40} {messages:>12} {aligned:>12} {sent}", counted.day, counted.domain);
    }
    say_rest(reported.counted.len(), top);
    if !reported.tls_to_others.is_empty() {
        say!("");
        say!("{:<10} {:<40} {:<16} {:>9} failed", "TLS to", "domain", "policy", "good");
    }
    for to in reported.tls_to_others.iter().take(top) {
        for policy in &to.of.policies {
            let failed: u64 = policy.failures.iter().map(|failure| failure.sessions).sum();
            let (good, failed) = (number(policy.successes), number(failed));
            say!("{:<10} {:<40} {:<16} {good:>9} {failed}", to.day, to.domain, policy.kind);
            for failure in &policy.failures {
                say!("{:<10}   {} × {} at {}", "", number(failure.sessions), failure.result, failure.host);
            }
        }
    }
    say_rest(reported.tls_to_others.len(), top);
}

fn say_rest(rows: usize, top: usize) {
    if rows > top {
        say!("and {} more", number((rows - top) as u64));
    }
}
