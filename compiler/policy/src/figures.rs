//! Figures as people read them.

/// `20 000 000`: thousands stand apart.
pub(crate) fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let head = digits.len() % 3;
    let mut groups: Vec<&str> = Vec::new();
    if head > 0 {
        groups.push(&digits[..head]);
    }
    groups.extend((head..digits.len()).step_by(3).map(|at| &digits[at..at + 3]));
    groups.join(" ")
}

/// A size as a person writes it: `1 GB`, `20 MB`; octets where it is no whole number of a unit.
pub(crate) fn octets(octets: u64) -> String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let unit = units.iter().find(|(factor, _)| octets >= *factor && octets.is_multiple_of(*factor));
    match unit {
        Some((factor, name)) => format!("{} {name}", octets / factor),
        None => format!("{} octets", grouped(octets)),
    }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0u64, "0"), (24, "24"), (320, "320"), (4_320, "4 320"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
