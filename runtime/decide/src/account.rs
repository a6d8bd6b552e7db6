//! The life of an account: its states by the dates of a person, what each lets happen, and what is to be done on a day.
//!
//! Days are those of the institution's time zone, `YYYY-MM-DD`; an empty one is not known and says nothing.

use mail::date::Day;
use mail::{Code, reply};
use plan::{Accounts, LeavingState, Life};

use crate::reason::{Reason, Refusal};

const DAY_S: u64 = 86_400;

/// Where an account is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountState {
    /// Before the first day: mail is taken and read.
    Arriving,
    #[default]
    Active,
    /// After the last day, as before it.
    Grace,
    /// Mail is taken and read, and nothing is sent.
    ReceiveOnly,
    /// Mail is taken, nobody reads it, and who wrote it is told so.
    AutoReply,
    /// By command: nobody logs in, mail is kept for when it ends.
    Suspended,
    /// By command, for a legal reason: nothing in, nothing out, nothing erased.
    Held,
    /// Nothing in, nothing out; what is there waits to be erased. So is who arrives later than the policy prepares for.
    Closed,
    /// Login and addresses are all that is known of it.
    Erased,
}

/// Does mail come in?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receive {
    Yes,
    /// And its sender hears that the person left.
    YesAndReply,
    No,
}

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct May {
    pub read: bool,
    pub send: bool,
    pub receive: Receive,
}

/// What is known of the account of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The first day.
    pub registered: &'a str,
    /// The last day.
    pub until: &'a str,
    /// The state a command set; it wins over the dates.
    pub given: Option<Given<'a>>,
    /// The last notice that was sent.
    pub told: Option<Told<'a>>,
}

/// A state that was set by a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given<'a> {
    pub state: AccountState,
    pub since: &'a str,
    /// The last day of it; empty when somebody has to end it.
    pub until: &'a str,
}

/// A notice: the change it was about, and how many seconds before it the policy wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told<'a> {
    pub to: AccountState,
    pub on: &'a str,
    pub before_s: u64,
}

/// A change that comes by the dates alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub to: AccountState,
    /// The first day of it.
    pub on: String,
}

/// A notice that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub change: Change,
    pub days_left: u32,
    /// The entry of `accounts.notices` it is.
    pub before_s: u64,
}

/// What a day brings for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    pub state: AccountState,
    /// The state the dates give, whatever a command says.
    pub by_dates: AccountState,
    /// The command's state is over.
    pub given_ended: bool,
    pub notice: Option<Notice>,
    /// It has been closed for as long as the policy keeps it.
    pub erase: bool,
    /// The day somebody has to look again; `None` never.
    pub again_on: Option<String>,
}

impl AccountState {
    pub const ALL: [AccountState; 9] = [
        AccountState::Arriving,
        AccountState::Active,
        AccountState::Grace,
        AccountState::ReceiveOnly,
        AccountState::AutoReply,
        AccountState::Suspended,
        AccountState::Held,
        AccountState::Closed,
        AccountState::Erased,
    ];

    /// Stable for ever: the store keeps it.
    pub fn word(self) -> &'static str {
        match self {
            AccountState::Arriving => "arriving",
            AccountState::Active => "active",
            AccountState::Grace => "grace",
            AccountState::ReceiveOnly => "receive-only",
            AccountState::AutoReply => "auto-reply",
            AccountState::Suspended => "suspended",
            AccountState::Held => "held",
            AccountState::Closed => "closed",
            AccountState::Erased => "erased",
        }
    }

    pub fn of_word(word: &str) -> Option<AccountState> {
        AccountState::ALL.into_iter().find(|state| state.word() == word)
    }

    /// The entry of the policy that brings it about.
    pub fn rule(self) -> &'static str {
        match self {
            AccountState::Arriving => "accounts.arriving",
            AccountState::Grace | AccountState::ReceiveOnly | AccountState::AutoReply | AccountState::Closed => {
                "accounts.leaving"
            }
            AccountState::Active | AccountState::Suspended | AccountState::Held => "accounts",
            AccountState::Erased => "retention.closed_accounts",
        }
    }
}

