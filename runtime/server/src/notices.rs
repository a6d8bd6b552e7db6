//! Notices the policy promises about sending: to a person at `warn_at` of a limit, to the owner of an application when it is
//! refused, once a day at most, and to the managers of engines (`scan::watch`). What happened is heard from the outcomes; a watcher that is slow misses some, and the next
//! crossing or refusal is told.

use std::collections::HashMap;
use std::sync::Arc;

use mail::{Address, Flags, Login, ReversePath};
use mail_builder::MessageBuilder;
use mail_builder::headers::date::Date;
use mail_builder::headers::text::Text;
use store::{CommitError, Deliver, Enqueue, InternalDate, Op, PutError, QueueId, QueueRecipient, Target};
use tokio::sync::broadcast::error::RecvError;

use crate::outcome::{Event, Outcome};
use crate::service::{Service, stopped};
use crate::{clock, durable, random};

/// An owner hears of an application once in so long.
const OWNER_S: i64 = 86_400;

/// What a notice says: the subject, and the text in French and in English.
pub(crate) struct Words {
    pub subject: String,
    pub french: String,
    pub english: String,
}

/// Tells until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    let mut outcomes = service.outcomes.subscribe();
    let mut told = HashMap::new();
    loop {
        let outcome = tokio::select! {
            () = stopped(&mut stop) => return,
            outcome = outcomes.recv() => match outcome {
                Ok(outcome) => outcome,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            },
        };
        match (outcome.event, outcome.reason) {
            (Event::NearLimit, _) => near_limit(&service, &outcome).await,
            (_, Some(_)) => application_refused(&service, &outcome, &mut told).await,
            (_, None) => {}
        }
    }
}

async fn near_limit(service: &Arc<Service>, outcome: &Outcome) {
    // A machine without a login has no mailbox; the line of the log is all.
    let Some(login) = Login::new(&outcome.about) else { return };
    let Ok(Some(row)) = service.store.person(&login) else { return };
    let rule = &outcome.rule;
    let words = Words {
        subject: "Envoi de courrier : une limite approche / Sending mail: a limit is near".to_owned(),
        french: format!(
            "votre compte approche d'une limite d'envoi :\r\n\
             {rule}\r\n\
             Au-delà, vos messages sont refusés jusqu'à ce que la période soit passée. Si ces envois ne sont pas les\r\n\
             vôtres, changez votre mot de passe maintenant."
        ),
        english: format!(
            "your account comes near a limit on sending:\r\n\
             {rule}\r\n\
             Beyond it your messages are refused until the period has passed. If it is not you who sends, change your\r\n\
             password now."
        ),
    };
    tell(service, &row.person.address, words, Vec::new()).await;
}

async fn application_refused(service: &Arc<Service>, outcome: &Outcome, told: &mut HashMap<String, i64>) {
    let (Some(peer), Some(reason)) = (&outcome.peer, outcome.reason) else { return };
    let known = service.tables.plan().senders.as_ref().map(|senders| &senders.known);
    let Some(application) = known.and_then(|known| known.get(&peer.class)) else { return };
    let (key, now_s) = (format!("owners.told.{}", peer.class), clock::unix_s());
    let kept = || {
        let octets = service.store.setting(&key).ok().flatten()?;
        Some(i64::from_le_bytes(octets.try_into().ok()?))
    };
    let last_s = told.get(&peer.class).copied().or_else(kept);
    if last_s.is_some_and(|last_s| now_s.saturating_sub(last_s) < OWNER_S) {
        return;
    }
    told.insert(peer.class.clone(), now_s);
    let (name, client, rule, word) = (&peer.class, peer.seen_as, &outcome.rule, reason.word());
    let words = Words {
        subject: format!("Application {name} : un envoi est refusé / a message is refused"),
        french: format!(
            "le serveur de courrier refuse ce que l'application {name} envoie depuis {client}.\r\n\
             Raison : {word} ({rule}). D'autres refus de la même journée ne sont pas annoncés."
        ),
        english: format!(
            "the mail server refuses what the application {name} sends from {client}.\r\n\
             Reason: {word} ({rule}). Further refusals of this day are not told."
        ),
    };
    let note = Op::Setting { key, value: Some(now_s.to_le_bytes().to_vec()) };
    tell(service, &application.owner, words, vec![note]).await;
}

/// Puts the notice where the address leads, in one commit with `ops`. False when the store did not take them.
pub(crate) async fn tell(service: &Arc<Service>, to: &Address, words: Words, mut ops: Vec<Op>) -> bool {
    let (worker, address, subject) = (service.clone(), to.clone(), words.subject.clone());
    let Some(Ok((id, told))) = durable::blocking(move || ops_of(&worker, &address, &words)).await else {
        tracing::error!(%to, "a notice could not be written");
        return false;
    };
    ops.extend(told);
    match durable::commit(&service.store, ops).await {
        Ok(_) => {
            tracing::info!(%to, subject, "told");
            service.spool.arrived(id);
            true
        }
        Err(CommitError::Closed) => false,
        Err(error) => {
            tracing::error!(%to, "not told: {error}");
            false
        }
    }
}

/// What puts the notice where the address leads, for a commit, and the id it has in the spool if it goes there. Blocks.
pub(crate) fn ops_of(service: &Service, to: &Address, words: &Words) -> Result<(QueueId, Vec<Op>), PutError> {
    let id = random::timed_id(clock::unix_ms());
    let found = service.directory.find(&service.tables, &service.store, &ReversePath::Null, to, 0);
    let message = message(service, to, words, QueueId(id));
    let summary = crate::drive::summary(&message);
    let body = service.store.put_body(&[&message])?;
    let (at_s, mut ops) = (clock::unix_s(), Vec::new());
    if !found.logins.is_empty() {
        ops.push(Op::Deliver(Box::new(Deliver {
            delivery_id: id,
            recipients: found.logins.iter().map(|login| (login.clone(), Target::Inbox)).collect(),
            body: body.clone(),
            summary,
            internal_date: InternalDate { seconds: at_s, offset_minutes: 0 },
            flags: Flags::default(),
            marks: Vec::new(),
        })));
    }
    let away = found.copies_away().map(|(forward_path, route)| QueueRecipient {
        forward_path,
        next_hop: route.next_hop(),
        due_at_s: at_s,
        facts: Vec::new(),
    });
    let recipients: Vec<QueueRecipient> = away.collect();
    if !recipients.is_empty() {
        ops.push(Op::Enqueue(Box::new(Enqueue {
            queue_id: QueueId(id),
            body,
            reverse_path: ReversePath::Null,
            recipients,
            plan: service.plan_full.clone(),
            accepted_at_s: at_s,
            facts: Vec::new(),
        })));
    }
    Ok((QueueId(id), ops))
}

/// French first, as the guide is, then English.
fn message(service: &Service, to: &Address, words: &Words, id: QueueId) -> Vec<u8> {
    let institution = &service.tables.plan().institution;
    let domain = institution.domain.as_str();
    MessageBuilder::new()
        .from((institution.name.clone(), format!("postmaster@{domain}")))
        .to(to.to_string())
        .subject(words.subject.clone())
        .date(Date::new(clock::unix_s()))
        .message_id(format!("{id}@{domain}"))
        // RFC 3834 5: nobody answers this.
        .header("Auto-Submitted", Text::new("auto-generated"))
        .text_body(format!("Bonjour,\r\n\r\n{}\r\n\r\n-- \r\n\r\nHello,\r\n\r\n{}\r\n", words.french, words.english))
        .write_to_vec()
        .unwrap_or_default()
}
