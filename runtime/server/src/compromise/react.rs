//! What follows when a detector goes off, in an order in which a crash loses nothing: the case and its locks in one commit,
//! then the sessions, then the word to the managers.

use std::sync::Arc;
use std::time::Duration;

use decide::compromise::Tripped;
use mail::{Address, Login};
use store::{Op, ReadError};

use super::case::{self, Case, Done, State};
use crate::accesses::{self, How};
use crate::notices::{self, Words};
use crate::service::Service;
use crate::standing::{ChangeError, Lock, Standing};
use crate::{clock, durable};

/// Where an account was used from: so many ways are told.
const FROM_MAX: u32 = 10;
/// While the store takes nothing.
const AGAIN: Duration = Duration::from_secs(1);
const TRIES: u32 = 600;
/// Who did it, in the audit.
const BY: &str = "policy";

/// Opens a case and does what the policy asks.
pub async fn open(service: &Arc<Service>, id: &str, login: &Login, tripped: &Tripped) {
    let then = service.tables.plan().compromise.get(&tripped.detector).map(|it| it.then.clone()).unwrap_or_default();
    let ways = service.accesses.of(&service.store, login, FROM_MAX).unwrap_or_default();
    let from = ways.iter().filter_map(|access| How::read(&access.how)).map(|how| how.to_string()).collect();
    let case = Case::new(login.as_str(), tripped, &then, from, clock::unix_s());
    service.metrics.compromise_cases.with_label_values(&[&*case.detector]).inc();
    tracing::warn!(%login, case = id, rule = case.rule(), evidence = case.evidence, "a detector went off");
    for _ in 0..TRIES {
        let (worker, id, case) = (service.clone(), id.to_owned(), case.clone());
        let locked = durable::blocking(move || lock(&worker, &id, case)).await;
        match locked {
            Some(Ok(())) => break,
            // Nobody is there any more to be held.
            Some(Err(ChangeError::NoSuchPerson)) | None => return,
            Some(Err(error)) => tracing::error!("a case cannot be kept, again in a moment: {error}"),
        }
        tokio::time::sleep(AGAIN).await;
        if service.stopping() {
            return;
        }
    }
    // What led here is evidence: it does not wait for the next flush.
    accesses::flush(service).await;
    go_on(service, id).await;
}

/// The case and its locks, in one commit.
fn lock(service: &Service, id: &str, mut case: Case) -> Result<(), ChangeError> {
    let Some(login) = Login::new(&case.login) else { return Ok(()) };
    let (now_s, rule) = (clock::unix_s(), case.rule());
    let because = format!("case {id}: {}", case.evidence);
    let lock_for = |for_s: u64| Lock {
        because: because.clone(),
        rule: rule.clone(),
        by: BY.to_owned(),
        at_s: now_s,
        until_s: Some(now_s.saturating_add(i64::try_from(for_s).unwrap_or(i64::MAX))),
    };
    let mut locks = Vec::new();
    for reaction in &mut case.reactions {
        if let "HoldOutgoing" | "LockSending" = &*reaction.what {
            locks.push((reaction.what == "HoldOutgoing", lock_for(reaction.for_s)));
            reaction.at_s = now_s;
        }
    }
    let what = format!("{rule} went off for {login}, case {id}: {}", case.evidence);
    let ops = vec![case::op(id, Some(&case)), Op::Audit { at_s: now_s, who: BY.to_owned(), what }];
    if locks.is_empty() {
        service.store.commit_wait(ops)?;
        return Ok(());
    }
    service.standings.change_with(&service.store, &login, ops, Some(now_s), |standing: &mut Standing| {
        for (is_hold, lock) in locks {
            let place = if is_hold { &mut standing.outgoing_held } else { &mut standing.sending_locked };
            if place.as_ref().is_none_or(|kept| ends_later(&lock, kept)) {
                *place = Some(lock);
            }
        }
    })?;
    Ok(())
}

fn ends_later(new: &Lock, kept: &Lock) -> bool {
    match (new.until_s, kept.until_s) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(new_s), Some(kept_s)) => new_s > kept_s,
    }
}

