//! APPEND and REPLACE (RFC 9051 6.3.12, RFC 3502, RFC 4469, RFC 6855 4, RFC 8508; RFC 7888 for literals the client does not
//! wait for).
//!
//! A command is read in stretches between its literals, which stream. Nothing is kept before all of it has come.

use std::vec::IntoIter;

use super::copy::refusal;
use super::expunge::read_only;
use super::reader::{LOGGED_IN, Read};
use super::state::{Open, Selected, Turn, ask, gone, uid_required};
use super::{CHUNK_OCTETS, Session, Stage, Step};
use crate::imap::command::{Append, BadAppend, BadStretch, End, Inside, Literal, Messages, Piece, Stretch, Tag, Url};
use crate::imap::grammar::{literal_at_end, url};
use crate::imap::question::{Answer, Question, Replaced, Source, SourceMailbox, Trouble};
use crate::imap::response::{Code, Out, Reply};
use crate::line::Line;
use mail::MailboxName;

/// What is refused and comes all the same is read and dropped up to so many times the size of the largest message; beyond
/// that the connection ends.
const SWALLOW_FACTOR: u64 = 4;
/// Messages in one command.
const MESSAGES_MAX: usize = 1_000;
/// Parts of other messages in one command: for each a message is read whole.
const PARTS_MAX: usize = 100;

/// An APPEND on its way.
pub struct Appending {
    open: Open,
    tag: Tag,
    /// None when it is refused for its name.
    mailbox: Option<MailboxName>,
    replaces: Option<Replaced>,
    phase: Phase,
    messages: usize,
    parts: usize,
    /// The messages will not be kept, but octets come all the same: they are dropped, then this is said.
    refused: Option<Reply>,
    /// The driver has to forget what it has.
    aborts: bool,
    dropped_octets: u64,
}

#[derive(Clone, Copy)]
enum Phase {
    /// Octets of a literal are to come.
    Literal { octets_left: u64, inside: Inside },
    /// What stands behind a literal is to come.
    Text(Inside),
    /// Nothing more is to come.
    Over,
}

impl Appending {
    fn new(open: Open, tag: Tag, mailbox: Option<MailboxName>, replaces: Option<Replaced>) -> Box<Appending> {
        Box::new(Appending {
            open,
            tag,
            mailbox,
            replaces,
            phase: Phase::Over,
            messages: 0,
            parts: 0,
            refused: None,
            aborts: false,
            dropped_octets: 0,
        })
    }

    pub fn open(&self) -> &Open {
        &self.open
    }

    fn octets_max(&self) -> u64 {
        self.open.shared().config.append_octets_max
    }
}

/// Does a literal come that the client does not wait with?
pub fn comes_at_once(end: End) -> bool {
    matches!(end, End::Literal(literal, _) if !literal.synchronizing)
}

/// The command has come up to its first literal, or whole.
pub fn append(open: Open, append: Append, out: &mut Out) -> Turn {
    let Append { tag, name, replaces, stretch } = append;
    let name = match name {
        Ok(name) => name,
        Err(bad) => return refuse(Appending::new(open, tag, None, None), bad.into(), stretch.end, out),
    };
    match (replaces, open) {
        (None, open) => {
            let appending = Appending::new(open, tag, Some(name), None);
            go_on(appending, stretch.pieces.into_iter(), stretch.end, out)
        }
        (Some(messages), open @ Open::Selected(_)) if open.shared().enabled.uid_only && !messages.uid => {
            refuse(Appending::new(open, tag, None, None), uid_required(), stretch.end, out)
        }
        (Some(messages), Open::Selected(selected)) => replace(selected, tag, name, messages, stretch),
        (Some(_), open @ Open::Authenticated(_)) => {
            let reply = Reply::bad("no mailbox is selected").with(Code::ClientBug);
            refuse(Appending::new(open, tag, None, None), reply, stretch.end, out)
        }
    }
}

/// Its arguments are wrong, and its literal comes all the same.
pub fn bad(open: Open, bad: BadAppend, out: &mut Out) -> Turn {
    let end = End::Literal(bad.literal, Inside::Message);
    refuse(Appending::new(open, bad.tag, None, None), Reply::bad(bad.what), end, out)
}

