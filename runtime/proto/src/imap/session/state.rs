//! The states of RFC 9051 3, one type each, and what a command leads to.

use super::append::Appending;
use super::live;
use super::login::Awaited;
use super::notify::Notifying;
use super::view::View;
use crate::imap::command::Tag;
use crate::imap::grammar::Coding;
use crate::imap::question::{Answer, MailboxId, Question, Trouble};
use crate::imap::response::{Code, Out, Reply};
use crate::imap::session::Config;

/// What all states share.
#[derive(Debug)]
pub struct Shared {
    pub config: Config,
    pub enabled: Enabled,
    /// RFC 5465: the client hears of mailboxes that are not selected.
    pub notify: Option<Box<Notifying>>,
    /// Everything is DEFLATE (RFC 4978).
    pub compressed: bool,
    pub login_failures: u32,
    /// What the client called itself in ID.
    pub client: Option<String>,
}

/// What the client enabled, by ENABLE (RFC 5161) or by use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enabled {
    /// RFC 9051 6.3.1.
    pub rev2: bool,
    /// RFC 6855: names and texts are UTF-8.
    pub utf8: bool,
    /// RFC 7162 3.1: FETCH responses of flags tell MODSEQ.
    pub condstore: bool,
    /// RFC 7162 3.2: VANISHED instead of EXPUNGE.
    pub qresync: bool,
    /// RFC 9586: UIDs instead of message numbers.
    pub uid_only: bool,
}

impl Shared {
    /// RFC 9051 5.1, RFC 6855 3: names are UTF-8 once IMAP4rev2 or UTF8=ACCEPT is enabled.
    pub fn coding(&self) -> Coding {
        if self.enabled.rev2 || self.enabled.utf8 { Coding::Utf8 } else { Coding::Utf7 }
    }
}

#[derive(Debug)]
pub struct NotAuthenticated {
    pub shared: Shared,
}

#[derive(Debug)]
pub struct Authenticated {
    pub shared: Shared,
}

#[derive(Debug)]
pub struct Selected {
    pub shared: Shared,
    pub view: View,
}

/// Somebody is logged in, with or without a selected mailbox: what commands on the account need.
#[derive(Debug)]
pub enum Open {
    Authenticated(Authenticated),
    Selected(Box<Selected>),
}

#[derive(Debug)]
pub enum State {
    NotAuthenticated(NotAuthenticated),
    Open(Open),
}

/// What a step of a command leads to.
pub enum Turn {
    /// The command is over.
    Ready(State),
    Ask(Question, Then),
    /// Enough was written for now; goes on when it is sent.
    More(More),
    /// AUTHENTICATE wants the client's next line.
    Challenge(NotAuthenticated, Tag, Awaited),
    /// IDLE, until DONE.
    Idle(Open, Tag),
    /// APPEND goes on with what comes.
    Append(Box<Appending>),
    /// COMPRESS was answered with OK.
    Compress(Open),
    Close,
}

pub type Then = Box<dyn FnOnce(Answer, &mut Out) -> Turn + Send>;
pub type More = Box<dyn FnOnce(&mut Out) -> Turn + Send>;

/// May EXPUNGE responses be sent before the end of the command? (RFC 9051 7.5.1: not in FETCH, STORE, SEARCH.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expunges {
    Told,
    Held,
}

pub fn ask(question: Question, then: impl FnOnce(Answer, &mut Out) -> Turn + Send + 'static) -> Turn {
    Turn::Ask(question, Box::new(then))
}

impl NotAuthenticated {
    pub fn done(self, tag: &Tag, reply: &Reply, out: &mut Out) -> Turn {
        out.tagged(tag, reply);
        Turn::Ready(State::NotAuthenticated(self))
    }
}

impl Open {
    pub fn shared(&self) -> &Shared {
        match self {
            Open::Authenticated(state) => &state.shared,
            Open::Selected(state) => &state.shared,
        }
    }

