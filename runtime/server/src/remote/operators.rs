//! Who operates this server from other machines: names with a role and the key they show. Enrolled data of the store; this is the
//! same in memory, where handshakes ask.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError, RwLock};

use decide::roles::Held;
use mail::Login;
use serde::{Deserialize, Serialize};
use store::{Op, Store};

use super::identity::read_fingerprint;
use crate::operate::OperateError;

/// Keys of settings: this and the name.
const PREFIX: &str = "operator/";
/// Operators one server has.
pub const OPERATORS_MAX: usize = 200;

/// What an operator is. Nobody is both: whoever has to be has two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorRole {
    Administrator,
    Manager,
}

impl fmt::Display for OperatorRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OperatorRole::Administrator => "administrator",
            OperatorRole::Manager => "manager",
        })
    }
}

impl OperatorRole {
    /// As the table of roles has it.
    pub fn held(self) -> Held {
        Held {
            administrator: self == OperatorRole::Administrator,
            manager: self == OperatorRole::Manager,
            ..Held::default()
        }
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// As the audit has it; spelled as a login.
    pub name: String,
    pub role: OperatorRole,
    /// [`super::identity::fingerprint`].
    pub fingerprint: String,
    /// Unix seconds.
    pub since_s: i64,
    /// Who enrolled them.
    pub by: String,
}

/// Operators of a text with a line `NAME ROLE FINGERPRINT` each, enrolled by `by` at this Unix second; `#` begins a remark.
pub fn read_lines(text: &str, by: &str, since_s: i64) -> Result<Vec<Operator>, String> {
    let one = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let (name, role) = (words.next()?, words.next()?);
        let role =
            [OperatorRole::Administrator, OperatorRole::Manager].into_iter().find(|it| it.to_string() == role)?;
        let fingerprint = read_fingerprint(words.next()?)?;
        Some(Operator { name: name.to_owned(), role, fingerprint, since_s, by: by.to_owned() })
    };
    numbered_lines(text)
        .map(|(line, number)| {
            let why = || format!("line {number}: `{line}` is not NAME administrator|manager FINGERPRINT");
            one(line).ok_or_else(why)
        })
        .collect()
}

/// The lines of a text somebody wrote, with their numbers from 1; `#` begins a remark.
pub fn numbered_lines(text: &str) -> impl Iterator<Item = (&str, usize)> {
    text.lines().map(str::trim).zip(1..).filter(|(line, _)| !line.is_empty() && !line.starts_with('#'))
}

/// Those of a server, by fingerprint.
#[derive(Debug, Default)]
pub struct Operators(RwLock<BTreeMap<String, Operator>>);

/// All of the store. One that cannot be read is nobody, and said.
pub fn kept(store: &Store) -> Result<BTreeMap<String, Operator>, store::ReadError> {
    let mut all = BTreeMap::new();
    for (key, value) in store.settings(PREFIX, "", OPERATORS_MAX)? {
        match serde_json::from_slice::<Operator>(&value) {
            Ok(operator) => drop(all.insert(operator.fingerprint.clone(), operator)),
            Err(error) => tracing::error!("{key} cannot be read, so nobody is let in by it: {error}"),
        }
    }
    Ok(all)
}

impl Operators {
    pub fn load(store: &Store) -> Result<Operators, store::ReadError> {
        Ok(Operators(RwLock::new(kept(store)?)))
    }

    /// Who has this key.
    pub fn of(&self, fingerprint: &str) -> Option<Operator> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(fingerprint).cloned()
    }

    fn replace(&self, all: BTreeMap<String, Operator>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = all;
    }
}

/// One change at a time, with a server or without: what is in memory is what the store has.
static CHANGING: Mutex<()> = Mutex::new(());

/// Enrols `operator` in one commit with `audited`, and lets them in at once where a server runs.
pub fn enroll(
    store: &Store,
    running: Option<&Operators>,
    operator: &Operator,
    audited: Op,
) -> Result<(), OperateError> {
    let bad = |why: String| Err(OperateError::Refused { why, rule: "operators".to_owned() });
    if Login::new(&operator.name).is_none() {
        return bad(format!("{} is no name: it is spelled as a login", operator.name));
    }
    let _one = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut all = kept(store)?;
    if all.len() >= OPERATORS_MAX {
        return bad(format!("there are {OPERATORS_MAX} operators, which is as many as there may be"));
    }
    if let Some(other) = all.values().find(|other| other.name.eq_ignore_ascii_case(&operator.name)) {
        return bad(format!("there is an operator {}; `facteur operator remove` comes first", other.name));
    }
    if let Some(other) = all.get(&operator.fingerprint) {
        return bad(format!("this is the key of {}", other.name));
    }
    let value = serde_json::to_vec(operator).map_err(|error| OperateError::Store { why: error.to_string() })?;
    let op = Op::Setting { key: key(&operator.name), value: Some(value) };
    store.commit_wait(vec![op, audited])?;
    if let Some(running) = running {
        all.insert(operator.fingerprint.clone(), operator.clone());
        running.replace(all);
    }
    Ok(())
}

/// Removes an operator in one commit with `audited`; false when there was none. Their next request finds nobody.
pub fn remove(store: &Store, running: Option<&Operators>, name: &str, audited: Op) -> Result<bool, OperateError> {
    let _one = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut all = kept(store)?;
    let found = all.values().find(|other| other.name.eq_ignore_ascii_case(name)).cloned();
    let Some(found) = found else { return Ok(false) };
    store.commit_wait(vec![Op::Setting { key: key(&found.name), value: None }, audited])?;
    if let Some(running) = running {
        all.remove(&found.fingerprint);
        running.replace(all);
    }
    Ok(true)
}

fn key(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_given_a_line_each() {
        let digits = "ab01".repeat(16);
        let text = format!(
            "# of the first boot\n\nanne administrator {digits}\n  jean manager {} \n",
            digits.replace('a', "A:")
        );
        let read = read_lines(&text, "first boot", 7).unwrap();
        let told: Vec<(&str, OperatorRole)> = read.iter().map(|it| (it.name.as_str(), it.role)).collect();
        assert_eq!(told, [("anne", OperatorRole::Administrator), ("jean", OperatorRole::Manager)]);
        assert_eq!((read[0].fingerprint.as_str(), read[0].since_s), (digits.as_str(), 7));
        for bad in ["anne", "anne administrator", &format!("anne king {digits}"), "anne manager 12"] {
            assert!(read_lines(bad, "first boot", 7).is_err(), "{bad}");
        }
    }
}
