//! Renews what is made or ordered, and swaps it in. A listener never stops for it: what it showed before goes on until the new one
//! is kept.

use std::sync::Arc;
use std::time::Duration;

use store::Op;

use super::{Kept, Kind, Shown, Slot, hosts, publish, self_signed};
use crate::acme::{self, Course, Failure, renewal_s};
use crate::service::{Service, stopped};
use crate::site::{Acme, CertificateFrom};
use crate::{clock, durable, random};

/// Another plan, with other hosts, is seen within this. A look costs one read for each certificate.
const LOOK_EVERY_S: i64 = 60;
/// How often it is said that a certificate is not one others believe.
const WARN_EVERY_S: i64 = 86_400;

/// Renews until the server stops.
pub(crate) async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    let mut warned_s = 0;
    loop {
        let now = service.current();
        tokio::select! {
                () = pass(&now) => {}
        // An order that was not over begins anew a while after the next start.
                () = stopped(&mut stop) => return,
            }
        now.certificates.count(&now.metrics);
        if clock::unix_s().saturating_sub(warned_s) >= WARN_EVERY_S {
            warned_s = clock::unix_s();
            now.certificates.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
        }
        // What is due and was not had waits for its course.
        let ahead_s =
            now.certificates.slots().map(|slot| slot.due_s() - clock::unix_s()).filter(|ahead_s| *ahead_s > 0);
        let wait_s = ahead_s.min().unwrap_or(LOOK_EVERY_S).min(LOOK_EVERY_S);
        drop(now);
        let wait = Duration::from_secs(wait_s.unsigned_abs());
        if tokio::time::timeout(wait, stopped(&mut stop)).await.is_ok() {
            return;
        }
    }
}

/// Is it time for another of a certificate with this validity?
pub(crate) fn renewed(from_s: i64, until_s: i64, now_s: i64) -> bool {
    now_s >= renewal_s(from_s, until_s, 0)
}

async fn pass(service: &Arc<Service>) {
    for slot in service.certificates.slots() {
        let from = service.site.certificates.of(&slot.name);
        if let CertificateFrom::Acme(acme) = from
            && let Err(why) = ordered(service, slot, acme).await
        {
            slot.set_trouble(Some(why));
        }
        if !matches!(from, CertificateFrom::Given(_)) && slot.now().self_signed {
            made(service, slot).await;
        }
    }
}

/// Another self-signed one, where the one that is shown is for other hosts or near its end.
async fn made(service: &Service, slot: &Slot) {
    let seal = &service.certificates.seal;
    match self_signed(&service.tables, &service.site, &service.store, seal, &slot.name).await {
        Ok(shown) if shown.certificate.chain != slot.now().certificate.chain => swap(service, slot, shown),
        Ok(_) => {}
        Err(error) => tracing::error!(certificate = slot.name, "{error}"),
    }
}

fn swap(service: &Service, slot: &Slot, shown: Shown) {
    publish(&service.site.data, &slot.name, &shown);
    match slot.show(shown) {
        Ok(()) => tracing::info!(certificate = slot.name, "another certificate is shown from now on"),
        Err(error) => tracing::error!(certificate = slot.name, "the new certificate cannot be used: {error}"),
    }
}

