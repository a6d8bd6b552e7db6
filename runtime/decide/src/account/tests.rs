use super::*;

const DAY: u64 = 86_400;

fn rules() -> Accounts {
    let leaving = |state, days| plan::Leaving { state, for_s: days * DAY };
    Accounts {
        arriving_s: 14 * DAY,
        leaving: vec![
            leaving(LeavingState::Grace, 30),
            leaving(LeavingState::ReceiveOnly, 30),
            leaving(LeavingState::AutoReply, 60),
        ],
        notices_before_s: vec![30 * DAY, 7 * DAY, DAY],
        reuse_after: Life::Forever,
        mass_change: plan::MassChange { at_most_percent: 5, floor: 20 },
    }
}

#[test]
fn dates_give_the_state_and_later_ones_win() {
    use AccountState::{Active, Arriving, AutoReply, Closed, Grace, ReceiveOnly};
    for (registered, until, today, state) in [
        ("", "", "2026-11-30", Active),
        ("2026-12-15", "", "2026-11-30", Closed),
        ("2026-12-14", "", "2026-11-30", Arriving),
        ("2026-12-01", "", "2026-11-30", Arriving),
        ("2026-11-30", "", "2026-11-30", Active),
        ("2020-09-01", "2026-11-30", "2026-11-30", Active),
        ("2020-09-01", "2026-11-30", "2026-12-01", Grace),
        ("2020-09-01", "2026-11-30", "2026-12-30", Grace),
        ("2020-09-01", "2026-11-30", "2026-12-31", ReceiveOnly),
        ("2020-09-01", "2026-11-30", "2027-01-30", AutoReply),
        ("2020-09-01", "2026-11-30", "2027-03-30", AutoReply),
        ("2020-09-01", "2026-11-30", "2027-03-31", Closed),
        ("", "2026-11-30", "2030-01-01", Closed),
        // A contract that ends before it begins is over.
        ("2026-12-05", "2026-11-30", "2026-12-06", Grace),
        ("2026-02-30", "next year", "2026-11-30", Active),
    ] {
        let found = state_on(&rules(), registered, until, today);
        assert_eq!(found, state, "{registered} to {until} on {today}");
    }
}

#[test]
fn without_rules_for_leaving_an_account_closes_on_the_next_day() {
    let rules = Accounts { leaving: Vec::new(), ..rules() };
    assert_eq!(state_on(&rules, "", "2026-11-30", "2026-11-30"), AccountState::Active);
    assert_eq!(state_on(&rules, "", "2026-11-30", "2026-12-01"), AccountState::Closed);
}

/// Each day of a life, as the job lives it: what it did, and that it was asked on that day.
fn played(facts: Facts<'_>, days: i64, closed_accounts: Life) -> Vec<String> {
    let (first, mut said) = (Day::parse_iso("2026-06-01").unwrap(), Vec::new());
    let mut told: Option<(AccountState, String, u64)> = None;
    let (mut due, mut before) = (Some(first.to_iso()), AccountState::Active);
    for day in 0..days {
        let today = first.plus(day).to_iso();
        if due.as_ref().is_none_or(|due| *due > today) {
            // Nothing may happen on a day nobody looks.
            let told = told.as_ref().map(|(to, on, before_s)| Told { to: *to, on, before_s: *before_s });
            let quiet = look(&rules(), closed_accounts, Facts { told, ..facts }, &today);
            assert!(quiet.state == before && quiet.notice.is_none() && !quiet.erase, "{today}: {quiet:?}");
            continue;
        }
        let known = told.as_ref().map(|(to, on, before_s)| Told { to: *to, on, before_s: *before_s });
        let found = look(&rules(), closed_accounts, Facts { told: known, ..facts }, &today);
        if found.state != before {
            said.push(format!("{today} {}", found.state.word()));
        }
        if let Some(notice) = found.notice {
            said.push(format!("{today} tells {} in {}", notice.change.to.word(), notice.days_left));
            told = Some((notice.change.to, notice.change.on, notice.before_s));
        }
        if found.erase {
            said.push(format!("{today} erases"));
            return said;
        }
        (before, due) = (found.state, found.again_on);
    }
    said
}

