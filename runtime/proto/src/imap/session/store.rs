//! STORE and UID STORE (RFC 9051 6.4.6, RFC 7162 3.1.3).

use super::expunge::read_only;
use super::state::{Expunges, Selected, Turn, ask};
use crate::imap::command::{Messages, Tag};
use crate::imap::question::{FlagChange, Flagged, Question, Stored};
use crate::imap::response::{Code, Out, Reply};
use mail::Flags;

/// Messages in one question.
const SLICE: usize = 1_000;

/// What is to be done to each message.
pub struct Change {
    pub change: FlagChange,
    pub flags: Flags,
    pub silent: bool,
    pub unchanged_since: Option<u64>,
}

/// A STORE on its way.
struct Storing {
    state: Box<Selected>,
    tag: Tag,
    by_uid: bool,
    change: Change,
    /// The UIDs to do, the next one last.
    waiting: Vec<u32>,
    /// UIDs that `unchanged_since` left alone.
    modified: Vec<u32>,
}

pub fn store(mut state: Box<Selected>, tag: Tag, messages: Messages, change: Change, out: &mut Out) -> Turn {
    if change.unchanged_since.is_some() {
        state.use_mod_seq(out);
    }
    if state.view.is_read_only() {
        return state.done(&tag, &read_only(), Expunges::Held, out);
    }
    state.with_news(tag, move |state, tag, out| match state.view.uids(&messages) {
        Ok(mut waiting) => {
            waiting.reverse();
            Storing { state, tag, by_uid: messages.uid, change, waiting, modified: Vec::new() }.next(out)
        }
        Err(reply) => state.done(&tag, &reply, Expunges::Held, out),
    })
}

impl Storing {
    fn next(mut self, out: &mut Out) -> Turn {
        if self.waiting.is_empty() {
            return self.finish(Reply::ok("STORE done"), out);
        }
        let mut uids = self.waiting.split_off(self.waiting.len().saturating_sub(SLICE));
        uids.reverse();
        let Change { change, ref flags, unchanged_since, .. } = self.change;
        let mailbox = self.state.view.mailbox();
        let question = Question::Store { mailbox, uids, change, flags: flags.clone(), unchanged_since };
        ask(question, move |answer, out| match answer.stored() {
            Ok(Stored { flagged, modified }) => {
                self.tell(&flagged, out);
                self.modified.extend(modified);
                self.next(out)
            }
            Err(trouble) => self.finish(trouble.into(), out),
        })
    }

    fn tell(&mut self, flagged: &[Flagged], out: &mut Out) {
        let (by_uid, enabled) = (self.by_uid, self.state.shared.enabled);
        let expected: Vec<bool> = flagged.iter().map(|message| self.is_expected(message)).collect();
        let view = &mut self.state.view;
        view.replace(flagged, out);
        for (message, expected) in flagged.iter().zip(expected) {
            let Some(index) = view.index_of(message.uid) else { continue };
            if !self.change.silent || !expected {
                view.tell_flags(index, by_uid, enabled, out);
            } else if enabled.condstore {
                // RFC 7162 3.1.3: even when it is to be silent.
                view.tell_mod_seq(index, by_uid, enabled, out);
            }
        }
    }

    /// Are the flags what a client thinks that knows the message as the view does? Others may have changed it, too.
    fn is_expected(&self, message: &Flagged) -> bool {
        let view = &self.state.view;
        let before = view.index_of(message.uid).and_then(|index| view.rows().get(index));
        before.is_some_and(|row| self.change.change.applied(row.flags, &self.change.flags) == message.flags)
    }

    fn finish(self, reply: Reply, out: &mut Out) -> Turn {
        let Storing { state, tag, by_uid, modified, .. } = self;
        let number = |uid: &u32| state.view.index_of(*uid).and_then(|index| u32::try_from(index + 1).ok());
        let named: Vec<u32> = if by_uid { modified } else { modified.iter().filter_map(number).collect() };
        let reply = match reply.code.is_none() && !named.is_empty() {
            true => reply.with(Code::Modified(named)),
            false => reply,
        };
        state.done_changed(tag, reply, if by_uid { Expunges::Told } else { Expunges::Held }, out)
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
