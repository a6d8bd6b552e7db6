//! Spool, quarantine, logs, tables, statistics and the delivery index are what the model has.

use std::collections::{BTreeMap, BTreeSet};

use mail::Address;
use proptest::{prop_assert, prop_assert_eq};

use super::lockstep::{Checked, Waist};
use super::naive::{Id, Item, Naive, Octets, Waiting};
use super::steps::hex;
use super::translate::{Known, path_text, text};
use crate::{Kept, NextHop, Quarantined, QueueId, QueueItem, TokenCounts};

/// More than there ever is.
const ALL: usize = 10_000;

/// What is compared of an item: its body, words, facts, and who waits.
type Seen = (Octets, Vec<String>, Octets, BTreeMap<u32, Waiting>);

pub fn at_all(store: &dyn Waist, model: &Naive, known: &Known, shards: u8) -> Checked {
    at_spool(store, model)?;
    at_quarantine(store, model)?;
    at_logs(store, model)?;
    at_tables(store, model)?;
    at_deliveries(store, model, known, shards)
}

fn expected(model: &Naive, place: &'static str) -> Vec<(Id, Seen)> {
    let seen = |item: &Item| (text(&item.mail), item.words.clone(), item.facts.clone(), item.waiting.clone());
    let items = model.items.iter().filter(|((of, _), _)| *of == place);
    items.map(|((_, id), item)| (*id, seen(item))).collect()
}

fn at_spool(store: &dyn Waist, model: &Naive) -> Checked {
    let expected = expected(model, "spool");
    prop_assert_eq!(store.queue_count()?, expected.len() as u64);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.queue_list(after, 1)?;
        let Some(last) = page.last() else { break };
        after = Some(last.queue_id);
        found.push((last.queue_id.0, spooled(store, last)?));
    }
    prop_assert_eq!(&found, &expected);
    for n in 1..4 {
        let item = store.queue_item(QueueId([n; 16]))?.map(|item| spooled(store, &item)).transpose()?;
        prop_assert_eq!(item.as_ref(), expected.iter().find(|(id, _)| *id == [n; 16]).map(|(_, seen)| seen));
    }
    let (mut waits, mut after) = (Vec::new(), None);
    loop {
        let page = store.queue_waits(after, 2)?;
        let Some(last) = page.last() else { break };
        after = Some((last.queue_id, last.number));
        waits.extend(page.into_iter().map(|it| (it.queue_id.0, it.number, it.due_at_s, it.forward_path.to_string())));
    }
    let waiting = |(id, seen): &(Id, Seen)| {
        let id = *id;
        let each = seen.3.iter().map(move |(n, waiting)| (id, *n, waiting.0, waiting.2[0].clone()));
        each.collect::<Vec<_>>()
    };
    prop_assert_eq!(waits, expected.iter().flat_map(waiting).collect::<Vec<_>>());
    let due = |(id, seen): &(Id, Seen)| seen.3.values().map(|waiting| waiting.0).min().map(|due| (due, *id));
    let mut order: Vec<(i64, Id)> = expected.iter().filter_map(due).collect();
    order.sort_unstable();
    prop_assert_eq!(store.queue_next_due()?, order.first().map(|(due, _)| *due));
    for now in -1..10 {
        let found = store.queue_due(now, ALL)?;
        let times = |item: &QueueItem| item.recipients.iter().map(|it| it.due_at_s).min().unwrap_or(i64::MAX);
        let found: Vec<(i64, Id)> = found.iter().map(|item| (times(item), item.queue_id.0)).collect();
        prop_assert!(found.is_sorted_by_key(|(due, _)| *due), "{:?}", found);
        let found: BTreeSet<_> = found.into_iter().collect();
        prop_assert_eq!(found, order.iter().copied().filter(|(due, _)| *due <= now).collect::<BTreeSet<_>>());
        prop_assert_eq!(store.queue_due(now, 1)?.len(), order.iter().filter(|(due, _)| *due <= now).count().min(1));
    }
    Ok(())
}

