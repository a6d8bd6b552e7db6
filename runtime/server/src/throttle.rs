//! How many lines of log refusals may cost: whoever is refused a thousand times a second must not fill the disk.

use std::sync::{Mutex, PoisonError};

/// Lines a second.
const LINES_MAX: u32 = 200;

/// Counts lines by the second.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Second>);

#[derive(Debug, Default)]
struct Second {
    at_s: i64,
    lines: u32,
    left_out: u32,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// It is written; before it so many were left out.
    Written {
        left_out: u32,
    },
    LeftOut,
}

impl Throttle {
    /// One more line at this Unix second.
    pub fn line(&self, at_s: i64) -> Line {
        let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left_out = 0;
        if second.at_s != at_s {
            left_out = second.left_out;
            *second = Second { at_s, lines: 0, left_out: 0 };
        }
        if second.lines >= LINES_MAX {
            second.left_out += 1;
            return Line::LeftOut;
        }
        second.lines += 1;
        Line::Written { left_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_past_the_bound_are_left_out_and_told_in_the_next_second() {
        let throttle = Throttle::default();
        for _ in 0..LINES_MAX {
            assert_eq!(throttle.line(7), Line::Written { left_out: 0 });
        }
        assert_eq!(throttle.line(7), Line::LeftOut);
        assert_eq!(throttle.line(7), Line::LeftOut);
        assert_eq!(throttle.line(8), Line::Written { left_out: 2 });
        assert_eq!(throttle.line(8), Line::Written { left_out: 0 });
    }
}