#[test]
fn a_calendar_is_played_through_and_nothing_happens_between_the_days_that_are_due() {
    let facts = Facts { registered: "2020-09-01", until: "2026-08-31", ..Facts::default() };
    let said = played(facts, 800, Life::For { s: 180 * DAY });
    assert_eq!(
        said,
        [
            "2026-08-02 tells grace in 30",
            "2026-08-25 tells grace in 7",
            "2026-08-31 tells grace in 1",
            "2026-09-01 grace",
            "2026-09-01 tells receive-only in 30",
            "2026-09-24 tells receive-only in 7",
            "2026-09-30 tells receive-only in 1",
            "2026-10-01 receive-only",
            "2026-10-01 tells auto-reply in 30",
            "2026-10-24 tells auto-reply in 7",
            "2026-10-30 tells auto-reply in 1",
            "2026-10-31 auto-reply",
            "2026-11-30 tells closed in 30",
            "2026-12-23 tells closed in 7",
            "2026-12-29 tells closed in 1",
            "2026-12-30 closed",
            "2027-06-28 erases",
        ]
    );
}

#[test]
fn a_command_wins_over_the_dates_until_it_ends_and_who_is_held_is_never_erased() {
    use AccountState::{Active, Closed, Grace, Held, Suspended};
    let rules = rules();
    let life = Life::For { s: 180 * DAY };
    let given = |state, until| Some(Given { state, since: "2026-01-01", until });
    for (state, given_until, until, today, expected, ended, erase, again_on) in [
        (Suspended, "", "", "2026-11-30", Suspended, false, false, None),
        (Suspended, "2026-11-30", "", "2026-11-30", Suspended, false, false, Some("2026-12-01")),
        (Suspended, "2026-11-30", "", "2026-12-01", Active, true, false, None),
        (Suspended, "2026-11-30", "2026-11-29", "2026-12-01", Grace, true, false, Some("2026-12-23")),
        // Nobody stays suspended for ever and goes on receiving mail.
        (Suspended, "", "2025-01-01", "2026-12-01", Closed, false, true, None),
        (Held, "", "2020-01-01", "2026-12-01", Held, false, false, None),
        (Held, "2026-11-30", "2020-01-01", "2026-12-01", Closed, true, true, None),
        (Closed, "", "", "2026-06-29", Closed, false, false, Some("2026-06-30")),
        (Closed, "", "", "2026-06-30", Closed, false, true, None),
        (Active, "", "2020-01-01", "2026-12-01", Active, false, false, None),
    ] {
        let facts = Facts { until, given: given(state, given_until), ..Facts::default() };
        let found = look(&rules, life, facts, today);
        let told = (found.state, found.given_ended, found.erase, found.again_on.as_deref());
        assert_eq!(told, (expected, ended, erase, again_on), "{state:?} until {given_until} on {today}");
    }
}

#[test]
fn who_has_not_come_yet_is_not_erased_and_nothing_is_erased_without_an_end() {
    let facts = Facts { registered: "2030-01-01", ..Facts::default() };
    let found = look(&rules(), Life::For { s: 0 }, facts, "2026-11-30");
    assert_eq!(
        (found.state, found.erase, found.again_on.as_deref()),
        (AccountState::Closed, false, Some("2029-12-18"))
    );
    let facts = Facts { until: "2020-01-01", ..Facts::default() };
    assert!(!look(&rules(), Life::Forever, facts, "2026-11-30").erase);
}

#[test]
fn each_state_lets_happen_what_it_is_for() {
    let table: Vec<String> = AccountState::ALL
        .into_iter()
        .map(|state| {
            let May { read, send, receive } = may(state);
            let login = logs_in(state, "").is_ok();
            assert_eq!(login, read || send, "{state:?}");
            assert_eq!(sends(state, "").is_ok(), send, "{state:?}");
            assert_eq!(AccountState::of_word(state.word()), Some(state));
            format!("{} read {read} send {send} receive {receive:?}", state.word())
        })
        .collect();
    assert_eq!(
        table,
        [
            "arriving read true send false receive Yes",
            "active read true send true receive Yes",
            "grace read true send true receive Yes",
            "receive-only read true send false receive Yes",
            "auto-reply read false send false receive YesAndReply",
            "suspended read false send false receive Yes",
            "held read false send false receive No",
            "closed read false send false receive No",
            "erased read false send false receive No",
        ]
    );
}

#[test]
fn a_refusal_says_what_happened_and_whom_to_ask() {
    let refusal = sends(AccountState::ReceiveOnly, "assistance@univ-nantes.fr").unwrap_err();
    let mut said = Vec::new();
    refusal.reply(true, "abc").render(&mut said);
    assert_eq!(
        String::from_utf8(said).unwrap().replace("\r\n550-5.7.1", "").replace("\r\n550 5.7.1", "").trim_end(),
        "550 5.7.1 this account may read mail and sends no more; ask assistance@univ-nantes.fr [accounts.leaving abc]"
    );
    assert!(sending_locked("", true, "").code.is_temporary() && !sending_locked("", false, "").code.is_temporary());
    let refusal = logs_in(AccountState::Suspended, "").unwrap_err();
    assert_eq!(refusal.text, "this account is suspended; ask your mail managers");
}