/// What an account in this state may do.
pub fn may(state: AccountState) -> May {
    let may = |read, send, receive| May { read, send, receive };
    match state {
        AccountState::Active | AccountState::Grace => may(true, true, Receive::Yes),
        AccountState::Arriving | AccountState::ReceiveOnly => may(true, false, Receive::Yes),
        AccountState::AutoReply => may(false, false, Receive::YesAndReply),
        AccountState::Suspended => may(false, false, Receive::Yes),
        AccountState::Held | AccountState::Closed | AccountState::Erased => may(false, false, Receive::No),
    }
}

/// The state on `today` by the dates alone; a command's state wins over it.
pub fn state_on(rules: &Accounts, registered: &str, until: &str, today: &str) -> AccountState {
    let Some(today) = Day::parse_iso(today) else { return AccountState::Active };
    steps(rules, registered, until).state(today)
}

/// The next change by the dates alone after `today`.
pub fn next_change(rules: &Accounts, registered: &str, until: &str, today: &str) -> Option<Change> {
    let today = Day::parse_iso(today)?;
    let (steps, now) = (steps(rules, registered, until), state_on(rules, registered, until, today.to_iso().as_str()));
    let days = steps.days.iter().map(|(day, _)| *day).filter(|day| *day > today);
    let on = days.filter(|day| steps.state(*day) != now).min()?;
    Some(Change { to: steps.state(on), on: on.to_iso() })
}

/// What `today` brings: pure, so that a calendar can be played through.
pub fn look(rules: &Accounts, closed_accounts: Life, facts: Facts<'_>, today: &str) -> Look {
    let by_dates = state_on(rules, facts.registered, facts.until, today);
    let over = |given: &Given<'_>| !given.until.is_empty() && given.until < today;
    let given = facts.given.filter(|given| !over(given));
    let state = match given {
        // Who is suspended leaves all the same.
        Some(Given { state: AccountState::Suspended, .. }) if by_dates == AccountState::Closed => by_dates,
        Some(given) => given.state,
        None => by_dates,
    };
    let change = next_change(rules, facts.registered, facts.until, today).filter(|_| given.is_none());
    let (notice, notice_on) = change.map_or((None, None), |change| notices(rules, change, facts.told, today));
    let erase_on = match (state, given) {
        (AccountState::Closed, Some(given)) if given.state == state => erased_on(closed_accounts, given.since),
        (AccountState::Closed, _) => erased_on(closed_accounts, &closed_on(rules, facts, today)),
        _ => None,
    };
    let ends_on = given.and_then(|given| Day::parse_iso(given.until)).map(|day| day.plus(1).to_iso());
    let change_on = next_change(rules, facts.registered, facts.until, today).map(|change| change.on);
    let later = [notice_on, erase_on.clone(), ends_on, change_on].into_iter().flatten();
    Look {
        state,
        by_dates,
        given_ended: facts.given.is_some() && given.is_none(),
        notice,
        erase: erase_on.is_some_and(|on| on.as_str() <= today),
        again_on: later.filter(|on| on.as_str() > today).min(),
    }
}

/// May somebody whose proof is right use this account at all?
pub fn logs_in(state: AccountState, contact: &str) -> Result<(), Refusal> {
    let may = may(state);
    if may.read || may.send {
        return Ok(());
    }
    Err(refusal(reply::ACCOUNT_DISABLED, state, contact))
}

/// May this account send?
pub fn sends(state: AccountState, contact: &str) -> Result<(), Refusal> {
    if may(state).send {
        return Ok(());
    }
    Err(refusal(reply::POLICY, state, contact))
}

/// The refusal of MAIL while somebody locked what an account sends. `rule` is what locked it, empty for a command; a lock that
/// `ends` by itself is no refusal for good.
pub fn sending_locked(rule: &str, ends: bool, contact: &str) -> Refusal {
    let code = if ends { reply::WINDOW_FULL } else { reply::POLICY };
    let rule = if rule.is_empty() { "compromise" } else { rule };
    let what = "sending from this account is locked: change your password";
    Refusal::new(code, Reason::SendingLocked, rule, asking(what, contact))
}