/// Finds the message that goes.
fn replace(selected: Box<Selected>, tag: Tag, to: MailboxName, messages: Messages, stretch: Stretch) -> Turn {
    selected.hear(true, move |state, trouble, out| {
        let Stretch { pieces, end } = stretch;
        let (mailbox, found) = (state.view.mailbox(), state.view.uids(&messages));
        let found = match (trouble, state.view.is_read_only()) {
            (Some(Trouble::NoSuchMailbox), _) => return gone(out),
            (Some(trouble), _) => Err(trouble.into()),
            (None, true) => Err(read_only()),
            // RFC 8508 3.2: there has to be one.
            (None, false) => found.and_then(|uids| uids.first().copied().ok_or_else(|| Trouble::Expunged.into())),
        };
        let open = Open::Selected(state);
        match found {
            Ok(uid) => {
                let appending = Appending::new(open, tag, Some(to), Some(Replaced { mailbox, uid }));
                go_on(appending, pieces.into_iter(), end, out)
            }
            Err(reply) => refuse(Appending::new(open, tag, None, None), reply, end, out),
        }
    })
}

/// Piece by piece to the end of the stretch.
fn go_on(appending: Box<Appending>, mut pieces: IntoIter<Piece>, end: End, out: &mut Out) -> Turn {
    match (pieces.next(), end) {
        (Some(Piece::Message { flags, internal_date }), _) => {
            let Some(mailbox) = appending.mailbox.clone() else {
                return refuse(appending, Trouble::Bug.into(), end, out);
            };
            let replaces = appending.replaces;
            begin(appending, Question::AppendStart { mailbox, flags, internal_date, replaces }, pieces, end, out)
        }
        (Some(Piece::Url(text)), _) => copy_part(appending, text, pieces, end, out),
        (None, End::Literal(literal, inside)) => take(appending, literal, inside, out),
        (None, End::Command) => complete(*appending),
    }
}

/// Another message begins.
fn begin(mut appending: Box<Appending>, start: Question, pieces: IntoIter<Piece>, end: End, out: &mut Out) -> Turn {
    if appending.replaces.is_some() && appending.messages > 0 {
        return refuse(appending, Reply::bad("REPLACE takes one message"), end, out);
    }
    if appending.messages == MESSAGES_MAX {
        return refuse(appending, Reply::no(Code::Limit, "one command takes 1,000 messages"), end, out);
    }
    appending.messages += 1;
    ask(start, move |answer, out| match answer.done() {
        Ok(()) => go_on(appending, pieces, end, out),
        Err(trouble) => refuse(appending, refusal(trouble), end, out),
    })
}

/// The next octets are in another message (RFC 4469).
fn copy_part(mut appending: Box<Appending>, text: Vec<u8>, pieces: IntoIter<Piece>, end: End, out: &mut Out) -> Turn {
    if appending.parts == PARTS_MAX {
        return refuse(appending, Reply::no(Code::Limit, "one command takes 100 parts"), end, out);
    }
    appending.parts += 1;
    let Some(source) = url(&text).and_then(|url| source(url, &appending.open)) else {
        return refuse(appending, bad_url(text), end, out);
    };
    ask(Question::AppendPart(Box::new(source)), move |answer, out| match answer.done() {
        Ok(()) => go_on(appending, pieces, end, out),
        Err(Trouble::NoSuchMailbox | Trouble::Expunged) => refuse(appending, bad_url(text), end, out),
        Err(trouble) => refuse(appending, refusal(trouble), end, out),
    })
}

/// `None` when it is in the selected mailbox and there is none.
fn source(url: Url, open: &Open) -> Option<Source> {
    let Url { mailbox, uid_validity, uid, section, partial } = url;
    let mailbox = match (mailbox, open) {
        (Some(name), _) => SourceMailbox::Named { name, uid_validity },
        (None, Open::Selected(selected)) => SourceMailbox::Selected(selected.view.mailbox()),
        (None, Open::Authenticated(_)) => return None,
    };
    Some(Source { mailbox, uid, section, partial })
}

