//! Sets of numbers as text (RFC 9051 9 `sequence-set`, `uid-set`).

use std::fmt::Write;
use std::ops::RangeInclusive;

/// Runs of numbers that follow one another, in the given order.
fn ranges_of(numbers: &[u32]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some(run) if run.1.checked_add(1) == Some(number) => run.1 = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

/// `1:3,7`, in the given order: COPYUID pairs two sets by position (RFC 4315 3). Empty for no numbers, which no set may be.
pub fn set(numbers: &[u32]) -> String {
    written(ranges_of(numbers))
}

/// The same of ranges.
pub fn set_of_ranges(ranges: &[RangeInclusive<u32>]) -> String {
    written(ranges.iter().map(|range| (*range.start(), *range.end())))
}

fn written(ranges: impl IntoIterator<Item = (u32, u32)>) -> String {
    let mut text = String::new();
    for (low, high) in ranges {
        if !text.is_empty() {
            text.push(',');
        }
        // Writing to a String does not fail.
        let _ = if low == high { write!(text, "{low}") } else { write!(text, "{low}:{high}") };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_become_ranges_and_order_is_kept() {
        assert_eq!(set(&[1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(set(&[5, 4, 3]), "5,4,3");
        assert_eq!(set(&[u32::MAX]), "4294967295");
        assert_eq!(set(&[]), "");
        assert_eq!(set_of_ranges(&[1..=3, 7..=7]), "1:3,7");
    }
}