fn refusal(code: Code, state: AccountState, contact: &str) -> Refusal {
    let what = match state {
        AccountState::Arriving => "this account may read mail and send from its first day on",
        AccountState::ReceiveOnly => "this account may read mail and sends no more",
        AccountState::AutoReply | AccountState::Closed | AccountState::Erased => "this account is closed",
        AccountState::Suspended => "this account is suspended",
        AccountState::Held => "this account is kept as it is",
        AccountState::Active | AccountState::Grace => "this account may not do this",
    };
    Refusal::new(code, Reason::AccountState, state.rule(), asking(what, contact))
}

/// The words with whom to ask behind them.
pub fn asking(what: &str, contact: &str) -> String {
    if contact.is_empty() { format!("{what}; ask your mail managers") } else { format!("{what}; ask {contact}") }
}

/// The first day of each state, in the order in which later ones win.
struct Steps {
    before: AccountState,
    days: Vec<(Day, AccountState)>,
}

impl Steps {
    fn state(&self, day: Day) -> AccountState {
        self.days.iter().rev().find(|(from, _)| *from <= day).map_or(self.before, |(_, state)| *state)
    }
}

fn days_of(seconds: u64) -> i64 {
    i64::try_from(seconds.div_ceil(DAY_S)).unwrap_or(i64::MAX)
}

fn steps(rules: &Accounts, registered: &str, until: &str) -> Steps {
    let mut steps = Steps { before: AccountState::Active, days: Vec::new() };
    if let Some(first) = Day::parse_iso(registered) {
        steps.before = AccountState::Closed;
        steps.days.push((first.plus(-days_of(rules.arriving_s)), AccountState::Arriving));
        steps.days.push((first, AccountState::Active));
    }
    if let Some(last) = Day::parse_iso(until) {
        let mut from = last.plus(1);
        for leaving in &rules.leaving {
            let state = match leaving.state {
                LeavingState::Grace => AccountState::Grace,
                LeavingState::ReceiveOnly => AccountState::ReceiveOnly,
                LeavingState::AutoReply => AccountState::AutoReply,
            };
            steps.days.push((from, state));
            from = from.plus(days_of(leaving.for_s));
        }
        steps.days.push((from, AccountState::Closed));
    }
    steps
}

/// The notice that is due about `change`, and the day of the next one.
fn notices(rules: &Accounts, change: Change, told: Option<Told<'_>>, today: &str) -> (Option<Notice>, Option<String>) {
    let (Some(on), Some(now)) = (Day::parse_iso(&change.on), Day::parse_iso(today)) else { return (None, None) };
    if matches!(change.to, AccountState::Arriving | AccountState::Active) {
        return (None, None);
    }
    let left = i64::from(on.days_since_epoch()) - i64::from(now.days_since_epoch());
    let told_s =
        told.filter(|told| told.to == change.to && told.on == change.on).map_or(u64::MAX, |told| told.before_s);
    let open = rules.notices_before_s.iter().copied().filter(|before_s| *before_s < told_s);
    // Of several that are due at once the last says it all.
    let due = open.clone().filter(|before_s| days_of(*before_s) >= left).min();
    let next = open.map(days_of).filter(|before| *before < left).max().map(|before| on.plus(-before).to_iso());
    let days_left = u32::try_from(left).unwrap_or(u32::MAX);
    (due.map(|before_s| Notice { change, days_left, before_s }), next)
}

/// The day an account closed by its dates.
fn closed_on(rules: &Accounts, facts: Facts<'_>, today: &str) -> String {
    let steps = steps(rules, facts.registered, facts.until);
    let closed = steps.days.iter().find(|(_, state)| *state == AccountState::Closed);
    // Who has not come yet has not left either.
    closed.map(|(day, _)| day.to_iso()).filter(|day| day.as_str() <= today).unwrap_or_default()
}

/// The day an account that closed on `closed` is erased.
fn erased_on(life: Life, closed: &str) -> Option<String> {
    let closed = Day::parse_iso(closed)?;
    match life {
        Life::For { s } => Some(closed.plus(days_of(s)).to_iso()),
        Life::WhileAccountLives | Life::Forever => None,
    }
}

#[cfg(test)]
mod tests;