fn bad_url(text: Vec<u8>) -> Reply {
    Reply::no(Code::BadUrl(text), "that URL leads to no part of a message here")
}

/// A literal was announced.
fn take(mut appending: Box<Appending>, literal: Literal, inside: Inside, out: &mut Out) -> Turn {
    let end = End::Literal(literal, inside);
    if literal.size_octets > appending.octets_max() {
        return refuse(appending, Trouble::TooBig.into(), end, out);
    }
    if literal.size_octets == 0 && inside != Inside::Catenate {
        // RFC 3502 6.3.11: that is how a client takes back what it began.
        return refuse(appending, Reply::no(Code::Cannot, "a message of no octets takes the command back"), end, out);
    }
    if inside == Inside::Utf8 && !appending.open.shared().enabled.utf8 {
        return refuse(appending, Reply::bad("UTF8=ACCEPT is not enabled"), end, out);
    }
    ask(Question::AppendMore { size_octets: literal.size_octets }, move |answer, out| match answer.done() {
        Ok(()) => {
            if literal.synchronizing {
                out.text("+ go ahead\r\n");
            }
            appending.phase = Phase::Literal { octets_left: literal.size_octets, inside };
            Turn::Append(appending)
        }
        Err(trouble) => refuse(appending, refusal(trouble), end, out),
    })
}

/// Everything has come: the messages can be kept.
fn complete(appending: Appending) -> Turn {
    ask(Question::AppendEnd, move |answer, out| {
        let Appending { open, tag, replaces, .. } = appending;
        let (uid_validity, uids) = match answer {
            Answer::Appended { uid_validity, uids } => (uid_validity, uids),
            other => return open.done(tag, refusal(other.done().err().unwrap_or(Trouble::Bug)), out),
        };
        let told = |reply: Reply| match uid_validity {
            Some(validity) => reply.with(Code::AppendUid(validity, uids)),
            None => reply,
        };
        match (replaces, open) {
            (Some(replaced), Open::Selected(mut state)) => {
                // RFC 8508 3.3: before the EXPUNGE response, so that the client can follow the message.
                out.untagged_reply(&told(Reply::ok("replaced")));
                state.view.vanish([replaced.uid]);
                state.done_with_news(tag, Reply::ok("REPLACE done"))
            }
            (_, open) => open.done(tag, told(Reply::ok("APPEND done")), out),
        }
    })
}

/// A client that waits hears NO and sends nothing; one that does not wait has its octets dropped first.
fn refuse(mut appending: Box<Appending>, reply: Reply, end: End, out: &mut Out) -> Turn {
    appending.aborts = appending.messages > 0;
    appending.refused = Some(reply);
    appending.phase = Phase::Over;
    match end {
        End::Literal(literal, inside) if !literal.synchronizing => drop_literal(appending, literal, inside, out),
        End::Literal(..) | End::Command => Turn::Append(appending),
    }
}

fn drop_literal(mut appending: Box<Appending>, literal: Literal, inside: Inside, out: &mut Out) -> Turn {
    appending.dropped_octets = appending.dropped_octets.saturating_add(literal.size_octets);
    if appending.dropped_octets > appending.octets_max().saturating_mul(SWALLOW_FACTOR) {
        out.untagged_reply(&Reply::bye("the literal is too big").with(Code::TooBig));
        return Turn::Close;
    }
    appending.phase = Phase::Literal { octets_left: literal.size_octets, inside };
    Turn::Append(appending)
}

/// RFC 9051 4.3 keeps NUL out of literals, so what holds one could not be read again with BODY[]. RFC 3516 4.4 has the code
/// for a place that does not keep binary content.
fn nul() -> Reply {
    Reply::no(Code::UnknownCte, "a message with NUL cannot be kept, not even from a literal8")
}

