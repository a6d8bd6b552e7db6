//! How old a password is, and what an old one still opens. Months are those of the calendar, in UTC: a password of 31 August
//! that is renewed every six months ends on the last day of February.

use mail::date::Day;
use mail::reply;
use plan::{AtExpiry, Plan};

use crate::reason::{Reason, Refusal};

const DAY_S: i64 = 86_400;
/// Where the plan says what happens.
const RULE: &str = "identity.password.at_expiry";

/// What is known about a password, in Unix seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PasswordFacts {
    /// When it was set; `None` where nobody knows, or where another directory keeps it.
    pub set_s: Option<i64>,
    /// It was drawn for the person, who has to change it.
    pub must_change: bool,
}

/// How old a password is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// `None`: it never ends.
    Good {
        ends_s: Option<i64>,
    },
    /// It ends within the longest of `warn_before`; `warn_s` is the one that is due.
    Near {
        ends_s: i64,
        warn_s: u64,
    },
    Ended {
        ends_s: i64,
    },
    /// It was drawn for the person, and there is a page to change it.
    Given,
}

/// What somebody who is logged in would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Read,
    Send,
}

/// How old the password is now.
pub fn age(plan: &Plan, facts: PasswordFacts, now_s: i64) -> Age {
    let rules = &plan.identity.password;
    if facts.must_change && !change_at(plan).is_empty() {
        return Age::Given;
    }
    let ends_s = facts.set_s.filter(|_| rules.renew_every_months > 0);
    let Some(ends_s) = ends_s.and_then(|set_s| months_after(set_s, rules.renew_every_months)) else {
        return Age::Good { ends_s: None };
    };
    let left_s = ends_s.saturating_sub(now_s);
    if left_s <= 0 {
        return Age::Ended { ends_s };
    }
    let due = rules.warn_before_s.iter().copied().filter(|warn_s| left_s.unsigned_abs() <= *warn_s).min();
    match due {
        Some(warn_s) => Age::Near { ends_s, warn_s },
        None => Age::Good { ends_s: Some(ends_s) },
    }
}

/// Does a password of this age still let somebody do it?
pub fn opens(plan: &Plan, age: Age, to: Use) -> Result<(), Refusal> {
    let what = match age {
        Age::Good { .. } | Age::Near { .. } => return Ok(()),
        Age::Ended { ends_s } => format!("your password ended on {}", day(ends_s)),
        Age::Given => "the password of your letter is for the first time only".to_owned(),
    };
    let code = match (plan.identity.password.at_expiry, to) {
        (AtExpiry::WarnOnly, _) | (AtExpiry::ReadOnlyImap, Use::Read) => return Ok(()),
        (AtExpiry::ReadOnlyImap, Use::Send) => reply::POLICY,
        (AtExpiry::Refuse, Use::Read | Use::Send) => reply::AUTH_FAILED,
    };
    let todo = match change_at(plan) {
        "" => "ask for a new one".to_owned(),
        page => format!("change it at {page}"),
    };
    Err(Refusal::new(code, Reason::PasswordExpired, RULE, format!("{what}: {todo}")))
}

/// The page where passwords are changed; empty where there is none.
pub fn change_at(plan: &Plan) -> &str {
    let page = plan.identity.password.change_at.as_str();
    if page.is_empty() { plan.portal.as_ref().map_or("", |portal| portal.at.as_str()) } else { page }
}

/// `YYYY-MM-DD` in UTC.
pub fn day(unix_s: i64) -> String {
    let (year, month, day) = mail::date::DateTime::utc(unix_s).day().civil();
    format!("{year:04}-{month:02}-{day:02}")
}

/// The same day and time so many months later, the last day of the month where there is no such day. `None` beyond year 9999.
fn months_after(unix_s: i64, months: u32) -> Option<i64> {
    let (year, month, date) = mail::date::DateTime::utc(unix_s).day().civil();
    let count = i64::from(year) * 12 + i64::from(month - 1) + i64::from(months);
    let (year, month) = (i32::try_from(count.div_euclid(12)).ok()?, count.rem_euclid(12) as u32 + 1);
    let day = (1..=date).rev().find_map(|date| Day::new(year, month, date))?;
    Some(i64::from(day.days_since_epoch()) * DAY_S + unix_s.rem_euclid(DAY_S))
}

#[cfg(test)]
mod tests {
    use plan::PasswordRules;

    use super::*;

