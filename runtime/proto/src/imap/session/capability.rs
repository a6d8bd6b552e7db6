//! CAPABILITY, ID, NAMESPACE, ENABLE (RFC 9051 6.1.1, 6.3.1, 6.3.10; RFC 2971).

use super::state::{Open, Shared, Turn};
use crate::imap::command::Tag;
use crate::imap::response::{Out, Reply};

/// Before login only what leads to one. K-9 believes the list it sees last, so the long one comes with the OK of LOGIN.
const BEFORE_LOGIN: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE AUTH=PLAIN";

const AFTER_LOGIN: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE IDLE NAMESPACE UNSELECT UIDPLUS MOVE CHILDREN \
    SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS STATUS=SIZE ESEARCH SEARCHRES BINARY QUOTA QUOTA=RES-STORAGE";

/// What is announced now.
pub fn capabilities(logged_in: bool) -> &'static str {
    if logged_in { AFTER_LOGIN } else { BEFORE_LOGIN }
}

pub fn capability(logged_in: bool, out: &mut Out) -> Reply {
    out.untagged(&format!("CAPABILITY {}", capabilities(logged_in)));
    Reply::ok("CAPABILITY done")
}

/// The version is nobody's business before login, and no help after it.
pub fn id(out: &mut Out) -> Reply {
    out.untagged("ID (\"name\" \"Facteur\")");
    Reply::ok("ID done")
}

/// `namespace-response = "NAMESPACE" SP namespace SP namespace SP namespace`: one's own mailboxes, nobody else's.
pub fn namespace(state: Open, tag: Tag, out: &mut Out) -> Turn {
    out.untagged("NAMESPACE ((\"\" \"/\")) NIL NIL");
    state.done(tag, Reply::ok("NAMESPACE done"), out)
}

/// Enables what is known of `words` and says which that was; the others are ignored (RFC 5161 3.1).
pub fn enable(shared: &mut Shared, words: &[String], out: &mut Out) -> Reply {
    let rev2 = words.iter().any(|word| word.eq_ignore_ascii_case("IMAP4rev2"));
    out.untagged(if rev2 && !shared.rev2 { "ENABLED IMAP4rev2" } else { "ENABLED" });
    shared.rev2 |= rev2;
    Reply::ok("ENABLE done")
}
