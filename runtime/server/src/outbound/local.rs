//! Mail for an address that many are behind, spread over their mailboxes part by part: one commit each, with pauses
//! between them, so that other mail does not wait behind a list.
//!
//! INVARIANT (once): who is in which part follows from the login, and that a part is done is kept with the message, in the
//! commit of the part. After a crash, or a try that was cut short, the next one goes on behind it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mail::{Address, Flags, Login};
use queue::{MessageFacts, RecipientFacts, Route};
use spam::view::View;
use store::{
    BodyRef, Deliver, Enqueue, InternalDate, Op, QueueId, QueueItem, QueueRecipient, Resolution, Summary, Target,
    WaitingRecipient,
};

use super::attempt::{Next, deferred, settled, whole};
use super::capture::with_return_path;
use super::hold::is_held;
use crate::directory;
use crate::outcome::Event;
use crate::service::Service;
use crate::{clock, durable, left, marks, scan};

/// Others go first for twice as long as a part took, and at most so long.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// Spreads the message for each of `recipients`.
pub async fn spread(service: &Arc<Service>, item: &QueueItem, recipients: &[&WaitingRecipient]) -> Vec<Next> {
    let all_wait = |why: &str| -> Vec<Next> {
        recipients.iter().map(|recipient| deferred(service, item, recipient, why)).collect()
    };
    let Some(content) = whole(service, item).await else { return all_wait("the message cannot be read") };
    let content = crate::spam::marked(service, &queue::facts::read(&item.facts), content);
    let Some((body, content)) = with_return_path(service, item, content).await else {
        return all_wait("the message cannot be kept");
    };
    // Long ones take more than a moment.
    let from = item.reverse_path.clone();
    let read = move || (crate::drive::summary(&content), marks::of(&View::read(&content), &from));
    let Some((summary, marks)) = durable::blocking(read).await else { return all_wait("the message cannot be read") };
    let copy = Copy { item, body, summary, marks };
    let mut nexts = Vec::new();
    for recipient in recipients {
        nexts.push(match over_all(service, &copy, recipient).await {
            Ok(()) => settled(item, recipient, Event::Delivered, "delivered"),
            Err(why) => deferred(service, item, recipient, &why),
        });
    }
    nexts
}

struct Copy<'a> {
    item: &'a QueueItem,
    body: BodyRef,
    summary: Summary,
    marks: Vec<u64>,
}

async fn over_all(service: &Arc<Service>, copy: &Copy<'_>, recipient: &WaitingRecipient) -> Result<(), String> {
    let asked: RecipientFacts = queue::facts::read(&recipient.facts);
    let parts = usize::from(asked.parts.max(1));
    let mut members: Vec<Vec<Login>> = vec![Vec::new(); parts];
    for login in members_of(service, &recipient.forward_path)? {
        let part = part_of(&login, parts);
        members[part].push(login);
    }
    let facts: MessageFacts = queue::facts::read(&copy.item.facts);
    let done = facts.spread.get(&recipient.number).copied().map_or(0, usize::from);
    for (part, logins) in members.into_iter().enumerate().skip(done).filter(|(_, logins)| !logins.is_empty()) {
        if service.stopping() {
            return Err("the server stops".to_owned());
        }
        let began = Instant::now();
        deliver(service, copy, recipient, part, logins).await?;
        tokio::time::sleep((began.elapsed() * 2).min(PAUSE_MAX)).await;
    }
    Ok(())
}

fn members_of(service: &Service, address: &Address) -> Result<Vec<Login>, String> {
    match directory::resolve(&service.tables, &service.store, address).map(|(found, _)| found) {
        // Its mailboxes are its own.
        Ok(Resolution::Alias(alias)) => Ok(alias.account().map_or(alias.members, |account| vec![account])),
        Ok(Resolution::Person(row)) => Ok(vec![row.person.login]),
        // Nobody is behind it any more: nobody is missing a copy.
        Ok(Resolution::Unknown) => Ok(Vec::new()),
        Err(error) => Err(format!("the directory cannot be read: {error}")),
    }
}

/// The part a login is in, whoever joined or left meanwhile.
fn part_of(login: &Login, parts: usize) -> usize {
    let hash = blake3::hash(login.as_str().as_bytes());
    let [low, high, ..] = *hash.as_bytes();
    usize::from(u16::from_le_bytes([low, high])) % parts
}

/// The id of a part: the first octets are the message's time, as in every id.
fn part_id(queue_id: QueueId, recipient: u32, part: usize, what: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&queue_id.0).update(&recipient.to_le_bytes()).update(&(part as u64).to_le_bytes()).update(what);
    let mut id = queue_id.0;
    id[6..].copy_from_slice(&hasher.finalize().as_bytes()[..10]);
    id
}