impl Session {
    /// One move of an APPEND that takes what comes.
    pub(super) fn append(&mut self, mut appending: Box<Appending>) -> Option<Step> {
        if std::mem::take(&mut appending.aborts) {
            self.stage = Stage::Append(appending);
            return Some(Step::AppendAbort);
        }
        match appending.phase {
            Phase::Literal { octets_left: 0, inside } => {
                appending.phase = Phase::Text(inside);
                self.stage = Stage::Append(appending);
                None
            }
            Phase::Literal { octets_left, inside } => self.append_octets(appending, octets_left, inside),
            Phase::Text(inside) if appending.refused.is_none() => self.append_text(appending, inside),
            Phase::Text(inside) => self.drop_text(appending, inside),
            Phase::Over => {
                let Appending { open, tag, refused, .. } = *appending;
                let reply = refused.unwrap_or_else(|| Trouble::Bug.into());
                self.turn(|out| open.done(tag, reply, out))
            }
        }
    }

    fn append_octets(&mut self, mut appending: Box<Appending>, octets_left: u64, inside: Inside) -> Option<Step> {
        let waiting = self.inbox.rest();
        let count = usize::try_from(octets_left).unwrap_or(usize::MAX).min(waiting.len()).min(CHUNK_OCTETS);
        if count == 0 {
            self.stage = Stage::Append(appending);
            return self.rest(Step::NeedInput);
        }
        let chunk = appending.refused.is_none().then(|| waiting[..count].to_vec());
        self.inbox.consume(count);
        appending.phase = Phase::Literal { octets_left: octets_left - count as u64, inside };
        let has_nul = chunk.as_ref().is_some_and(|chunk| chunk.contains(&0));
        if has_nul {
            // The rest is still read, and dropped.
            appending.refused = Some(nul());
            appending.dropped_octets = octets_left;
        }
        self.stage = Stage::Append(appending);
        if has_nul { Some(Step::AppendAbort) } else { chunk.map(Step::AppendChunk) }
    }

    /// What stands behind a literal.
    fn append_text(&mut self, appending: Box<Appending>, inside: Inside) -> Option<Step> {
        let too_long = || Reply::bad("the command is too long").with(Code::TooBig);
        match self.reader.resume(&mut self.inbox, LOGGED_IN, inside) {
            Read::NeedInput => {
                self.stage = Stage::Append(appending);
                self.rest(Step::NeedInput)
            }
            Read::Continue => {
                self.out.text("+ go ahead\r\n");
                self.stage = Stage::Append(appending);
                None
            }
            Read::Stretch(Stretch { pieces, end }) => self.turn(|out| go_on(appending, pieces.into_iter(), end, out)),
            Read::BadStretch(BadStretch { literal }) => {
                let end = literal.map_or(End::Command, |literal| End::Literal(literal, inside));
                let reply = Reply::bad("behind a literal comes a message, a part or the end");
                self.turn(|out| refuse(appending, reply, end, out))
            }
            Read::TooLong(_) => self.turn(|out| refuse(appending, too_long(), End::Command, out)),
            Read::Endless => self.bye("the command is endless"),
            // Only `Reader::read` finds these.
            Read::Command(_) | Read::Append(_) | Read::BadAppend(_) => self.bye("the server contradicts itself"),
        }
    }

