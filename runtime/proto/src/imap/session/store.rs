//! STORE and UID STORE (RFC 9051 6.4.6).

use super::expunge::read_only;
use super::state::{Expunges, Selected, Turn, ask};
use crate::imap::command::{Messages, Tag};
use crate::imap::question::{FlagChange, Question};
use crate::imap::response::{Out, Reply};
use mail::Flags;

/// Messages in one question.
const SLICE: usize = 1_000;

/// A STORE on its way.
struct Storing {
    state: Box<Selected>,
    tag: Tag,
    by_uid: bool,
    silent: bool,
    change: FlagChange,
    flags: Flags,
    /// The UIDs to do, the next one last.
    waiting: Vec<u32>,
}

pub fn store(
    state: Box<Selected>,
    tag: Tag,
    messages: Messages,
    (change, silent, flags): (FlagChange, bool, Flags),
    out: &mut Out,
) -> Turn {
    if state.view.is_read_only() {
        return state.done(&tag, &read_only(), Expunges::Held, out);
    }
    state.with_news(tag, move |state, tag, out| match state.view.uids(&messages) {
        Ok(mut waiting) => {
            waiting.reverse();
            Storing { state, tag, by_uid: messages.uid, silent, change, flags, waiting }.next(out)
        }
        Err(reply) => state.done(&tag, &reply, Expunges::Held, out),
    })
}

impl Storing {
    fn next(mut self, out: &mut Out) -> Turn {
        let expunges = if self.by_uid { Expunges::Told } else { Expunges::Held };
        if self.waiting.is_empty() {
            return self.state.done(&self.tag, &Reply::ok("STORE done"), expunges, out);
        }
        let mut uids = self.waiting.split_off(self.waiting.len().saturating_sub(SLICE));
        uids.reverse();
        let mailbox = self.state.view.mailbox();
        let question = Question::Store { mailbox, uids, change: self.change, flags: self.flags.clone() };
        ask(question, move |answer, out| match answer.stored() {
            Ok(flagged) => {
                self.state.view.replace(&flagged, out);
                if !self.silent {
                    for index in flagged.iter().filter_map(|message| self.state.view.index_of(message.uid)) {
                        self.state.view.tell_flags(index, self.by_uid, out);
                    }
                }
                self.next(out)
            }
            Err(trouble) => self.state.done(&self.tag, &trouble.into(), expunges, out),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    #[test]
    fn flags_are_replaced_added_and_removed() {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n", "a: 2\n\nb\n"]);
        client.check(
            "a STORE 1:2 FLAGS (\\Seen)",
            "* 1 FETCH (FLAGS (\\Seen))\n* 2 FETCH (FLAGS (\\Seen))\na OK STORE done\n",
        );
        client.check("a STORE 1 +FLAGS \\Flagged", "* 1 FETCH (FLAGS (\\Flagged \\Seen))\na OK STORE done\n");
        client.check("a UID STORE 2 -FLAGS (\\Seen)", "* 2 FETCH (UID 2 FLAGS ())\na OK STORE done\n");
        client.check("a STORE 2 +FLAGS.SILENT (\\Draft)", "a OK STORE done\n");
        client.check("a NOOP", "a OK NOOP done\n");
        client.check("a FETCH 2 FLAGS", "* 2 FETCH (FLAGS (\\Draft))\na OK FETCH done\n");
        client.check("a STORE 3 FLAGS ()", "a BAD there is no message with that number\n");
        client.check("a UID STORE 7 FLAGS ()", "a OK STORE done\n");
    }

    #[test]
    fn a_new_keyword_is_announced_before_it_is_met() {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n"]);
        client.check(
            "a STORE 1 +FLAGS ($Junk)",
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Junk)\n* 1 FETCH (FLAGS ($Junk))\na OK STORE done\n",
        );
    }

    #[test]
    fn many_messages_are_changed_in_slices() {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n"; 2_500]);
        client.asked.clear();
        let said = client.say("a STORE 1:* +FLAGS (\\Seen)");
        assert_eq!(said.lines().count(), 2_501);
        assert!(said.starts_with("* 1 FETCH ") && said.contains("\n* 2500 FETCH (FLAGS (\\Seen))\n"));
        assert_eq!(client.asked, ["Refresh", "Store", "Store", "Store"]);
    }
}