/// Does what of an open case is not done yet.
pub async fn go_on(service: &Arc<Service>, id: &str) {
    let _one = service.compromise.changing.lock().await;
    let Ok(Some(mut case)) = case::of(&service.store, id) else { return };
    if case.state != State::Open {
        return;
    }
    let Some(login) = Login::new(&case.login) else { return };
    if undone(&case, "EndSessions").is_some() {
        let ended = service.sessions.end(&login);
        tracing::info!(%login, case = id, ended, "sessions are ended");
        if !did(service, id, &mut case, "EndSessions").await {
            return;
        }
    }
    if undone(&case, "Alert").is_some() && alert(service, id, &mut case).await {
        did(service, id, &mut case, "Alert").await;
    }
}

fn undone<'a>(case: &'a Case, what: &str) -> Option<&'a Done> {
    case.reactions.iter().find(|reaction| reaction.what == what && reaction.at_s == 0)
}

/// Marks a reaction as done. False when the store did not take it: it is done again.
async fn did(service: &Service, id: &str, case: &mut Case, what: &str) -> bool {
    let now_s = clock::unix_s();
    case.reactions.iter_mut().filter(|reaction| reaction.what == what).for_each(|reaction| reaction.at_s = now_s);
    let kept = durable::commit(&service.store, vec![case::op(id, Some(case))]).await;
    kept.inspect_err(|error| tracing::error!("a case cannot be kept: {error}")).is_ok()
}

/// Tells the managers, each address once: that it was told is in the commit of its message. False when one is still to be
/// told.
async fn alert(service: &Arc<Service>, id: &str, case: &mut Case) -> bool {
    for address in managers(service) {
        let text = address.to_string();
        if case.told.contains(&text) {
            continue;
        }
        case.told.push(text);
        let told = notices::tell(service, &address, words(service, id, case), vec![case::op(id, Some(case))]).await;
        if !told {
            case.told.pop();
            return false;
        }
    }
    true
}

/// Addresses of the managers that lead to somebody; postmaster where none does.
fn managers(service: &Service) -> Vec<Address> {
    let plan = service.tables.plan();
    let domain = &plan.institution.domain;
    let whole = |name: &String| if name.contains('@') { name.clone() } else { format!("{name}@{domain}") };
    let leads = |address: &Address| -> Result<bool, ReadError> {
        Ok(service.store.resolve(address)? != store::Resolution::Unknown)
    };
    let named = plan.roles.managers.iter().filter_map(|name| whole(name).parse::<Address>().ok());
    let found: Vec<Address> = named.filter(|address| leads(address).unwrap_or(false)).collect();
    if !found.is_empty() {
        return found;
    }
    Address::new("postmaster", domain.clone()).into_iter().collect()
}

fn words(service: &Service, id: &str, case: &Case) -> Words {
    let Case { login, evidence, .. } = case;
    let rule = case.rule();
    let from = if case.from.is_empty() { "-".to_owned() } else { case.from.join("\r\n") };
    let done: Vec<&str> = case.reactions.iter().map(|reaction| &*reaction.what).collect();
    let done = done.join(", ");
    let until = until(service, case.until_s);
    Words {
        subject: format!("Compte {login} : peut-être volé / account {login}: possibly stolen [{id}]"),
        french: format!(
            "un détecteur de la politique s'est déclenché pour le compte {login} :\r\n\
             {rule} : {evidence}\r\n\
             Réactions : {done} (jusqu'au {until}). Ce qui est retenu n'est pas perdu et part à la fin.\r\n\
             Utilisé dernièrement depuis :\r\n{from}\r\n\
             Pour regarder et décider : facteur compromise show {id} ; facteur compromise lift {id}\r\n\
             Si le compte est volé : facteur person contain {login}"
        ),
        english: format!(
            "a detector of the policy went off for the account {login}:\r\n\
             {rule}: {evidence}\r\n\
             Reactions: {done} (until {until}). What is held is not lost, and goes at the end.\r\n\
             Used lately from:\r\n{from}\r\n\
             To look and decide: facteur compromise show {id}; facteur compromise lift {id}\r\n\
             If the account is stolen: facteur person contain {login}"
        ),
    }
}

/// A moment for people, by the institution's clock.
pub(super) fn until(service: &Service, at_s: i64) -> String {
    let at = jiff::Timestamp::from_second(at_s).unwrap_or_default().to_zoned(service.time_zone.clone());
    at.strftime("%Y-%m-%d %H:%M").to_string()
}
