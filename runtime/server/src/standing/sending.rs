//! What an account may send: judged at MAIL, and once more when its message has come, which then may have to wait.

use decide::{Client, Refusal};
use mail::{Address, Login};

use super::Lock;
use crate::clock;
use crate::drive::{Open, Recipient};
use crate::service::Service;

/// May `login` send now?
pub fn may_send(service: &Service, login: &Login) -> Result<(), Refusal> {
    let contact = &service.tables.plan().institution.contact;
    let standing = service.standings.of(login);
    decide::sends(standing.account_state(), contact)?;
    match standing.sending_lock(clock::unix_s()) {
        Some(lock) => Err(decide::sending_locked(&lock.rule, lock.until_s.is_some(), contact)),
        None => Ok(()),
    }
}

/// Has all of a message wait in the spool where what its account sends is held, copies for people here as well. A lock that came
/// while the message was looked at finds it accepted: then it waits, too.
pub fn hold(service: &Service, client: &Client, open: &mut Open) {
    let Some(account) = &client.account else { return };
    let (standing, now_s) = (service.standings.of(&account.login), clock::unix_s());
    let Some(lock) = standing.outgoing_hold(now_s).or_else(|| standing.sending_lock(now_s)) else { return };
    open.held_because = Some(words(lock));
    open.recipients.iter_mut().for_each(wait);
    tracing::info!(queue_id = %open.queue_id, login = %account.login, rule = lock.rule, "held");
}

fn words(lock: &Lock) -> String {
    if lock.rule.is_empty() { lock.because.clone() } else { format!("{}: {}", lock.rule, lock.because) }
}

/// Where the mailboxes behind it are here, they are looked for again when it is released.
fn wait(recipient: &mut Recipient) {
    let found = &mut recipient.found;
    let here = found.logins.len() + found.left_out.len() + found.forwards.len();
    if here == 0 {
        return;
    }
    let away = |(address, _): &(Address, _)| *address != found.address;
    // Homes of other people behind the same address are found again with them.
    let others = found.away.iter().filter(|it| away(it)).count();
    found.many = Some(here + others);
    (found.logins, found.left_out, found.away, found.forwards) = Default::default();
    found.gone.clear();
}
