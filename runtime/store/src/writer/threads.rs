//! THREADID (RFC 8474 5.2): a message joins the conversation of its account that knows its Message-ID or one it refers to.
//! The conversation has the key of its first message as its name; it never changes, also when a late message would join two.

use rusqlite::OptionalExtension;

use super::Stop;
use super::group::Group;
use crate::summary::Summary;

/// Identifiers a message is looked up by: its own and those nearest to it.
const IDS_MAX: usize = 12;

impl Group<'_> {
    /// The thread of a message that arrives with `key`; its identifiers are remembered.
    pub(super) fn thread(&mut self, account: i64, summary: &Summary, key: i64) -> Result<i64, Stop> {
        let hashes = identifiers(summary);
        if hashes.is_empty() {
            return Ok(key);
        }
        let mut query = self.db.prepare_cached("SELECT thread FROM thread WHERE account = ?1 AND hash = ?2")?;
        let (mut thread, mut unknown) = (None, Vec::with_capacity(hashes.len()));
        for hash in hashes {
            match query.query_row((account, hash), |row| row.get::<_, i64>(0)).optional()? {
                Some(known) => thread = thread.or(Some(known)),
                None => unknown.push(hash),
            }
        }
        let thread = thread.unwrap_or(key);
        let mut insert =
            self.db.prepare_cached("INSERT OR IGNORE INTO thread(account, hash, thread) VALUES(?1, ?2, ?3)")?;
        for hash in unknown {
            insert.execute((account, hash, thread))?;
        }
        Ok(thread)
    }
}

/// The message's own identifier first, then the one it answers, then its references from the nearest back.
fn identifiers(summary: &Summary) -> Vec<i64> {
    let own = summary.message_id.split_whitespace().take(1);
    let answered = summary.in_reply_to.split_whitespace().take(1);
    let references = summary.references.split_whitespace().rev();
    let mut hashes = Vec::new();
    for id in own.chain(answered).chain(references) {
        let hash = hash(id);
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
        if hashes.len() == IDS_MAX {
            break;
        }
    }
    hashes
}

fn hash(id: &str) -> i64 {
    let hash = blake3::hash(id.as_bytes());
    i64::from_le_bytes(std::array::from_fn(|n| hash.as_bytes()[n]))
}