fn spooled(store: &dyn Waist, item: &QueueItem) -> Result<Seen, crate::ReadError> {
    let waiting = item.recipients.iter().map(|recipient| {
        let hop = match &recipient.next_hop {
            NextHop::Local => "local",
            NextHop::Mx => "mx",
            NextHop::Route(route) => route,
        };
        let facts = String::from_utf8_lossy(&recipient.facts).into_owned();
        let words = [recipient.forward_path.to_string(), hop.to_owned(), facts, recipient.last_reply.clone()];
        (recipient.number, (recipient.due_at_s, recipient.attempts, words))
    });
    let words = vec![path_text(&item.reverse_path), item.plan.clone(), item.accepted_at_s.to_string()];
    Ok((store.read_body(&item.body)?, words, item.facts.clone(), waiting.collect()))
}

fn at_quarantine(store: &dyn Waist, model: &Naive) -> Checked {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.quarantined(after, 1)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        found.push((last.id.0, (store.read_body(&last.body)?, words(last), last.facts.clone(), BTreeMap::new())));
    }
    prop_assert_eq!(&found, &expected(model, "quarantine"));
    for kind in Kept::ALL {
        let of: Vec<&(Id, Seen)> = found.iter().filter(|(_, seen)| seen.1[6] == format!("{kind:?}")).collect();
        let (mut ids, mut after) = (Vec::new(), None);
        while let Some(next) = store.kept(kind, after, 1)?.pop() {
            after = Some(next.id);
            ids.push(next.id.0);
        }
        prop_assert_eq!(&ids, &of.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        let amounts = store.kept_amounts(kind)?;
        let octets: usize = of.iter().map(|(_, seen)| seen.0.len()).sum();
        prop_assert_eq!((amounts.messages, amounts.octets), (of.len() as u64, octets as u64));
        prop_assert_eq!(amounts.oldest_s, of.iter().filter_map(|(_, seen)| seen.1[5].parse().ok()).min());
    }
    for n in 1..4 {
        let one = store.kept_one(QueueId([n; 16]))?.map(|one| words(&one));
        prop_assert_eq!(one.as_ref(), found.iter().find(|(id, _)| *id == [n; 16]).map(|(_, seen)| &seen.1));
    }
    Ok(())
}

fn words(it: &Quarantined) -> Vec<String> {
    let recipients: Vec<String> = it.recipients.iter().map(Address::to_string).collect();
    let path = path_text(&it.reverse_path);
    let (at, kind) = (it.at_s.to_string(), format!("{:?}", it.kind));
    vec![it.why.clone(), it.engine.clone(), it.signature.clone(), path, recipients.join(" "), at, kind]
}

fn at_logs(store: &dyn Waist, model: &Naive) -> Checked {
    for limit in [3, ALL] {
        let newest = |log: &str| -> Vec<Vec<String>> {
            model.logs.get(log).into_iter().flatten().rev().take(limit).cloned().collect()
        };
        let losses = store.losses(limit)?.into_iter().map(|it| {
            vec![it.kind, hex(it.queue_id.0), path_text(&it.reverse_path), it.recipient, it.reason, it.at_s.to_string()]
        });
        prop_assert_eq!(losses.collect::<Vec<_>>(), newest("loss"));
        let of_all = store.losses_of(QueueId([7; 16]), limit)?;
        prop_assert_eq!(of_all, store.losses(limit)?);
        prop_assert!(store.losses_of(QueueId([8; 16]), limit)?.is_empty());
        let with: Vec<_> = newest("decision").into_iter().filter(|words| words[1].contains('a')).collect();
        let found = store.decisions_with("a", ALL)?.into_iter().map(|(at, row)| vec![at.to_string(), row]);
        prop_assert!(found.collect::<Vec<_>>().starts_with(&with));
        let decisions = store.decisions(limit)?.into_iter().map(|(at, row)| vec![at.to_string(), row]);
        prop_assert_eq!(decisions.collect::<Vec<_>>(), newest("decision"));
        let mut whole = store.decisions_page(i64::MIN, 0, ALL)?;
        prop_assert!(whole.is_sorted_by_key(|(id, ..)| *id));
        whole.reverse();
        let paged = whole.into_iter().take(limit).map(|(_, at, row)| vec![at.to_string(), row]);
        prop_assert_eq!(paged.collect::<Vec<_>>(), newest("decision"));
        let audit = store.audit(limit)?.into_iter().map(|(at, who, what)| vec![at.to_string(), who, what]);
        prop_assert_eq!(audit.collect::<Vec<_>>(), newest("audit"));
    }
    Ok(())
}

