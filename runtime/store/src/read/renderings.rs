//! What FETCH sends of a listing as it was rendered at delivery: octets side by side, no value of its own for any message.

use mail::mime::SummaryParts;

use crate::error::ReadError;
use crate::id::{MailboxId, UidSet};
use crate::schema::{message_key, uid_of};
use crate::store::Store;

/// The rendered parts of some messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renderings {
    /// Of each message in turn: ENVELOPE, BODY, BODYSTRUCTURE, and the text of PREVIEW, as far as they were asked.
    pub octets: Vec<u8>,
    /// UID, and where each of the four ends in `octets`; one that was not asked ends where it begins. Ascending.
    pub messages: Vec<(u32, [usize; 4])>,
    /// There was more than fits: go on from this UID.
    pub more_from: Option<u32>,
}

/// In the order of `Renderings::octets`.
const PARTS: [(SummaryParts, &str); 4] = [
    (SummaryParts::ENVELOPE, "envelope"),
    (SummaryParts::BODY, "body"),
    (SummaryParts::BODYSTRUCTURE, "bodystructure"),
    (SummaryParts::PREVIEW, "preview"),
];

impl Store {
    /// Renderings of those messages of the set that exist, up to the message that brings them to `octets_max`.
    pub fn renderings(
        &self,
        mailbox: MailboxId,
        uids: &UidSet,
        parts: SummaryParts,
        octets_max: usize,
    ) -> Result<Renderings, ReadError> {
        let asked = PARTS.map(|(part, _)| parts.contains(part));
        let columns: String =
            PARTS.iter().zip(asked).filter(|(_, asked)| *asked).map(|((_, column), _)| format!(", {column}")).collect();
        let query = format!("SELECT id{columns} FROM summary WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
        self.read_in(mailbox.shard(), |tx| {
            let mut query = tx.prepare_cached(&query)?;
            let mut found = Renderings::default();
            for (first, last) in uids.ranges() {
                let mut rows = query.query((message_key(mailbox.0, *first), message_key(mailbox.0, *last)))?;
                while let Some(row) = rows.next()? {
                    let uid = uid_of(row.get(0)?);
                    if found.octets.len() >= octets_max {
                        found.more_from = Some(uid);
                        return Ok(found);
                    }
                    let (mut ends, mut column) = ([0; 4], 0);
                    for (end, asked) in ends.iter_mut().zip(asked) {
                        if asked {
                            column += 1;
                            let rendered = row.get_ref(column)?.as_bytes().map_err(rusqlite::Error::from)?;
                            found.octets.extend_from_slice(rendered);
                        }
                        *end = found.octets.len();
                    }
                    found.messages.push((uid, ends));
                }
            }
            Ok(found)
        })
    }
}
