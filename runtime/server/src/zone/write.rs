//! Zones as text: fragments of zone files (RFC 1035 5.1), each record on a line with what it follows from.

use std::fmt::Write as _;

use super::implied::Zone;

/// Seconds others may keep these records: an hour, so that a change of policy is soon true.
pub const TTL_S: u32 = 3_600;

/// One fragment for each domain, with blank lines between them.
pub fn written(zones: &[Zone]) -> String {
    let mut text = String::new();
    for (number, zone) in zones.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        let _ = writeln!(text, "; {}", zone.why);
        for record in &zone.records {
            let kind = record.data.kind();
            let _ = writeln!(text, "{}. {TTL_S} IN {kind} {} ; {}", record.name, record.data, record.why);
        }
        for note in &zone.notes {
            let _ = writeln!(text, "; {note}");
        }
        if let Some(policy) = &zone.mta_sts {
            let _ = writeln!(text, "; https://mta-sts.{}/.well-known/mta-sts.txt, lines ended by CR LF:", zone.domain);
            policy.lines().for_each(|line| {
                let _ = writeln!(text, ";   {line}");
            });
        }
    }
    text
}