    fn plan(change: impl FnOnce(&mut PasswordRules)) -> Plan {
        let path = format!("{}/../../policies/nantes/policy.plan.ron", env!("CARGO_MANIFEST_DIR"));
        let mut plan = plan::read(&std::fs::read_to_string(path).unwrap()).unwrap().0;
        change(&mut plan.identity.password);
        plan
    }

    fn at(year: i32, month: u32, day: u32) -> i64 {
        i64::from(Day::new(year, month, day).unwrap().days_since_epoch()) * DAY_S + 3_600
    }

    fn set(set_s: i64) -> PasswordFacts {
        PasswordFacts { set_s: Some(set_s), must_change: false }
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        for (from, months, to) in [
            ((2026, 5, 30), 6, (2026, 11, 30)),
            ((2026, 8, 31), 6, (2027, 2, 28)),
            ((2027, 8, 31), 6, (2028, 2, 29)),
            ((2026, 12, 31), 1, (2027, 1, 31)),
            ((2024, 2, 29), 12, (2025, 2, 28)),
        ] {
            let after = months_after(at(from.0, from.1, from.2), months);
            assert_eq!(after, Some(at(to.0, to.1, to.2)), "{from:?} and {months}");
        }
        assert_eq!(months_after(at(9999, 12, 1), 6), None);
    }

    #[test]
    fn warnings_are_due_one_after_the_other_and_then_it_ends() {
        let plan = plan(|rules| rules.warn_before_s = vec![30 * 86_400, 7 * 86_400, 86_400]);
        let facts = set(at(2026, 5, 30));
        let ends_s = at(2026, 11, 30);
        for (now_s, expected) in [
            (at(2026, 5, 30), Age::Good { ends_s: Some(ends_s) }),
            (ends_s - 30 * DAY_S - 1, Age::Good { ends_s: Some(ends_s) }),
            (ends_s - 30 * DAY_S, Age::Near { ends_s, warn_s: 30 * 86_400 }),
            (ends_s - 7 * DAY_S, Age::Near { ends_s, warn_s: 7 * 86_400 }),
            (ends_s - 1, Age::Near { ends_s, warn_s: 86_400 }),
            (ends_s, Age::Ended { ends_s }),
            (at(2036, 1, 1), Age::Ended { ends_s }),
        ] {
            assert_eq!(age(&plan, facts, now_s), expected, "{}", day(now_s));
        }
    }

    #[test]
    fn what_never_ends_or_is_of_unknown_age_is_good() {
        let never = plan(|rules| rules.renew_every_months = 0);
        assert_eq!(age(&never, set(1), i64::MAX), Age::Good { ends_s: None });
        let plan = plan(|_| {});
        assert_eq!(age(&plan, PasswordFacts::default(), i64::MAX), Age::Good { ends_s: None });
    }

    #[test]
    fn a_password_of_a_letter_has_to_be_changed_where_there_is_a_page() {
        let given = PasswordFacts { must_change: true, ..set(at(2026, 11, 1)) };
        let mut plan = plan(|_| {});
        assert_eq!(age(&plan, given, at(2026, 11, 2)), Age::Given);
        plan.identity.password.change_at.clear();
        plan.portal = None;
        assert!(matches!(age(&plan, given, at(2026, 11, 2)), Age::Good { .. }));
    }

    #[test]
    fn an_old_password_does_what_the_plan_says() {
        let ended = Age::Ended { ends_s: at(2026, 5, 31) };
        for (at_expiry, read, send) in
            [(AtExpiry::WarnOnly, true, true), (AtExpiry::ReadOnlyImap, true, false), (AtExpiry::Refuse, false, false)]
        {
            let plan = plan(|rules| rules.at_expiry = at_expiry);
            for age in [ended, Age::Given] {
                let may = (opens(&plan, age, Use::Read).is_ok(), opens(&plan, age, Use::Send).is_ok());
                assert_eq!(may, (read, send), "{at_expiry:?} {age:?}");
            }
            assert!(opens(&plan, Age::Near { ends_s: 1, warn_s: 1 }, Use::Send).is_ok());
        }
        let refusal = opens(&plan(|_| {}), ended, Use::Send).unwrap_err();
        assert_eq!(refusal.reason, Reason::PasswordExpired);
        assert!(refusal.text.contains("2026-05-31") && refusal.text.contains("https://"), "{}", refusal.text);
    }
}
