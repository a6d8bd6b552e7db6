//! Waiting for a fact. No test waits for a time to pass.

use std::time::{Duration, Instant};

/// How often a fact is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until `fact` is there and gives it; panics with `what` when it is not there in time.
#[track_caller]
pub fn until<T>(within: Duration, what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = fact() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {} s: {what}", within.as_secs());
        std::thread::park_timeout(LOOK_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_that_comes_is_given() {
        let mut looks = 0;
        let found = until(Duration::from_secs(5), "third look", || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(found, 3);
    }

    #[test]
    #[should_panic(expected = "not within 0 s: never")]
    fn a_fact_that_does_not_come_is_named() {
        until(Duration::ZERO, "never", || None::<()>);
    }
}
