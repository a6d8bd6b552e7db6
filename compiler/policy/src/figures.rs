//! Figures as people read them.

/// `20 000 000`: thousands stand apart.
pub fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let head = digits.len() % 3;
    let mut groups: Vec<&str> = Vec::new();
    if head > 0 {
        groups.push(&digits[..head]);
    }
    groups.extend((head..digits.len()).step_by(3).map(|at| &digits[at..at + 3]));
    groups.join(" ")
}

/// Decimal units and their octets.
const UNITS: [(&str, u64); 4] = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];

/// The largest unit of which it is a whole number.
fn whole_unit(octets: u64) -> Option<(&'static str, u64)> {
    UNITS.into_iter().find(|(_, factor)| octets >= *factor && octets.is_multiple_of(*factor))
}

/// A size as a person writes it: `1 GB`, `20 MB`; octets where it is no whole number of a unit.
pub(crate) fn octets(octets: u64) -> String {
    match whole_unit(octets) {
        Some((name, factor)) => format!("{} {name}", octets / factor),
        None => format!("{} octets", grouped(octets)),
    }
}

/// `14.6 MB`: octets in the largest decimal unit they fill, with one decimal at most.
pub(crate) fn size(octets: u64) -> String {
    let Some((unit, factor)) = UNITS.into_iter().find(|(_, factor)| octets >= *factor) else {
        return format!("{octets} B");
    };
    match octets % factor / (factor / 10) {
        0 => format!("{} {unit}", octets / factor),
        tenths => format!("{}.{tenths} {unit}", octets / factor),
    }
}

/// As a policy writes it, to the octet: `"20 MB"`.
pub(crate) fn size_literal(octets: u64) -> String {
    let (unit, factor) = whole_unit(octets).unwrap_or(("B", 1));
    format!("\"{} {unit}\"", octets / factor)
}

#[cfg(test)]
mod tests {
    use super::{grouped, size, size_literal};

    #[test]
    fn sizes_have_one_decimal_at_most() {
        for (octets, text) in
            [(0, "0 B"), (999, "999 B"), (1_500, "1.5 kB"), (14_600_000, "14.6 MB"), (2_000_000_000, "2 GB")]
        {
            assert_eq!(size(octets), text);
        }
        assert_eq!([size_literal(1_500), size_literal(20_000_000)], ["\"1500 B\"", "\"20 MB\""]);
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0u64, "0"), (24, "24"), (320, "320"), (4_320, "4 320"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
