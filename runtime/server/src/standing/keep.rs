//! Accounts that are due: states that begin today, notices before a change, what is erased. Driven by the day each person has
//! to be looked at, so that nobody is looked at in vain; `decide::look` decides, with today as a fact.

use std::sync::Arc;
use std::time::Duration;

use decide::{AccountFacts, AccountState, Look, Notice};
use mail::{Address, Login};
use store::{Op, PersonRow, QueueId};

use super::erase::erased;
use super::{ChangeError, Standing, Told};
use crate::notices::{self, Words};
use crate::service::{Service, stopped};
use crate::{clock, durable};

/// What is set by a command or an import is looked at within this.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// People of one look.
const PAGE: u32 = 1_000;
/// Who does what comes by the dates, in the audit.
const WHO: &str = "accounts";
/// After trouble with one account.
const TROUBLE_S: i64 = 60;

/// Looks until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    while tokio::time::timeout(LOOK_EVERY, stopped(&mut stop)).await.is_err() {
        look_at_all(&service).await;
    }
}

/// Looks at everybody who is due. Before a server listens, so that nobody meets yesterday's state.
pub async fn look_at_all(service: &Arc<Service>) {
    let worker = service.clone();
    // A panic was counted, and the next look comes.
    let _ = durable::blocking(move || while look_at_page(&worker) && !worker.stopping() {}).await;
}

/// False when nobody else is due, or the store does not take it.
fn look_at_page(service: &Arc<Service>) -> bool {
    let page = match quiet(service) {
        Ok(page) => page,
        Err(error) => {
            tracing::error!("nobody can be looked at: {error}");
            return false;
        }
    };
    let mut sound = true;
    for login in &page.left {
        if let Err(error) = look_at(service, login) {
            tracing::error!(%login, "where this account stands could not be kept: {error}");
            sound = false;
        }
    }
    sound && page.is_full
}

/// Those who are due and of whom something is to be done.
struct Page {
    left: Vec<Login>,
    is_full: bool,
}

/// Those who are due and stand as they did are due another day: all of a page in one commit, for an import may have brought
/// everybody.
fn quiet(service: &Service) -> Result<Page, ChangeError> {
    let (plan, today) = (service.tables.plan(), service.today());
    service.standings.alone(|| {
        let page = service.store.people_due(clock::unix_s(), PAGE)?;
        let (mut ops, mut left) = (Vec::new(), Vec::new());
        for row in &page {
            let login = row.person.login.clone();
            let standing = Standing::read(&login, &row.standing);
            let look = decide::look(&plan.accounts, plan.retention.closed_accounts, facts_of(row, &standing), &today);
            let same = look.by_dates == standing.by_dates && !look.given_ended && look.notice.is_none() && !look.erase;
            if same {
                let due_s = look.again_on.as_deref().and_then(|day| midnight_s(service, day));
                ops.push(Op::SetStanding { login, standing: row.standing.clone(), due_s });
            } else {
                left.push(login);
            }
        }
        if !ops.is_empty() {
            service.store.commit_wait(ops)?;
        }
        Ok(Page { left, is_full: page.len() == PAGE as usize })
    })
}

/// Looks at one account, and does what is due.
pub fn look_at(service: &Arc<Service>, login: &Login) -> Result<(), ChangeError> {
    let today = service.today();
    let plan = service.tables.plan();
    let mut erase = None;
    let mut queued = Vec::new();
    let before = service.standings.of(login).account_state();
    let standing = service.standings.look(&service.store, login, |row, standing| {
        let look = decide::look(&plan.accounts, plan.retention.closed_accounts, facts_of(row, standing), &today);
        let mut ops = Vec::new();
        if let Some(notice) = &look.notice {
            queued = notice_ops(service, row, notice, &mut ops)?;
            standing.told =
                Some(Told { to: notice.change.to, on: notice.change.on.clone(), before_s: notice.before_s });
        }
        if look.given_ended {
            standing.state = None;
        }
        standing.by_dates = look.by_dates;
        if look.state != before {
            ops.push(changed(login, before, &look));
        }
        erase = look.erase.then(|| row.clone());
        let due_s = look.again_on.as_deref().and_then(|day| midnight_s(service, day));
        Ok((ops, if look.erase { Some(clock::unix_s() + TROUBLE_S) } else { due_s }))
    })?;
    queued.into_iter().for_each(|id| service.spool.arrived(id));
    let state = standing.account_state();
    let (was, is) = (decide::may(before), decide::may(state));
    if (was.read && !is.read) || (was.send && !is.send) {
        service.sessions.end(login);
    }
    match erase {
        Some(row) => erased(service, &row, WHO),
        None => Ok(()),
    }
}

