//! Warnings at `warn_at` (policy-language 4.1): one message to the owner for each level of the quota that is crossed, in the
//! same commit that notes it, so that a crash neither doubles nor loses one.

use std::sync::Arc;

use mail::{Address, Flags, Login, Person};
use mail_builder::MessageBuilder;
use mail_builder::headers::date::Date;
use mail_builder::headers::text::Text;
use store::{CommitError, Deliver, InternalDate, Op, Refusal, Target, Usage};
use tokio::sync::Notify;

use crate::service::{Service, stopped};
use crate::{clock, durable, random};

/// Tells owners until the server stops; first those who crossed a level while it did not run.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    let levels: Vec<u32> = service
        .tables
        .plan()
        .mailboxes
        .when_full
        .warn_at_percent
        .iter()
        .map(|percent| u32::from(*percent) * 10)
        .collect();
    if levels.is_empty() {
        return;
    }
    let crossed = Arc::new(Notify::new());
    let waker = crossed.clone();
    service.store.watch_levels(levels.clone(), Box::new(move || waker.notify_one()));
    loop {
        tell_all(&service, &levels).await;
        tokio::select! {
            () = crossed.notified() => {}
            () = stopped(&mut stop) => return,
        }
    }
}

async fn tell_all(service: &Arc<Service>, levels: &[u32]) {
    let (store, wanted) = (service.store.clone(), levels.to_vec());
    let Some(found) = durable::blocking(move || store.accounts_to_warn(&wanted)).await else { return };
    let accounts = match found {
        Ok(accounts) => accounts,
        Err(error) => return tracing::error!("nobody could be warned of a full mailbox: {error}"),
    };
    for (login, level_permille, usage) in accounts {
        match tell(service, &login, level_permille, usage).await {
            Ok(()) => tracing::info!(login = %login, percent = level_permille / 10, "warned of a full mailbox"),
            // Emptied, or told, in this moment.
            Err(CommitError::Refused { why: Refusal::AlreadyWarned, .. }) => {}
            Err(error) => tracing::error!(login = %login, "not warned of a full mailbox: {error}"),
        }
    }
}

async fn tell(service: &Arc<Service>, login: &Login, level_permille: u32, usage: Usage) -> Result<(), CommitError> {
    let (store, of) = (service.store.clone(), login.clone());
    let found = durable::blocking(move || store.person(&of)).await.and_then(Result::ok).flatten();
    let named = |person: Person| (format!("{} {}", person.first, person.last), person.address);
    // Members of a functional address read it in its INBOX.
    let function = || login.function().map(|address| (address.local().to_owned(), address));
    let Some(owner) = found.map(|row| named(row.person)).or_else(function) else { return Ok(()) };
    let id = random::timed_id(clock::unix_ms());
    let message = message(service, owner, level_permille / 10, usage, &id);
    let summary = super::drive::summary(&message);
    let store = service.store.clone();
    let body = match durable::blocking(move || store.put_body(&[&message])).await {
        Some(Ok(body)) => body,
        Some(Err(store::PutError::Full)) => return Err(CommitError::Full),
        Some(Err(_)) | None => return Err(CommitError::Failed),
    };
    let deliver = Deliver {
        delivery_id: id,
        recipients: vec![(login.clone(), Target::Inbox)],
        body,
        summary,
        internal_date: InternalDate { seconds: clock::unix_s(), offset_minutes: 0 },
        flags: Flags::default(),
        marks: Vec::new(),
    };
    let warned = Op::Warned { login: login.clone(), fill_permille: level_permille };
    durable::commit(&service.store, vec![warned, Op::Deliver(Box::new(deliver))]).await.map(|_| ())
}

/// French first, as the guide is, then English.
fn message(service: &Service, owner: (String, Address), percent: u32, usage: Usage, id: &[u8; 16]) -> Vec<u8> {
    let institution = &service.tables.plan().institution;
    let grace_percent = u64::from(service.tables.plan().mailboxes.when_full.grace_percent);
    let limit_octets = usage.quota_octets.saturating_add(usage.quota_octets / 100 * grace_percent);
    let (used_fr, quota_fr) = (size(usage.used_octets, "o", ','), size(usage.quota_octets, "o", ','));
    let (used_en, quota_en) = (size(usage.used_octets, "B", '.'), size(usage.quota_octets, "B", '.'));
    let (limit_fr, limit_en) = (size(limit_octets, "o", ','), size(limit_octets, "B", '.'));
    let text = format!(
        "Bonjour,\r\n\r\n\
         votre boîte aux lettres contient {used_fr} sur {quota_fr} : le seuil de {percent} % est franchi.\r\n\
         Le courrier continue d'arriver jusqu'à {limit_fr} ; au-delà il est refusé, et ses expéditeurs en sont\r\n\
         avertis. Supprimez ou déplacez des messages, et videz la corbeille : elle compte aussi.\r\n\r\n\
         -- \r\n\r\n\
         Hello,\r\n\r\n\
         your mailbox holds {used_en} of {quota_en}: it has reached {percent} %.\r\n\
         Mail keeps arriving until {limit_en}; beyond that it is refused, and its senders are told.\r\n\
         Delete or move messages, and empty the trash: it counts too.\r\n",
    );
    let id: String = id.iter().map(|octet| format!("{octet:02x}")).collect();
    let domain = institution.domain.as_str();
    MessageBuilder::new()
        .header("Return-Path", mail_builder::headers::raw::Raw::new("<>"))
        .from((institution.name.clone(), format!("postmaster@{domain}")))
        .to((owner.0, owner.1.to_string()))
        .subject(format!("Boîte aux lettres remplie à {percent} % / Mailbox {percent} % full"))
        .date(Date::new(clock::unix_s()))
        .message_id(format!("{id}@{domain}"))
        // RFC 3834 5: nobody answers this.
        .header("Auto-Submitted", Text::new("auto-generated"))
        .text_body(text)
        .write_to_vec()
        .unwrap_or_default()
}

/// Three digits at most before the unit, in powers of 1,000 as quotas are written.
fn size(octets: u64, unit: &str, point: char) -> String {
    let prefixes = ["", "k", "M", "G", "T"];
    let mut tenths = u128::from(octets) * 10;
    let mut power = 0;
    while tenths >= 10_000 && power + 1 < prefixes.len() {
        tenths /= 1000;
        power += 1;
    }
    let prefix = prefixes[power];
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole}\u{a0}{prefix}{unit}"),
        (whole, tenth) => format!("{whole}{point}{tenth}\u{a0}{prefix}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_quotas_are_written() {
        assert_eq!(size(0, "o", ','), "0\u{a0}o");
        assert_eq!(size(999, "B", '.'), "999\u{a0}B");
        assert_eq!(size(1_000_000_000, "o", ','), "1\u{a0}Go");
        assert_eq!(size(812_345_678, "B", '.'), "812.3\u{a0}MB");
        assert_eq!(size(u64::MAX, "B", '.'), "18446744\u{a0}TB");
    }
}
