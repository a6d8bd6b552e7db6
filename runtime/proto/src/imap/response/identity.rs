//! SAVEDATE, EMAILID and THREADID of FETCH (RFC 8514 4.3, RFC 8474 5.1 and 5.2).

use std::fmt::Write;

use super::Out;
use crate::imap::command::FetchItem;
use crate::imap::question::Identity;
use mail::date::DateTime;

/// Writes one of these items, name and value; other items are none of its business.
pub fn identity(out: &mut Out, item: &FetchItem, found: &Identity) {
    // Writing into memory does not fail.
    let _ = match item {
        FetchItem::SaveDate => write!(out, "SAVEDATE \"{}\"", DateTime::utc(found.saved_s).to_imap()),
        FetchItem::EmailId => write!(out, "EMAILID ({})", found.email),
        FetchItem::ThreadId => match found.thread {
            Some(thread) => write!(out, "THREADID ({thread})"),
            None => write!(out, "THREADID NIL"),
        },
        FetchItem::Flags
        | FetchItem::Uid
        | FetchItem::ModSeq
        | FetchItem::InternalDate
        | FetchItem::Size
        | FetchItem::Envelope
        | FetchItem::Body
        | FetchItem::BodyStructure
        | FetchItem::Preview
        | FetchItem::Content(_)
        | FetchItem::Binary { .. }
        | FetchItem::BinarySize { .. } => Ok(()),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::question::{EmailId, ThreadId};

    #[test]
    fn identifiers_are_in_parentheses_and_begin_with_a_letter() {
        let written = |item: FetchItem, thread: Option<ThreadId>| {
            let mut out = Out::default();
            identity(&mut out, &item, &Identity { uid: 1, email: EmailId(255), thread, saved_s: 837_596_665 });
            String::from_utf8(out.take()).unwrap()
        };
        assert_eq!(written(FetchItem::EmailId, None), "EMAILID (Mff)");
        assert_eq!(written(FetchItem::ThreadId, Some(ThreadId(16))), "THREADID (T10)");
        assert_eq!(written(FetchItem::ThreadId, None), "THREADID NIL");
        assert_eq!(written(FetchItem::SaveDate, None), "SAVEDATE \"17-Jul-1996 09:44:25 +0000\"");
    }
}