pub fn facts_of<'a>(row: &'a PersonRow, standing: &'a Standing) -> AccountFacts<'a> {
    AccountFacts {
        registered: &row.origin.registered,
        until: &row.origin.until,
        given: standing.state.as_ref().map(|given| decide::GivenState {
            state: given.state,
            since: &given.since,
            until: &given.until,
        }),
        told: standing.told.as_ref().map(|told| decide::ToldNotice {
            to: told.to,
            on: &told.on,
            before_s: told.before_s,
        }),
    }
}

/// The first second of a day where the institution is.
pub fn midnight_s(service: &Service, day: &str) -> Option<i64> {
    let day: jiff::civil::Date = day.parse().ok()?;
    Some(day.to_zoned(service.time_zone.clone()).ok()?.timestamp().as_second())
}

fn changed(login: &Login, before: AccountState, look: &Look) -> Op {
    let what = format!("{login} is {} after {}, by {}", look.state.word(), before.word(), look.state.rule());
    tracing::info!(who = WHO, "audit: {what}");
    Op::Audit { at_s: clock::unix_s(), who: WHO.to_owned(), what }
}

/// A notice that cannot be written now is not lost: the look fails with it, and comes again.
fn notice_ops(
    service: &Arc<Service>,
    row: &PersonRow,
    notice: &Notice,
    ops: &mut Vec<Op>,
) -> Result<Vec<QueueId>, ChangeError> {
    let words = words(service, row, notice);
    let correspondents = correspondents(service, row).filter(|_| notice.change.to == AccountState::Closed);
    let mut queued = Vec::new();
    for to in [Some(row.person.address.clone()), correspondents].into_iter().flatten() {
        let (id, told) = notices::ops_of(service, &to, &words)?;
        queued.push(id);
        ops.extend(told);
    }
    Ok(queued)
}

/// The functional address of those who look after the person's unit, where there is one.
fn correspondents(service: &Service, row: &PersonRow) -> Option<Address> {
    let form = &service.tables.plan().roles.correspondents;
    if form.is_empty() || row.person.unit.is_empty() {
        return None;
    }
    let address: Address = form.replace("{unit}", &row.person.unit).parse().ok()?;
    let found = service.store.resolve(&address).ok()?;
    matches!(found, store::Resolution::Alias(_)).then_some(address)
}

fn words(service: &Service, row: &PersonRow, notice: &Notice) -> Words {
    let Notice { change, days_left, .. } = notice;
    let contact = &service.tables.plan().institution.contact;
    let (ask_fr, ask_en) = match contact.as_str() {
        "" => (String::new(), String::new()),
        contact => (format!("\r\nQuestions : {contact}."), format!("\r\nQuestions: {contact}.")),
    };
    let (name, login, on) = (format!("{} {}", row.person.first, row.person.last), &row.person.login, &change.on);
    let (french, english) = match change.to {
        AccountState::Grace => (
            "la date de départ est passée ce jour-là ; le courrier continue quelque temps comme avant",
            "the last day is over then; mail goes on as before for some time",
        ),
        AccountState::ReceiveOnly => (
            "à partir de ce jour, le compte lit et reçoit du courrier mais n'en envoie plus",
            "from that day on the account reads and receives mail and sends none",
        ),
        AccountState::AutoReply => (
            "à partir de ce jour, le compte ne s'ouvre plus ; qui lui écrit apprend que la personne est partie",
            "from that day on the account does not open; who writes to it is told that the person left",
        ),
        _ => (
            "à partir de ce jour, le compte est fermé : il ne s'ouvre plus et ne reçoit plus de courrier. Enregistrez \
             ailleurs ce qui doit rester",
            "from that day on the account is closed: it does not open and takes no mail. Keep elsewhere what shall stay",
        ),
    };
    let french = format!(
        "compte {login} ({name}), dans {days_left} jour(s), le {on} :\r\n{french}.\r\nSi la date est fausse, voyez avec \
         votre service.{ask_fr}"
    );
    let english = format!(
        "account {login} ({name}), in {days_left} day(s), on {on}:\r\n{english}.\r\nIf the day is wrong, ask your \
         department.{ask_en}"
    );
    Words {
        subject: format!("Compte {login} : changement le {on} / Account {login}: a change on {on}"),
        french,
        english,
    }
}
