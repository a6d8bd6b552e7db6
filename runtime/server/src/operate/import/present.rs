//! What a mailbox holds already. Only bodies as long as a new message are read, each once.

use std::collections::HashMap;

use store::{MailboxId, MessageRow, ReadError};

use crate::operate::{Context, OperateError};

type Hash = [u8; 32];

/// The messages a mailbox had when the import came to it.
pub(super) struct Present {
    /// UIDs by length, of lengths no new message had yet.
    unread: HashMap<u64, Vec<u32>>,
    /// Copies of a content that no message of the source stands for yet.
    copies: HashMap<Hash, u32>,
}

impl Present {
    pub fn new(messages: &[MessageRow]) -> Present {
        let mut unread: HashMap<u64, Vec<u32>> = HashMap::new();
        for message in messages {
            unread.entry(message.size_octets).or_default().push(message.uid);
        }
        Present { unread, copies: HashMap::new() }
    }

    /// Is there a copy of this message that no earlier one of the source stood for? It stands for it now.
    pub fn takes(&mut self, context: &Context, mailbox: MailboxId, octets: &[u8]) -> Result<bool, OperateError> {
        for uid in self.unread.remove(&(octets.len() as u64)).unwrap_or_default() {
            context.go_on()?;
            // What is gone, or damaged, is no copy.
            let Some(body) = context.store.body_of(mailbox, uid)? else { continue };
            match context.store.read_body(&body) {
                Ok(body) => *self.copies.entry(*blake3::hash(&body).as_bytes()).or_default() += 1,
                Err(ReadError::Damaged) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match self.copies.get_mut(blake3::hash(octets).as_bytes()) {
            Some(copies) if *copies > 0 => {
                *copies -= 1;
                Ok(true)
            }
            Some(_) | None => Ok(false),
        }
    }
}
