//! Mails before a password ends, and one when it has. Each morning everybody is looked at once.
//!
//! A mail is sent before it is noted that it was: a crash in between sends it twice, and loses none.

use std::sync::Arc;
use std::time::Duration;

use decide::expiry::{self, Age};
use mail::{Address, Login};
use plan::{AtExpiry, Plan};
use store::{Op, PersonRow, ReadError};

use super::facts::{self, Facts};
use crate::notices::{self, Words};
use crate::service::{Service, stopped};
use crate::{clock, durable};

/// The clock of the machine may be set meanwhile: the day is looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// The setting that keeps the day everybody was last looked at.
const LOOKED_ON: &str = "passwords.looked_on";
/// People of one step.
const PAGE: u32 = 500;

/// Somebody to be told.
struct Due {
    login: Login,
    address: Address,
    ends_s: i64,
    /// The warning, in seconds before the end; 0 that it came.
    warn_s: u64,
}

/// Warns until the server stops.
pub async fn keep(service: Arc<Service>) {
    if service.tables.plan().identity.password.renew_every_months == 0 {
        return;
    }
    let mut stop = service.stop.clone();
    loop {
        let today = service.today();
        match service.store.setting(LOOKED_ON) {
            Ok(kept) if kept.as_deref() == Some(today.as_bytes()) => {}
            Ok(_) => {
                if look(&service).await {
                    let note = Op::Setting { key: LOOKED_ON.to_owned(), value: Some(today.into_bytes()) };
                    if let Err(error) = durable::commit(&service.store, vec![note]).await {
                        tracing::error!("everybody's password is looked at again today: {error}");
                    }
                }
            }
            Err(error) => tracing::error!("old passwords cannot be looked for: {error}"),
        }
        if tokio::time::timeout(LOOK_EVERY, stopped(&mut stop)).await.is_ok() {
            return;
        }
    }
}

/// Looks at everybody once; false when that could not be done.
pub async fn look(service: &Arc<Service>) -> bool {
    let mut after = None;
    loop {
        let (worker, from) = (service.clone(), after.clone());
        let page = durable::blocking(move || page(&worker, from.as_ref(), clock::unix_s())).await;
        let (due, last) = match page {
            Some(Ok(page)) => page,
            Some(Err(error)) => {
                tracing::error!("old passwords cannot be looked for: {error}");
                return false;
            }
            None => return false,
        };
        for due in due {
            let words = words(service.tables.plan(), &due);
            if notices::tell(service, &due.address, words, Vec::new()).await {
                let worker = service.clone();
                let _ = durable::blocking(move || note(&worker, &due)).await;
            }
        }
        let Some(last) = last else { return true };
        after = Some(last);
    }
}

/// Who is to be told among the next people, and the last of them. A password of unknown age is new today.
fn page(
    service: &Service,
    after: Option<&Login>,
    now_s: i64,
) -> Result<(Vec<Due>, Option<Login>), Box<dyn std::error::Error + Send + Sync>> {
    let plan = service.tables.plan();
    let _changing = super::changing();
    let people = service.store.people(after, PAGE)?;
    let mut ops = Vec::new();
    let mut due = Vec::new();
    for row in &people {
        let known = Facts::read(&row.secret);
        if row.verifier.as_deref().unwrap_or_default().is_empty() || known.bound_s.is_some() {
            continue;
        }
        if known.set_s == 0 {
            ops.push(facts::op(&row.person.login, &Facts { set_s: now_s, ..known }));
            continue;
        }
        due.extend(due_of(plan, row, &known, now_s));
    }
    if !ops.is_empty() {
        service.store.commit_wait(ops)?;
    }
    Ok((due, people.last().map(|row| row.person.login.clone())))
}

fn due_of(plan: &Plan, row: &PersonRow, known: &Facts, now_s: i64) -> Option<Due> {
    let (ends_s, warn_s) = match expiry::age(plan, known.of_age(), now_s) {
        Age::Near { ends_s, warn_s } => (ends_s, warn_s),
        Age::Ended { ends_s } => (ends_s, 0),
        Age::Good { .. } | Age::Given => return None,
    };
    let is_new = known.warned_s.is_none_or(|told_s| warn_s < told_s);
    is_new.then(|| Due { login: row.person.login.clone(), address: row.person.address.clone(), ends_s, warn_s })
}

/// Puts down what was told, unless the password was changed meanwhile.
fn note(service: &Service, due: &Due) -> Result<(), ReadError> {
    let _changing = super::changing();
    let known = facts::of(&service.store, &due.login)?;
    if expiry::age(service.tables.plan(), known.of_age(), due.ends_s) != (Age::Ended { ends_s: due.ends_s }) {
        return Ok(());
    }
    let op = facts::op(&due.login, &Facts { warned_s: Some(due.warn_s), ..known });
    if let Err(error) = service.store.commit_wait(vec![op]) {
        tracing::warn!("a warning may be told twice: {error}");
    }
    Ok(())
}

