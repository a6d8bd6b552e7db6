//! `facteur audit`: who did what, and about whom.

use decide::roles;
use serde::{Deserialize, Serialize};

use super::{Context, OperateError, Operation, Progress};

/// Entries of one answer.
const PAGE_MAX: usize = 1_000;
/// Entries read for one answer: who looks for what is rare pages on.
const READ_MAX: usize = 200_000;

/// `POST /audit`: entries, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadAudit {
    /// Only those that name this login or thing.
    pub about: Option<String>,
    /// Only what this login did.
    pub by: Option<String>,
    /// Only from this moment on, in Unix seconds.
    pub since_s: Option<i64>,
    /// Only those before this one.
    pub before_id: Option<i64>,
    pub limit: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    /// Where the next page begins; `None` at the end.
    pub before_id: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub id: i64,
    pub at_s: i64,
    pub who: String,
    pub what: String,
}

impl Operation for ReadAudit {
    type Response = AuditPage;
    const PATH: &'static str = "/audit";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::ReadAudit
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<AuditPage, OperateError> {
        let limit = self.limit.clamp(1, PAGE_MAX);
        let mut page = AuditPage { entries: Vec::new(), before_id: self.before_id };
        let mut read = 0;
        loop {
            context.go_on()?;
            let rows = context.store.audit_page(page.before_id, None, None, PAGE_MAX)?;
            read += rows.len();
            if rows.is_empty() {
                page.before_id = None;
                return Ok(page);
            }
            for row in rows {
                if self.since_s.is_some_and(|since_s| row.at_s < since_s) {
                    page.before_id = None;
                    return Ok(page);
                }
                page.before_id = Some(row.id);
                let is_by = self.by.as_deref().is_none_or(|by| names(&row.who, by));
                let is_about = self.about.as_deref().is_none_or(|about| names(&row.what, about));
                if is_by && is_about {
                    page.entries.push(AuditEntry { id: row.id, at_s: row.at_s, who: row.who, what: row.what });
                }
                if page.entries.len() == limit {
                    return Ok(page);
                }
            }
            if read >= READ_MAX {
                return Ok(page);
            }
        }
    }
}

/// Does a text name this login, address or id, as a whole word? `dupont` is not in what is said of `dupont-m`.
fn names(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let is_inside = |c: char| c.is_alphanumeric() || "-_@+".contains(c);
    !name.is_empty()
        && text.match_indices(&name).any(|(at, found)| {
            let before = text[..at].chars().next_back();
            let mut after = text[at + found.len()..].chars();
            // A full stop ends a sentence, or goes on in an address.
            let ends = match after.next() {
                Some('.') => !after.next().is_some_and(char::is_alphanumeric),
                Some(c) => !is_inside(c),
                None => true,
            };
            ends && !before.is_some_and(|c| is_inside(c) || c == '.')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_a_whole_word_only() {
        for (text, name, found) in [
            ("password of dupont set", "dupont", true),
            ("password of dupont-m set", "dupont", false),
            ("password of dupont-m set", "dupont-m", true),
            ("password of Dupont-M set", "dupont-m", true),
            ("dupont-m from 192.0.2.1", "dupont-m", true),
            ("redirect of x to a@b.example ended", "a@b.example", true),
            ("redirect of x to a@b.example ended", "b.example", false),
            ("redirect of x to a@b.example ended", "a", false),
            ("about j.toto.", "j.toto", true),
            ("about j.toto.", "toto", false),
            ("about j.toto.b", "j.toto", false),
            ("école: élève", "élève", true),
            ("anything", "", false),
        ] {
            assert_eq!(names(text, name), found, "{text} / {name}");
        }
    }
}