/// One part in one commit: mailboxes here, and copies for those who live elsewhere or asked for their mail to go on.
async fn deliver(
    service: &Arc<Service>,
    copy: &Copy<'_>,
    recipient: &WaitingRecipient,
    part: usize,
    logins: Vec<Login>,
) -> Result<(), String> {
    let at_s = clock::unix_s();
    let queue_id = copy.item.queue_id;
    let due = |forward_path, route: Route| QueueRecipient {
        forward_path,
        next_hop: route.next_hop(),
        due_at_s: at_s,
        facts: Vec::new(),
    };
    let (mut here, mut away, mut forwards) = (Vec::new(), Vec::new(), Vec::new());
    for login in logins {
        let member =
            service.directory.member(&service.tables, &service.store, &login).map_err(|error| error.to_string())?;
        if member.has_mailbox {
            here.push((login, Target::Inbox));
        }
        away.extend(member.away.into_iter().map(|(address, route)| due(address, route)));
        forwards.extend(member.forwards.into_iter().map(|address| due(address, Route::Remote)));
    }
    let mut ops = Vec::new();
    if !here.is_empty() {
        ops.push(Op::Deliver(Box::new(Deliver {
            delivery_id: part_id(queue_id, recipient.number, part, b"here"),
            recipients: here,
            body: copy.body.clone(),
            summary: copy.summary.clone(),
            internal_date: InternalDate { seconds: at_s, offset_minutes: 0 },
            flags: Flags::default(),
            marks: copy.marks.clone(),
        })));
    }
    let from = &copy.item.reverse_path;
    let under_ours = service.directory.goes_on_under(&service.tables, from, at_s);
    let mut queued = Vec::new();
    for (what, recipients, reverse_path) in [("away", away, from.clone()), ("on", forwards, under_ours)] {
        let id = QueueId(part_id(queue_id, recipient.number, part, what.as_bytes()));
        if recipients.is_empty() {
            continue;
        }
        queued.push(id);
        ops.push(Op::Enqueue(Box::new(Enqueue {
            queue_id: id,
            body: copy.item.body.clone(),
            reverse_path,
            recipients,
            plan: service.plan_full.clone(),
            accepted_at_s: at_s,
            facts: copy.item.facts.clone(),
        })));
    }
    if ops.is_empty() {
        return Ok(());
    }
    ops.extend(left::ops(&ops, &copy.marks));
    // An operator may change the facts meanwhile, or take the message away.
    let _turn = service.spool.turn(queue_id).await;
    let marks = scan::rescan::passed_on(&service.store, queue_id, &ops).map_err(|error| error.to_string())?;
    ops.extend(marks);
    ops.push(done(service, queue_id, recipient.number, part)?);
    let committed = durable::commit(&service.store, ops).await;
    committed.map_err(|error| format!("the mailboxes take nothing now: {error}"))?;
    queued.into_iter().for_each(|id| service.spool.arrived(id));
    Ok(())
}

/// The part is behind this recipient.
fn done(service: &Service, queue_id: QueueId, recipient: u32, part: usize) -> Result<Op, String> {
    let item = service.store.queue_item(queue_id).map_err(|error| error.to_string())?.ok_or("it was removed")?;
    let mut facts: MessageFacts = queue::facts::read(&item.facts);
    if is_held(service, &facts) {
        return Err("it is held".to_owned());
    }
    facts.spread.insert(recipient, u16::try_from(part + 1).unwrap_or(u16::MAX));
    Ok(Op::Progress { queue_id, facts: queue::facts::written(&facts) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_stays_in_its_part_and_parts_are_about_equal() {
        let login = |number: usize| Login::new(&format!("user{number}")).unwrap();
        let mut sizes = vec![0_usize; 16];
        for number in 0..1_000 {
            let part = part_of(&login(number), 16);
            assert_eq!(part, part_of(&login(number), 16));
            sizes[part] += 1;
        }
        assert!(sizes.iter().all(|size| (30..110).contains(size)), "{sizes:?}");
    }

    #[test]
    fn parts_have_ids_of_their_own_in_the_time_of_the_message() {
        let queue_id = QueueId([7; 16]);
        let ids: std::collections::BTreeSet<_> = (0..100)
            .flat_map(|part| [part_id(queue_id, 0, part, b"here"), part_id(queue_id, 1, part, b"here")])
            .chain([part_id(queue_id, 0, 0, b"away")])
            .collect();
        assert_eq!(ids.len(), 201);
        assert!(ids.iter().all(|id| id[..6] == queue_id.0[..6]));
    }
}