fn words(plan: &Plan, due: &Due) -> Words {
    let (day, page) = (expiry::day(due.ends_s), expiry::change_at(plan));
    let (french_page, english_page) = match page {
        "" => ("Adressez-vous à qui gère les comptes.".to_owned(), "Ask whoever looks after accounts.".to_owned()),
        page => (format!("Changez-le ici : {page}"), format!("Change it here: {page}")),
    };
    let (french_then, english_then) = match plan.identity.password.at_expiry {
        AtExpiry::ReadOnlyImap => {
            ("vous pourrez lire votre courrier, mais plus en envoyer", "you can read mail, and send none")
        }
        AtExpiry::Refuse => ("il n'ouvrira plus rien", "it opens nothing"),
        AtExpiry::WarnOnly => ("rien ne change", "nothing changes"),
    };
    let (subject, french, english) = if due.warn_s == 0 {
        (
            "Votre mot de passe a expiré / Your password has ended".to_owned(),
            format!("votre mot de passe a expiré le {day}. Jusqu'à ce que vous en changiez, {french_then}."),
            format!("your password ended on {day}. Until you change it, {english_then}."),
        )
    } else {
        (
            format!("Votre mot de passe expire le {day} / Your password ends on {day}"),
            format!("votre mot de passe expire le {day}. À partir de ce jour, {french_then}."),
            format!("your password ends on {day}. From that day on, {english_then}."),
        )
    };
    // Links in mail are what thieves send: the page is named, and people are told to type it.
    Words {
        subject,
        french: format!(
            "{french}\r\n{french_page}\r\nTapez cette adresse vous-même ; personne ne vous demandera votre mot de passe par courrier."
        ),
        english: format!(
            "{english}\r\n{english_page}\r\nType that address yourself; nobody will ask for your password by mail."
        ),
    }
}

#[cfg(test)]
mod tests {
    use mail::Person;
    use store::Origin;

    use super::*;

    const DAY_S: i64 = 86_400;
    /// 2026-01-01, noon.
    const SET_S: i64 = 1_767_268_800;

    fn nantes() -> Plan {
        plan::read(include_str!("../../../../policies/nantes/policy.plan.ron")).unwrap().0
    }

    fn row() -> PersonRow {
        let person = Person {
            login: Login::new("toto-j").unwrap(),
            first: "Jean".to_owned(),
            last: "Toto".to_owned(),
            address: "Jean.Toto@univ-nantes.fr".parse().unwrap(),
            profile: "standard".to_owned(),
            unit: String::new(),
            home: None,
            quota_octets: 1,
        };
        PersonRow {
            person,
            verifier: Some("x".to_owned()),
            standing: Vec::new(),
            due_s: None,
            secret: Vec::new(),
            origin: Origin::default(),
        }
    }

    #[test]
    fn each_warning_comes_once_as_the_days_go_by_and_a_new_password_begins_anew() {
        let (plan, row) = (nantes(), row());
        let mut known = Facts::set_at(SET_S, false);
        let mut told = Vec::new();
        for day in 0..200 {
            let now_s = SET_S + day * DAY_S;
            if let Some(due) = due_of(&plan, &row, &known, now_s) {
                known.warned_s = Some(due.warn_s);
                told.push((due.warn_s / 86_400, (due.ends_s - now_s).div_euclid(DAY_S)));
            }
        }
        assert_eq!(told, [(30, 30), (7, 7), (1, 1), (0, 0)], "six months are 181 days here");
        let renewed = Facts::set_at(SET_S + 190 * DAY_S, false);
        assert!(due_of(&plan, &row, &renewed, SET_S + 200 * DAY_S).is_none());
        // Whoever was away for the first two hears the one that counts.
        let late = due_of(&plan, &row, &Facts::set_at(SET_S, false), SET_S + 180 * DAY_S).unwrap();
        assert_eq!(late.warn_s, 86_400);
    }

    #[test]
    fn a_warning_names_day_page_and_consequence_in_both_languages_and_links_nowhere() {
        let plan = nantes();
        let due = |warn_s| Due {
            login: Login::new("toto-j").unwrap(),
            address: "Jean.Toto@univ-nantes.fr".parse().unwrap(),
            ends_s: SET_S,
            warn_s,
        };
        for (warn_s, french, english) in [(604_800, "expire le", "ends on"), (0, "a expiré le", "ended on")] {
            let words = words(&plan, &due(warn_s));
            let day = expiry::day(SET_S);
            assert!(words.french.contains(&format!("{french} {day}")), "{}", words.french);
            assert!(words.english.contains(&format!("{english} {day}")), "{}", words.english);
            for text in [&words.french, &words.english] {
                assert!(text.contains(expiry::change_at(&plan)) && !text.contains("href"), "{text}");
            }
        }
    }
}
