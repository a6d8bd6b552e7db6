//! The end of an account: everything of a person goes, but for the ledger and the records.

use std::sync::Arc;

use decide::AccountState;
use mail::Login;
use store::{Expunged, Op, PersonRow, UidSet};

use super::{ChangeError, reply};
use crate::passwords::{self, totp};
use crate::service::Service;
use crate::{app_passwords, clock, redirects};

/// Messages that go in one commit.
const EXPUNGED_AT_ONCE: usize = 2_000;

/// Erases the person of `row`, on the record of `who`. Done again after a crash it ends what it began.
pub fn erased(service: &Arc<Service>, row: &PersonRow, who: &str) -> Result<(), ChangeError> {
    let login = &row.person.login;
    empty(service, login)?;
    let what = format!("{login} is erased: mailboxes, addresses, rights; by {}", AccountState::Erased.rule());
    tracing::info!(who, "audit: {what}");
    let (given_to, given_by) = (service.delegations.given_to(login), service.delegations.given_by(login));
    let mut ops = vec![
        Op::ErasePerson { login: login.clone() },
        Op::Audit { at_s: clock::unix_s(), who: who.to_owned(), what },
        Op::Setting { key: totp::setting_of(login), value: None },
        Op::Setting { key: passwords::history_of(login), value: None },
        redirects::op(login, None),
        app_passwords::op(login, &[]),
        reply::forgotten(login),
        service.requests.op(login, None),
        service.room_grants.op(login, None),
    ];
    ops.extend(given_to.iter().map(|(owner, _)| service.delegations.op(login, owner, None)));
    ops.extend(given_by.iter().map(|(delegate, _)| service.delegations.op(delegate, login, None)));
    service.store.commit_wait(ops)?;
    given_to.iter().for_each(|(owner, _)| service.delegations.put(login, owner, None));
    given_by.iter().for_each(|(delegate, _)| service.delegations.put(delegate, login, None));
    service.redirects.put(login, None);
    service.requests.put(login, None);
    service.room_grants.put(login, None);
    service.standings.forget(login);
    service.passwords.forget(login);
    service.spam.names.changed();
    service.sessions.end(login);
    Ok(())
}

/// Large mailboxes go a part at a time, so that other mail goes on meanwhile.
fn empty(service: &Service, login: &Login) -> Result<(), ChangeError> {
    for mailbox in service.store.mailboxes(login)? {
        let rows = service.store.messages(mailbox.id, &UidSet::all())?;
        let uids: Vec<u32> = rows.into_iter().map(|row| row.uid).collect();
        for page in uids.chunks(EXPUNGED_AT_ONCE) {
            let which = Expunged::Exactly(page.iter().copied().collect());
            service.store.commit_wait(vec![Op::Expunge { mailbox: mailbox.id, which }])?;
        }
    }
    Ok(())
}