    pub fn shared_mut(&mut self) -> &mut Shared {
        match self {
            Open::Authenticated(state) => &mut state.shared,
            Open::Selected(state) => &mut state.shared,
        }
    }

    pub fn coding(&self) -> Coding {
        self.shared().coding()
    }

    pub fn selected(&self) -> Option<MailboxId> {
        match self {
            Open::Authenticated(_) => None,
            Open::Selected(state) => Some(state.view.mailbox()),
        }
    }

    /// RFC 7162 3.2.3: QRESYNC is more of CONDSTORE. A client that has a mailbox selected learns where it stands.
    pub fn enabled(&mut self, before: Enabled, out: &mut Out) {
        let enabled = &mut self.shared_mut().enabled;
        enabled.condstore |= enabled.qresync;
        if enabled.condstore
            && !before.condstore
            && let Open::Selected(state) = self
        {
            state.tell_highest(out);
        }
    }

    /// As `Selected::use_mod_seq`.
    pub fn use_mod_seq(&mut self, out: &mut Out) {
        match self {
            Open::Authenticated(state) => state.shared.enabled.condstore = true,
            Open::Selected(state) => state.use_mod_seq(out),
        }
    }

    pub fn ready(self) -> Turn {
        Turn::Ready(State::Open(self))
    }

    /// Ends a command on the account; with a selected mailbox its news come first.
    pub fn done(self, tag: Tag, reply: Reply, out: &mut Out) -> Turn {
        match self {
            Open::Authenticated(_) => {
                out.tagged(&tag, &reply);
                self.ready()
            }
            Open::Selected(state) => state.done_with_news(tag, reply),
        }
    }

    /// Asks a question whose answer is yes or no.
    pub fn ask_done(self, tag: Tag, question: Question, yes: &'static str) -> Turn {
        ask(question, move |answer, out| match answer.done() {
            Ok(()) => self.done(tag, Reply::ok(yes), out),
            Err(trouble) => self.done(tag, trouble.into(), out),
        })
    }
}

impl Selected {
    pub fn ready(self: Box<Self>) -> Turn {
        Turn::Ready(State::Open(Open::Selected(self)))
    }

    /// The client asked for mod-sequences: from now on it is told them, and first where it stands (RFC 7162 3.1).
    pub fn use_mod_seq(&mut self, out: &mut Out) {
        if !std::mem::replace(&mut self.shared.enabled.condstore, true) {
            self.tell_highest(out);
        }
    }

    /// RFC 7162 3.2: what is held back has a MODSEQ that may be below one just told.
    pub fn tell_highest(&self, out: &mut Out) {
        out.untagged_reply(&Reply::ok("told up to here").with(Code::HighestModSeq(self.view.complete())));
    }

    /// Learns the news of the mailbox, then goes on. EXPUNGE is held back: the numbers in the command are old ones.
    pub fn with_news(
        self: Box<Self>,
        tag: Tag,
        then: impl FnOnce(Box<Self>, Tag, &mut Out) -> Turn + Send + 'static,
    ) -> Turn {
        self.hear(true, move |state, trouble, out| match trouble {
            None => then(state, tag, out),
            Some(Trouble::NoSuchMailbox) => gone(out),
            Some(Trouble::NoPermission) => taken_away(out),
            Some(trouble) => state.done(&tag, &trouble.into(), Expunges::Held, out),
        })
    }

    /// Asks for the news, takes them, and goes on, with what went wrong if something did. `rows`: what follows looks at them.
    pub fn hear(
        mut self: Box<Self>,
        rows: bool,
        then: impl FnOnce(Box<Self>, Option<Trouble>, &mut Out) -> Turn + Send + 'static,
    ) -> Turn {
        ask(self.view.refresh(rows), move |answer, out| match answer.changed() {
            Ok(changes) if self.view.lacks_rows_for(&changes) => match rows {
                false => self.hear(true, then),
                // The driver was asked for them.
                true => then(self, Some(Trouble::Bug), out),
            },
            Ok(changes) => match self.view.apply(changes, self.shared.enabled, out) {
                Ok(()) => then(self, None, out),
                Err(_) => lost(out),
            },
            Err(trouble) => then(self, Some(trouble), out),
        })
    }