/// Orders what is due. An error is one of this machine; what the authority says is kept with the course.
async fn ordered(service: &Arc<Service>, slot: &Slot, acme: &Acme) -> Result<(), String> {
    let (name, now_s) = (slot.name.as_str(), clock::unix_s());
    let wanted = hosts(service.tables.plan(), &service.site, name);
    let kept = Kept::read(&service.store, &service.certificates.seal, name, Kind::Acme);
    let kept = kept.map_err(|error| error.to_string())?;
    let course = course(service, name)?;
    let shown = slot.now();
    let old = shown.self_signed || now_s >= slot.due_s();
    // Who tried with another authority first wants one of this now.
    let is_for = |kept: &Kept| kept.hosts == wanted && kept.directory == acme.directory;
    let covers = kept.as_ref().is_some_and(is_for) && !shown.self_signed;
    if wanted.is_empty() || (covers && !old) || !course.may_order(now_s) {
        return Ok(());
    }
    // Noted before anything is asked: a server that ends in the middle, or whose device is full, must not order each minute.
    keep_course(service, name, course.after(Failure::Unreached, jitter(), now_s)).await?;
    let first = acme::order(service, acme, &wanted, kept.as_ref()).await;
    let (result, lacking) = match first {
        Err(why) if !why.hosts.is_empty() => {
            let rest: Vec<String> = wanted.iter().filter(|host| !why.hosts.contains(host)).cloned().collect();
            // One host that is not ours must not cost all others their certificate.
            let better = old || kept.as_ref().is_none_or(|kept| is_better(&rest, kept, acme));
            if rest.is_empty() || rest.len() == wanted.len() || !better {
                (Err(why), None)
            } else {
                tracing::error!(certificate = name, "the authority refused some hosts, the others are ordered: {why}");
                (acme::order(service, acme, &rest, kept.as_ref()).await, Some(why.to_string()))
            }
        }
        other => (other, None),
    };
    let (course, trouble) = match result {
        Ok(new) => {
            take(service, slot, &new).await?;
            match lacking.or_else(|| due_at_once(slot.due_s(), clock::unix_s())) {
                Some(why) => (course.after(Failure::Incomplete, jitter(), now_s), Some(why)),
                None => (Course::default(), None),
            }
        }
        Err(why) => {
            let word = if why.failure == Failure::Refused { "refused" } else { "unreached" };
            service.metrics.certificate_orders.with_label_values(&[name, word]).inc();
            tracing::error!(certificate = name, directory = acme.directory, "no certificate was had by ACME: {why}");
            (course.after(why.failure, jitter(), now_s), Some(why.to_string()))
        }
    };
    slot.set_trouble(trouble);
    keep_course(service, name, course).await
}

/// Is a certificate for `rest` worth more than the one that is kept?
fn is_better(rest: &[String], kept: &Kept, acme: &Acme) -> bool {
    kept.directory != acme.directory || rest.iter().any(|host| !kept.hosts.contains(host))
}

/// A certificate that is to be renewed as soon as it is there would be ordered each minute.
fn due_at_once(due_s: i64, now_s: i64) -> Option<String> {
    (due_s <= now_s)
        .then(|| "the one that came is due for renewal already: is the clock of this machine right?".to_owned())
}

/// Keeps a new certificate, then shows it.
async fn take(service: &Service, slot: &Slot, new: &Kept) -> Result<(), String> {
    let op = new.write(&service.certificates.seal, &slot.name, Kind::Acme).ok_or("it cannot be sealed")?;
    durable::commit(&service.store, vec![op]).await.map_err(|error| error.to_string())?;
    let certificate = new.certificate().ok_or("it cannot be read")?;
    service.metrics.certificate_orders.with_label_values(&[slot.name.as_str(), "renewed"]).inc();
    tracing::info!(certificate = slot.name, hosts = new.hosts.join(" "), "a certificate came by ACME");
    swap(service, slot, Shown::of(certificate, false));
    Ok(())
}

fn course(service: &Service, name: &str) -> Result<Course, String> {
    let kept = service.store.setting(&course_setting(name)).map_err(|error| error.to_string())?;
    Ok(kept.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default())
}

async fn keep_course(service: &Service, name: &str, course: Course) -> Result<(), String> {
    let value = serde_json::to_vec(&course).map_err(|error| error.to_string())?;
    let op = Op::Setting { key: course_setting(name), value: Some(value) };
    durable::commit(&service.store, vec![op]).await.map(drop).map_err(|error| error.to_string())
}

fn course_setting(name: &str) -> String {
    format!("acme/course/{name}")
}

/// Something between 0 and 999.
pub(super) fn jitter() -> u16 {
    u16::from_le_bytes(random::octets()) % 1_000
}