    /// The same of what was refused.
    fn drop_text(&mut self, mut appending: Box<Appending>, inside: Inside) -> Option<Step> {
        match self.inbox.line(LOGGED_IN.command_octets, LOGGED_IN.swallowed_octets) {
            Line::Incomplete => {
                self.stage = Stage::Append(appending);
                self.rest(Step::NeedInput)
            }
            Line::Whole(line) => match literal_at_end(&line) {
                Some(literal) if !literal.synchronizing => {
                    self.turn(|out| drop_literal(appending, literal, inside, out))
                }
                Some(_) | None => {
                    appending.phase = Phase::Over;
                    self.stage = Stage::Append(appending);
                    None
                }
            },
            // Whether its end announced a literal is lost.
            Line::TooLong | Line::Endless => self.bye("the command is endless"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    #[test]
    fn a_message_is_taken_with_its_flags_and_date() {
        let mut client = Client::with_inbox(&[]);
        client.check("a APPEND INBOX (\\Seen $x) \"17-Jul-1996 02:44:25 -0700\" {9}", "+ go ahead\n");
        let expected = "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $x)\n* 1 EXISTS\na OK [APPENDUID 101 1] APPEND done\n";
        client.check("a: 1\r\n\r\nb", expected);
        client.check(
            "a FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])",
            "* 1 FETCH (FLAGS (\\Seen $x) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[] {9}\na: 1\n\nb)\na OK FETCH done\n",
        );
        client.check("a APPEND Sent {9+}\r\na: 1\r\n\r\nb", "a OK [APPENDUID 102 1] APPEND done\n");
        client.check("a APPEND {4}", "+ go ahead\n");
        client.check("Sent ~{1+}\r\nx", "a OK [APPENDUID 102 2] APPEND done\n");
    }

    #[test]
    fn a_message_with_nul_is_read_to_its_end_and_refused() {
        let mut client = Client::new();
        let refusal = "a NO [UNKNOWN-CTE] a message with NUL cannot be kept, not even from a literal8\n";
        client.check("a APPEND Sent {6+}\r\na\0b\0cd", refusal);
        client.check("a APPEND Sent ~{1+}\r\n\0", refusal);
        client.check("a APPEND Sent {9}", "+ go ahead\n");
        assert_eq!(client.say_octets(b"a: 1\r"), "");
        assert_eq!(client.say_octets(b"\0"), "");
        client.check("x\0y", refusal);
        client.check("a STATUS Sent (MESSAGES)", "* STATUS Sent (MESSAGES 0)\na OK STATUS done\n");
        client.check("a APPEND Sent {9+}\r\na: 1\r\n\r\nb", "a OK [APPENDUID 102 1] APPEND done\n");
    }

    #[test]
    fn what_is_wrong_before_the_literal_is_named() {
        let mut client = Client::new();
        let many: Vec<String> = (0..=mail::flag::KEYWORDS_MAX).map(|at| format!("k{at}")).collect();
        let many = format!("({})", many.join(" "));
        for (arguments, what) in [
            ("(\\Foo)", "APPEND does not take one of these flags"),
            (&many, "too many flags"),
            ("\"yesterday\"", "the date is none"),
            ("(\\Seen) \"99-Jul-1996 02:44:25 -0700\"", "the date is none"),
            ("(\\Seen) x", "after the name come flags, a date and a literal"),
        ] {
            client.check(&format!("a APPEND Sent {arguments} {{9}}"), &format!("a BAD {what}\n"));
            let line = format!("a APPEND Sent {arguments} {{9+}}\r\na NOOP\r\nb");
            client.check(&line, &format!("a BAD {what}\n"));
        }
        client.check("a APPEND", "a BAD APPEND does not take that\n");
        client.check("a APPEND Sent (\\Foo) {4001+}", "* BYE [TOOBIG] the literal is too big\n");
        assert!(client.closed);
    }

    #[test]
    fn refused_messages_are_not_waited_for_or_dropped() {
        let mut client = Client::new();
        client.check("a APPEND nope {9}", "a NO [TRYCREATE] there is no such mailbox\n");
        client.check("a APPEND nope {9+}\r\na: 1\r\n\r\nb", "a NO [TRYCREATE] there is no such mailbox\n");
        client.check("a APPEND INBOX {1001}", "a NO [TOOBIG] the message is too big\n");
        let big = format!("a APPEND INBOX {{1001+}}\r\n{}", "x".repeat(1_001));
        client.check(&big, "a NO [TOOBIG] the message is too big\n");
        client.check("a APPEND \"%\" {9}", "a NO [CANNOT] a mailbox name has no control character, % or *\n");
        assert!(client.store.borrow().uids("INBOX").is_empty());
        client.check("a APPEND INBOX {4001+}", "* BYE [TOOBIG] the literal is too big\n");
        assert!(client.closed);
    }

    #[test]
    fn what_stands_behind_the_message_takes_it_back() {
        let mut client = Client::new();
        let refusal = "a BAD behind a literal comes a message, a part or the end\n";
        client.check("a APPEND INBOX {1+}\r\nx y", refusal);
        client.check("a APPEND INBOX {1+}\r\nx(\\Seen) {7+}\r\na NOOP\n", refusal);
        client.check("a APPEND INBOX {1+}\r\nx)", refusal);
        client.check("a STATUS INBOX (MESSAGES)", "* STATUS INBOX (MESSAGES 0)\na OK STATUS done\n");
    }

    #[test]
    fn nobody_appends_before_login() {
        let mut client = Client::stranger(&Client::new().store);
        client.check("a APPEND INBOX {5}", "a BAD log in first\n");
        client.check("a APPEND INBOX {5+}", "* BYE log in first\n");
        assert!(client.closed);
    }

    #[test]
    fn several_messages_come_together_or_not_at_all() {
        let mut client = Client::new();
        client.check("a APPEND Sent (\\Seen) {1+}\r\nx {2+}\r\nyz ($k) {3}", "+ go ahead\n");
        client.check("abc", "a OK [APPENDUID 102 1:3] APPEND done\n");
        client.check("a APPEND Sent {1+}\r\nx {2001}", "a NO [TOOBIG] the message is too big\n");
        let late = format!("a APPEND Sent {{1+}}\r\nx {{1001+}}\r\n{} {{2+}}\r\nyz", "0".repeat(1_001));
        client.check(&late, "a NO [TOOBIG] the message is too big\n");
        client.check(
            "a APPEND Sent {1+}\r\n\0 {2+}\r\nyz {1}",
            "a NO [UNKNOWN-CTE] a message with NUL cannot be kept, not even from a literal8\n",
        );
        assert_eq!(client.store.borrow().uids("Sent"), [1, 2, 3]);
        let many = |count: usize| format!("a APPEND Sent{}", " {1+}\r\nx".repeat(count));
        client.check(&many(1_001), "a NO [LIMIT] one command takes 1,000 messages\n");
        client.check(&many(1_000), "a OK [APPENDUID 102 4:1003] APPEND done\n");
        client.check("a NOOP", "a OK NOOP done\n");
    }

    #[test]
    fn a_message_of_no_octets_takes_the_command_back() {
        let mut client = Client::new();
        let refusal = "a NO [CANNOT] a message of no octets takes the command back\n";
        client.check("a APPEND Sent {0}", refusal);
        client.check("a APPEND Sent {1+}\r\nx {0}", refusal);
        client.check("a APPEND Sent {1+}\r\nx {0+}\r\n {6+}\r\na NOOP", refusal);
        assert!(client.store.borrow().uids("Sent").is_empty());
    }

    #[test]
    fn a_message_is_put_together_from_texts_and_parts_of_others() {
        let mut client = Client::with_inbox(&["Subject: a\n\nbody\n"]);
        let expected = "a OK [APPENDUID 102 1] APPEND done\n";
        client.check("a APPEND Sent (\\Seen) CATENATE (TEXT {4+}\r\nX: 1 URL \"/INBOX;UIDVALIDITY=101/;UID=1/;SECTION=TEXT/;PARTIAL=1.2\" TEXT {1}", "+ go ahead\n");
        client.check("! URL ;UID=1/;SECTION=HEADER)", expected);
        client.check(
            "a APPEND Sent CATENATE (URL {14+}\r\n/inbox/;uid=1x)",
            "a NO [BADURL /inbox/;uid=1x] that URL leads to no part of a message here\n",
        );
        client.check("a APPEND Sent CATENATE (URL /inbox/;uid=1) {1+}\r\nx", "a OK [APPENDUID 102 2:3] APPEND done\n");
        client.say("a SELECT Sent");
        client.check(
            "a FETCH 1 (FLAGS BODY.PEEK[])",
            "* 1 FETCH (FLAGS (\\Seen) BODY[] {21}\nX: 1od!Subject: a\n\n)\na OK FETCH done\n",
        );
        client.check("a FETCH 2 BODY.PEEK[TEXT]", "* 2 FETCH (BODY[TEXT] {6}\nbody\n)\na OK FETCH done\n");
    }

    #[test]
    fn a_url_that_leads_nowhere_is_named_and_what_follows_is_dropped() {
        let mut client = Client::with_inbox(&["Subject: a\n\nbody\n"]);
        for url in [
            "/INBOX/;UID=2",
            "/INBOX;UIDVALIDITY=102/;UID=1",
            "/nope/;UID=1",
            "/INBOX/;UID=1/;SECTION=2",
            "imap://imap.example/INBOX/;UID=1",
        ] {
            let refusal = format!("a NO [BADURL {url}] that URL leads to no part of a message here\n");
            client.check(&format!("a APPEND Sent CATENATE (URL {url})"), &refusal);
            client.check(
                &format!("a APPEND Sent CATENATE (URL {url} TEXT {{6+}}\r\na NOOP URL x TEXT {{3+}}\r\nabc)"),
                &refusal,
            );
            client.check(&format!("a APPEND Sent {{1+}}\r\nx CATENATE (URL {url} TEXT {{6}}"), &refusal);
        }
        client.check("a UNSELECT", "a OK UNSELECT done\n");
        client.check(
            "a APPEND Sent CATENATE (URL ;UID=1)",
            "a NO [BADURL ;UID=1] that URL leads to no part of a message here\n",
        );
        let parts = " URL /INBOX/;UID=1".repeat(101);
        client
            .check(&format!("a APPEND Sent CATENATE ({})", &parts[1..]), "a NO [LIMIT] one command takes 100 parts\n");
        assert!(client.store.borrow().uids("Sent").is_empty());
    }

    #[test]
    fn a_message_is_replaced_by_another_in_one_step() {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n"; 3]);
        client.check(
            "a REPLACE 2 INBOX (\\Draft) {1+}\r\nx",
            "* OK [APPENDUID 101 4] replaced\n* 4 EXISTS\n* 2 EXPUNGE\na OK REPLACE done\n",
        );
        client.check(
            "a UID REPLACE 3 Sent CATENATE (URL ;UID=3)",
            "* OK [APPENDUID 102 1] replaced\n* 2 EXPUNGE\na OK REPLACE done\n",
        );
        assert_eq!(client.store.borrow().uids("INBOX"), [1, 4]);
        client.check("a UID REPLACE 3 INBOX {6+}\r\na NOOP", "a NO [EXPUNGEISSUED] some of the messages are gone\n");
        client.check("a REPLACE 9 INBOX {6+}\r\na NOOP", "a BAD there is no message with that number\n");
        client.check("a REPLACE 1 nope {6}", "a NO [TRYCREATE] there is no such mailbox\n");
        client.check("a REPLACE 1 Sent {1+}\r\nx {1+}\r\ny", "a BAD REPLACE takes one message\n");
        client.check("a REPLACE 1:2 Sent {6+}\r\na NOOP", "a BAD REPLACE does not take that\n");
        assert_eq!(client.store.borrow().uids("INBOX"), [1, 4]);
        client.say("a EXAMINE INBOX");
        client.check("a REPLACE 1 Sent {6}", "a NO [CANNOT] the mailbox was opened read-only\n");
        client.say("a UNSELECT");
        client.check("a REPLACE 1 Sent {6}", "a BAD [CLIENTBUG] no mailbox is selected\n");
    }

    #[test]
    fn utf8_is_appended_once_it_is_enabled() {
        let mut client = Client::new();
        client.check("a APPEND Sent UTF8 (~{3+}\r\néx)", "a BAD UTF8=ACCEPT is not enabled\n");
        client.check("a ENABLE UTF8=ACCEPT", "* ENABLED UTF8=ACCEPT\na OK ENABLE done\n");
        client.check("a APPEND Sent UTF8 (~{3+}\r\néx) (\\Seen) UTF8 (~{1}", "+ go ahead\n");
        client.check("y)", "a OK [APPENDUID 102 1:2] APPEND done\n");
        client.check("a CREATE \"é&\"", "a OK [MAILBOXID (F4)] CREATE done\n");
        client.check("a LIST \"\" \"é*\"", "* LIST (\\HasNoChildren) \"/\" \"é&\"\na OK LIST done\n");
    }
}