    /// Ends a command that changed something or that the client sends to hear the news.
    pub fn done_with_news(self: Box<Self>, tag: Tag, reply: Reply) -> Turn {
        self.hear(false, move |state, trouble, out| match trouble {
            Some(Trouble::NoSuchMailbox) => gone(out),
            Some(Trouble::NoPermission) => taken_away(out),
            // The command itself is done; the news come with the next one.
            Some(_) | None => state.done(&tag, &reply, Expunges::Told, out),
        })
    }

    /// Ends a command that changed flags. Who is told MODSEQ hears what others did before that change.
    pub fn done_changed(self: Box<Self>, tag: Tag, reply: Reply, expunges: Expunges, out: &mut Out) -> Turn {
        if !self.shared.enabled.condstore {
            return self.done(&tag, &reply, expunges, out);
        }
        self.hear(false, move |state, trouble, out| match trouble {
            Some(Trouble::NoSuchMailbox) => gone(out),
            Some(_) | None => state.done(&tag, &reply, expunges, out),
        })
    }

    /// Ends a command that removed messages. RFC 7162 3.2.7: its OK says up to where everything was told.
    pub fn done_removed(self: Box<Self>, tag: Tag, text: &'static str, out: &mut Out) -> Turn {
        if !self.shared.enabled.qresync {
            return self.done(&tag, &Reply::ok(text), Expunges::Told, out);
        }
        self.hear(false, move |mut state, trouble, out| {
            if let Some(Trouble::NoSuchMailbox) = trouble {
                return gone(out);
            }
            state.view.tell_expunged(state.shared.enabled, out);
            let reply = Reply::ok(text).with(Code::HighestModSeq(state.view.complete()));
            state.done(&tag, &reply, Expunges::Told, out)
        })
    }

    /// Ends a command. What is live is told first.
    pub fn done(self: Box<Self>, tag: &Tag, reply: &Reply, expunges: Expunges, out: &mut Out) -> Turn {
        if !live::is_due(&self) {
            return self.finish(tag, reply, expunges, out);
        }
        let (tag, reply) = (tag.clone(), reply.clone());
        live::tell(self, out, move |state, out| state.finish(&tag, &reply, expunges, out))
    }

    fn finish(mut self: Box<Self>, tag: &Tag, reply: &Reply, expunges: Expunges, out: &mut Out) -> Turn {
        if expunges == Expunges::Told {
            self.view.tell_expunged(self.shared.enabled, out);
        }
        if self.shared.enabled.condstore && self.view.is_incomplete() {
            self.tell_highest(out);
        }
        self.view.live.settle(self.view.uid_max());
        self.view.let_go_own();
        out.tagged(tag, reply);
        self.ready()
    }
}

/// The client enabled UIDONLY and named messages by number (RFC 9586 3.1).
pub fn uid_required() -> Reply {
    Reply::bad("messages have UIDs only").with(Code::UidRequired)
}

/// The selected mailbox was deleted, or was INBOX and renamed, by another session: nothing the client knows is true any more (RFC 2180 3).
pub fn gone(out: &mut Out) -> Turn {
    out.untagged_reply(&Reply::bye("the selected mailbox was deleted or renamed"));
    Turn::Close
}

/// The right to read the selected mailbox was taken away, or ended (RFC 4314 4): the session cannot go on with it.
pub fn taken_away(out: &mut Out) -> Turn {
    out.untagged_reply(&Reply::bye("the right to read the selected mailbox ended"));
    Turn::Close
}

/// The rows are not the ones the client was told about: its numbers mean nothing any more.
fn lost(out: &mut Out) -> Turn {
    out.untagged_reply(&Reply::bye("the selected mailbox changed too much, select it again"));
    Turn::Close
}