fn at_tables(store: &dyn Waist, model: &Naive) -> Checked {
    let table = |of: &'static str| model.tables.iter().filter(move |((table, _), _)| *table == of);
    let rings: Vec<(Octets, Octets)> = store.load_rings()?.into_iter().map(|ring| (ring.key, ring.ticks)).collect();
    prop_assert_eq!(rings, table("ring").map(|((_, key), ticks)| (key.clone(), ticks.clone())).collect::<Vec<_>>());
    for key in ["k", "l", "m"] {
        let expected = table("setting").find(|((_, of), _)| of == key.as_bytes()).map(|(_, value)| value.clone());
        prop_assert_eq!(store.setting(key)?, expected);
        let expected = table("setting").filter(|((_, of), _)| of.starts_with(key.as_bytes()));
        let expected: Vec<_> =
            expected.map(|((_, of), value)| (String::from_utf8_lossy(of).into_owned(), value.clone())).collect();
        prop_assert_eq!(store.settings(key, "", 100)?, expected);
    }
    for bucket in 0..2 {
        let count = |token| model.tokens.get(&(bucket, token)).copied().unwrap_or_default();
        let counts = [0, 1, 2].map(count).map(|(spam, ham)| TokenCounts { spam: spam as u32, ham: ham as u32 });
        prop_assert_eq!(store.token_counts(bucket, &[0, 1, 2])?, counts.to_vec());
        let kept: Vec<_> = (0..).zip(counts).filter(|(_, counts)| *counts != TokenCounts::default()).collect();
        prop_assert_eq!(store.statistics(bucket, None, 9)?, kept);
    }
    Ok(())
}

/// Two rows at a time, in each shard.
fn at_deliveries(store: &dyn Waist, model: &Naive, known: &Known, shards: u8) -> Checked {
    for shard in 0..shards {
        let (mut found, mut after) = (Vec::new(), [0; 16]);
        // The first id may be all zeros, which nothing comes before.
        let rows = model.deliveries.iter().filter(|((place, id), _)| *place == shard && *id > [0; 16]);
        let rows: Vec<_> = rows.collect();
        loop {
            let page = store.deliveries(shard, after, 2)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            found.extend(page);
        }
        prop_assert_eq!(found.len(), rows.len());
        let (mut newest_first, mut before) = (Vec::new(), [0xff; 16]);
        loop {
            let page = store.deliveries_before(shard, before, [1; 16], 2)?;
            let Some(last) = page.last() else { break };
            before = last.id;
            newest_first.extend(page);
        }
        // The last id there may be is before nothing.
        let between = found.iter().rev().filter(|it| it.id >= [1; 16] && it.id < [0xff; 16]);
        prop_assert_eq!(newest_first.iter().collect::<Vec<_>>(), between.collect::<Vec<_>>());
        for mark in [8, 100, u64::MAX] {
            let (mut marked, mut after) = (Vec::new(), Some([0; 16]));
            while let Some(from) = after {
                let (more, next) = store.deliveries_marked(shard, mark, from, 2)?;
                marked.extend(more);
                after = next;
            }
            prop_assert_eq!(
                marked.iter().collect::<Vec<_>>(),
                found.iter().filter(|it| it.marks.contains(&mark)).collect::<Vec<_>>()
            );
        }
        for (row, ((_, id), (mail, placed))) in found.iter().zip(rows) {
            let message_id = (!mail.ids[0].is_empty()).then(|| mail.ids[0].clone());
            prop_assert_eq!((&row.id, &row.message_id), (id, &message_id));
            // Only of what this process wrote.
            let hash = mail.email.is_none().then(|| *blake3::hash(&text(mail)).as_bytes());
            prop_assert_eq!(row.hash, hash.map(|hash| std::array::from_fn(|at| hash[at])));
            prop_assert_eq!(&row.marks, &[mail.octets, u64::MAX]);
            prop_assert_eq!(row.placed.len(), placed.len());
            for ((mailbox, uid), (at, expected)) in row.placed.iter().zip(placed) {
                let named = known.mailboxes.get(*at).unwrap_or(*mailbox);
                prop_assert_eq!((*mailbox, uid), (named, expected));
            }
        }
    }
    Ok(())
}
