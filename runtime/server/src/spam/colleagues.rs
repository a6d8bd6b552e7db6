//! The names of the people whose mail is here, folded, so that a display name that is one of theirs is noticed in mail from
//! somebody else's address.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use mail::{Login, fold};
use spam::form::Colleagues;
use store::{ReadError, Store};
use tokio::sync::Notify;

use crate::durable;
use crate::redirects::Redirects;
use crate::service::{Service, stopped};

/// People whose names are held; the names of others say nothing.
const PEOPLE_MAX: usize = 200_000;
/// People read at a time.
const PAGE: u32 = 1_000;
/// Addresses told of one name.
const ADDRESSES_MAX: usize = 64;
/// Names are read again after this at the latest.
const AGE_MAX: Duration = Duration::from_secs(600);

/// Who has which name.
#[derive(Default)]
pub struct Names {
    by_name: RwLock<Arc<HashMap<String, Vec<Login>>>>,
    changed: Notify,
}

/// The words of a name in order, in either order of first and last name. A single word is nobody's name.
fn key(name: &str) -> Option<String> {
    let folded = fold(name);
    let mut words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    (words.len() > 1).then(|| words.join(" "))
}

fn read(store: &Store) -> Result<HashMap<String, Vec<Login>>, ReadError> {
    let mut names: HashMap<String, Vec<Login>> = HashMap::new();
    let (mut after, mut count) = (None, 0);
    loop {
        let page = store.people(after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(names) };
        after = Some(last.person.login.clone());
        count += page.len();
        for row in page {
            if let Some(key) = key(&format!("{} {}", row.person.first, row.person.last)) {
                names.entry(key).or_default().push(row.person.login);
            }
        }
        if count >= PEOPLE_MAX {
            tracing::warn!("names of more than {PEOPLE_MAX} people are not held");
            return Ok(names);
        }
    }
}

impl Names {
    pub fn load(store: &Store) -> Result<Names, ReadError> {
        Ok(Names { by_name: RwLock::new(Arc::new(read(store)?)), changed: Notify::new() })
    }

    /// People came or were renamed.
    pub fn changed(&self) {
        self.changed.notify_one();
    }

    fn logins(&self, name: &str) -> Vec<Login> {
        let names = self.by_name.read().unwrap_or_else(PoisonError::into_inner).clone();
        key(name).and_then(|key| names.get(&key).cloned()).unwrap_or_default()
    }
}

/// Reads the names again when people changed.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = service.spam.names.changed.notified() => {}
            () = tokio::time::sleep(AGE_MAX) => {}
        }
        let store = service.store.clone();
        match durable::blocking(move || read(&store)).await {
            Some(Ok(names)) => {
                *service.spam.names.by_name.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(names);
            }
            Some(Err(error)) => tracing::error!("the names of people cannot be read: {error}"),
            None => {}
        }
    }
}

/// The addresses of who has a name, looked up when a message bears it.
pub struct Known<'a> {
    pub names: &'a Names,
    pub store: &'a Store,
    pub redirects: &'a Redirects,
}

impl Colleagues for Known<'_> {
    fn addresses_of(&self, display_name: &str) -> Vec<String> {
        let mut addresses = Vec::new();
        for login in self.names.logins(display_name) {
            // What cannot be read speaks against nobody.
            let Ok(Some(row)) = self.store.person(&login) else { return Vec::new() };
            let Ok(aliases) = self.store.aliases_of(&login) else { return Vec::new() };
            addresses.push(row.person.address.folded());
            addresses.extend(aliases.iter().map(|alias| alias.address.folded()));
            addresses.extend(self.redirects.of(&login).map(|redirect| redirect.to.folded()));
            if addresses.len() >= ADDRESSES_MAX {
                break;
            }
        }
        addresses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_in_either_order_and_with_or_without_accents() {
        let names = ["Jérôme Toto", "TOTO Jerome", "Toto, Jérôme", "  jerome   toto "];
        assert!(names.iter().all(|name| key(name).as_deref() == Some("jerome toto")));
        assert_ne!(key("Jean Toto"), key("Jean-Pierre Toto"));
        for nobody in ["", "Toto", "…", "toto@"] {
            assert_eq!(key(nobody), None, "{nobody}");
        }
    }
}
