//! The second checker: it takes the plans the compiler makes, and hardly any other text.

use super::*;
use crate::verify::{Fault, verify};

fn faults(text: &str) -> Vec<Fault> {
    verify(text.as_bytes()).expect_err("it must be refused")
}

#[test]
fn the_plans_of_our_policies_are_sound() {
    for policy in [NANTES, OFFICE, BENCH, include_str!("neighbours.ron")] {
        let text = plan_text(policy);
        assert_eq!(verify(text.as_bytes()), Ok(plan::hash(&text)));
    }
}

#[test]
fn what_is_wrong_is_said_at_its_line() {
    let text = plan_text(NANTES);
    for (from, to, wanted) in [
        ("    format: 1,", "    format: 2,", "E1002"),
        ("date: \"2", "date: \"3", "E1002"),
        ("connecting_to: [\"mx\"]", "connecting_to: [\"mxx\"]", "no listener"),
        ("otherwise: \"standard\"", "otherwise: \"standart\"", "no profile"),
        ("engines: [\"clamav\", \"mcafee\"]", "engines: [\"clamav\", \"mcaffee\"]", "no scanner"),
        ("to: OurAddresses", "to: Anyone", "E0501"),
        (
            "            connecting_to: [\"relay\"],\n            from: [\"private\"]",
            "            connecting_to: [\"relay\"],\n            from: [\"outside\"]",
            "E0501",
        ),
        ("In([\"10.44.0.0/16\"])", "In([\"128.0.0.0/8\"])", "sends without a login and holds 128.0.0.0/8"),
        ("\"outside\": Rest,", "\"outside\": Rest ,", "expected"),
        ("\"outside\": Rest,", "\"outside\": In([\"203.0.113.0/24\"]),", "0 networks are `Rest`"),
        ("connections_at_once: 30", "connections_at_once: 030", "shortest form"),
        ("pages: French,", "pages: Dutch,", "Dutch"),
        ("    port: 993,", "    port: 993,\n            port: 993,", "stands where"),
        ("        \"imaps\": (\n", "        \"zmaps\": (\n", "not in order"),
        ("keep_at_least_s: 2592000", "keep_at_least_s: 9992000", "kept longer"),
        ("every_night_at_min: 210", "every_night_at_min: 2100", "no time of a day"),
        ("        Authenticate,\n", "        Authenticate,\n        Accept,\n", "2 steps accept"),
        ("[\"192.0.2.0/24\", ", "[\"192.0.2.0/24\", \"10.44.0.0/16\", ", "belongs to"),
    ] {
        assert!(text.contains(from), "{from:?} is in the plan");
        let changed = text.replacen(from, to, 1);
        let line = text[..text.find(from).expect("it is there")].matches('\n').count() + 1;
        let found = faults(&changed);
        assert!(found.iter().any(|fault| fault.to_string().contains(wanted)), "{to:?}: {found:?}");
        let near = |fault: &Fault| (line.saturating_sub(3)..=line + 12).contains(&(fault.line as usize));
        let elsewhere = ["E1002", "belongs to", "sends without", "0 networks"].iter().any(|it| wanted.contains(it));
        assert!(elsewhere || found.iter().any(near), "{to:?} at {line}: {found:?}");
    }
}

/// A small generator with a fixed seed: the same mutations on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

#[test]
fn mutated_plans_never_panic_and_are_nearly_always_refused() {
    let text = plan_text(OFFICE);
    let mut random = Random(7);
    let (mut refused, tries) = (0, 1_500);
    for _ in 0..tries {
        let mut octets = text.clone().into_bytes();
        let at = random.below(octets.len());
        match random.below(5) {
            0 => octets[at] = random.below(256) as u8,
            1 => drop(octets.remove(at)),
            2 => octets.insert(at, b"()[]{},:\" \\\nA0-"[random.below(15)]),
            3 => octets.truncate(at),
            _ => {
                let end = (at + random.below(80)).min(octets.len());
                let part = octets[at..end].to_vec();
                let to = random.below(octets.len());
                octets.splice(to..to, part);
            }
        }
        refused += usize::from(verify(&octets).is_err());
    }
    // Letters of a label, figures of a limit: those make another sound plan, with another hash.
    assert!(refused * 100 >= tries * 75, "{refused} of {tries}");
}

#[test]
fn plans_of_any_sense_can_be_compared_and_a_difference_has_its_opposite() {
    use crate::diff::{Class, Side, diff};
    let text = plan_text(OFFICE);
    let lines: Vec<&str> = text.lines().collect();
    fn side(text: &str) -> Side<'_> {
        Side { text, map: None, found: None }
    }
    let mut random = Random(11);
    let mut compared = 0;
    for _ in 0..800 {
        let mut changed = lines.clone();
        let at = random.below(lines.len());
        match random.below(3) {
            0 => drop(changed.remove(at)),
            1 => changed.swap(at, random.below(lines.len())),
            _ => changed[at] = lines[random.below(lines.len())],
        }
        let changed = changed.join("\n") + "\n";
        let Ok(there) = diff(side(&text), side(&changed)) else { continue };
        let back = diff(side(&changed), side(&text)).expect("both could be read");
        assert_eq!(there.is_empty(), changed == text);
        let count = |of: &crate::diff::Difference, class| of.changes.iter().filter(|it| it.class == class).count();
        assert_eq!(count(&there, Class::Tighter), count(&back, Class::Looser));
        assert_eq!(count(&there, Class::Looser), count(&back, Class::Tighter));
        compared += usize::from(!there.is_empty());
    }
    assert!(compared > 10, "{compared} were compared");
}

#[test]
fn hostile_texts_are_refused_in_bounded_depth() {
    for text in ["", "(", "[", "\"", "(\n", "\u{feff}()", "((((\n", "-", "0", "()\n"] {
        assert!(verify(text.as_bytes()).is_err(), "{text:?}");
    }
    let deep = "Some(".repeat(100_000);
    assert_eq!(faults(&deep)[0].what, "nested too deep");
    assert!(faults(&"[".repeat(100_000))[0].line == 1);
    assert!(verify(&vec![b' '; (4 << 20) + 1]).is_err());
    assert!(verify(b"(\n    format: 1\xff").is_err());
}
