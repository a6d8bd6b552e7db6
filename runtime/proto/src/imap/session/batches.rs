//! UIDBATCHES (RFC 10022): ranges of UIDs that hold equally many messages, the newest first.

use super::state::{Expunges, Selected, Turn};
use super::view::View;
use crate::imap::command::Tag;
use crate::imap::response::{Code, Out, Reply};

/// Smallest batch: what a server has to offer.
const SIZE_MIN: u32 = 500;

pub fn uid_batches(state: Box<Selected>, tag: Tag, size: u32, batches: Option<(u32, u32)>, out: &mut Out) -> Turn {
    if size < SIZE_MIN {
        let reply = Reply::no(Code::TooFew, "a batch has 500 messages at least");
        return state.done(&tag, &reply, Expunges::Told, out);
    }
    if batches.is_some_and(|(first, last)| first > last) {
        let reply = Reply::bad("the first batch comes before the last").with(Code::ClientBug);
        return state.done(&tag, &reply, Expunges::Told, out);
    }
    state.with_news(tag, move |state, tag, out| {
        out.text("* UIDBATCHES (TAG ");
        out.string(tag.as_str().as_bytes());
        out.text(")");
        for (at, (high, low)) in ranges(&state.view, size, batches).into_iter().enumerate() {
            out.text(if at == 0 { " " } else { "," });
            out.number(high);
            out.text(":");
            out.number(low);
        }
        out.end_line();
        state.done(&tag, &Reply::ok("UIDBATCHES done"), Expunges::Told, out)
    })
}

/// Highest and lowest UID of each batch. They lie against each other, and the last one ends with UID 1, whatever messages are
/// gone; so a message belongs to one of them.
fn ranges(view: &View, size: u32, batches: Option<(u32, u32)>) -> Vec<(u32, u32)> {
    let (rows, size) = (view.rows(), size as usize);
    let count = rows.len().div_ceil(size);
    let (first, last) = batches.map_or((1, count), |(first, last)| (first as usize, last as usize));
    let uid = |index: usize| rows.get(index).map_or(0, |row| row.uid);
    let batch = |number: usize| {
        let end = rows.len() - (number - 1) * size;
        (uid(end - 1), end.checked_sub(size + 1).map_or(0, uid) + 1)
    };
    (first..=last.min(count)).map(batch).collect()
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    #[test]
    fn batches_hold_equally_many_messages_and_leave_no_gap() {
        let mut client = Client::with_inbox(&["Subject: a\n\nx\n"].repeat(1_310));
        (1..=10).for_each(|uid| client.store.borrow_mut().expunge("INBOX", uid * 100));
        let mut check = |arguments: &str, ranges: &str| {
            let expected = format!("* UIDBATCHES (TAG \"a\"){ranges}\na OK UIDBATCHES done\n");
            client.say("n NOOP");
            client.check(&format!("a UIDBATCHES {arguments}"), &expected);
        };
        check("500", " 1310:809,808:304,303:1");
        check("1300", " 1310:1");
        check("4294967295 1:4294967295", " 1310:1");
        check("500 2:2", " 808:304");
        check("500 3:9", " 303:1");
        check("500 4:9", "");
    }

    #[test]
    fn small_batches_and_backward_ranges_are_refused() {
        let mut client = Client::with_inbox(&["Subject: a\n\nx\n"]);
        client.check("a UIDBATCHES 499", "a NO [TOOFEW] a batch has 500 messages at least\n");
        client.check("a UIDBATCHES 500 2:1", "a BAD [CLIENTBUG] the first batch comes before the last\n");
        client.check("a UIDBATCHES 500 1", "a BAD UIDBATCHES does not take that\n");
        client.check("a UIDBATCHES 500", "* UIDBATCHES (TAG \"a\") 1:1\na OK UIDBATCHES done\n");
        let mut empty = Client::with_inbox(&[]);
        empty.check("a UIDBATCHES 500", "* UIDBATCHES (TAG \"a\")\na OK UIDBATCHES done\n");
    }
}
