//! The session: what a driver sees of an IMAP connection, and where each command goes.
//!
//! The states of RFC 9051 3 are types (`state`); a command consumes its state and leads to a `Turn`. A command that needs
//! the store asks and goes on in a closure that owns the state, so nothing else can happen to it meanwhile.

mod acl;
mod append;
mod batches;
mod capability;
mod compress;
mod context;
mod copy;
mod dispatch;
mod ending;
mod expunge;
mod fetch;
mod fetched;
mod found;
mod glob;
mod idle;
mod list;
mod listed;
mod live;
mod login;
mod mailboxes;
mod matching;
mod metadata;
mod multisearch;
mod notify;
mod quota;
mod reader;
mod resync;
mod search;
mod select;
mod sort;
mod state;
mod status;
mod store;
mod view;

pub use capability::{CAPABILITIES, NEVER_MASKED};

use super::grammar::{Coding, NoCommand, command};
use super::question::{Answer, MailboxId, Question};
use super::response::{Code, Out, Reply};
use crate::line::{Inbox, Line};
use crate::sasl::{Bindings, Mechanism, RESPONSE_OCTETS_MAX};
use dispatch::{Dispatched, dispatch};
use reader::{LOGGED_IN, Limits, Read, Reader, STRANGER};
use state::{Enabled, More, NotAuthenticated, Open, Shared, State, Then, Turn};

/// Octets of a message handed to the driver in one step.
const CHUNK_OCTETS: usize = 64 * 1024;
/// Commands that are none, or not now, before the connection is closed; a good one sets the count back.
const BAD_COMMANDS_MAX: u32 = 20;
/// RFC 9051 5.4: at least 30 minutes once logged in.
const SILENCE_S: u32 = 30 * 60;
const SILENCE_BEFORE_LOGIN_S: u32 = 60;
/// Between two pieces of a message.
const SILENCE_IN_APPEND_S: u32 = 5 * 60;

/// What a session needs to know about the place it runs at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name in the greeting.
    pub host: String,
    /// Largest message APPEND takes, in octets.
    pub append_octets_max: u64,
    /// As they are offered on this connection (`sasl::offered`). LOGIN works where a password may come as it is.
    pub mechanisms: Vec<Mechanism>,
    /// What SCRAM can be bound to.
    pub bindings: Bindings,
    /// Capabilities some clients are not told of.
    pub masks: Vec<Mask>,
}

/// What is not announced to clients of a name, because they do it wrong. What they ask for all the same works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// The name in ID (RFC 2971 3.3), `*` for anything, letters in any case.
    pub client: String,
    /// Words of CAPABILITY.
    pub without: Vec<String>,
}

/// What the driver does next. It calls `Session::next` again after each step except `Close`.
#[derive(Debug)]
pub enum Step {
    /// Write all of it to the client before the next step: that is the back-pressure.
    Send(Vec<u8>),
    /// Read from the client, then `feed`. A change of the mailbox is of no interest now.
    NeedInput,
    /// IDLE, or NOTIFY between commands: read from the client and `feed`, or learn that the selected mailbox changed and say `changed`.
    Idle,
    /// Ask the store, then `answer`.
    Ask(Question),
    /// More octets of the message that `Question::AppendStart` began.
    AppendChunk(Vec<u8>),
    /// The messages of the command will not be kept: forget them.
    AppendAbort,
    /// From here on everything is raw DEFLATE, both ways (RFC 4978). These octets were fed already and are compressed:
    /// they come again once inflated, before all others.
    Compress(Vec<u8>),
    /// Close the connection.
    Close,
}

/// One connection.
pub struct Session {
    inbox: Inbox,
    reader: Reader,
    out: Out,
    stage: Stage,
    bad_commands: u32,
    /// The mailbox changed and the client was not told.
    changed: bool,
    selected: Option<MailboxId>,
    messages: usize,
    client: Option<String>,
    timeout_s: u32,
    /// What holds from the next command on.
    next_config: Option<Config>,
}

/// Where the session stands between two steps.
enum Stage {
    /// Between commands.
    Ready(State),
    ToAsk(Question, Then),
    Asked(Then),
    More(More),
    Challenge(NotAuthenticated, super::command::Tag, login::Awaited),
    Idle(Open, super::command::Tag),
    Append(Box<append::Appending>),
    /// Once its OK is sent.
    Compress(Open),
    Closing,
}

impl From<Turn> for Stage {
    fn from(turn: Turn) -> Stage {
        match turn {
            Turn::Ready(state) => Stage::Ready(state),
            Turn::Ask(question, then) => Stage::ToAsk(question, then),
            Turn::More(more) => Stage::More(more),
            Turn::Challenge(state, tag, awaited) => Stage::Challenge(state, tag, awaited),
            Turn::Idle(open, tag) => Stage::Idle(open, tag),
            Turn::Append(appending) => Stage::Append(appending),
            Turn::Compress(open) => Stage::Compress(open),
            Turn::Close => Stage::Closing,
        }
    }
}

impl Session {
    /// A connection over TLS that may log in; the greeting is the first step.
    pub fn new(config: Config) -> Session {
        let mut out = Out::default();
        let enabled = Enabled::default();
        let shared = Shared { config, enabled, notify: None, compressed: false, login_failures: 0, client: None };
        let before_login = capability::before_login(&shared);
        out.untagged_reply(&Reply::ok("Facteur is ready").with(Code::Capability(before_login)));
        Session::at(Stage::Ready(State::NotAuthenticated(NotAuthenticated { shared })), out)
    }

    /// A connection that is turned away: `BYE` with this text and nothing else (RFC 9051 7.1.5).
    pub fn turned_away(text: &str) -> Session {
        let mut out = Out::default();
        out.untagged_reply(&Reply::bye(text));
        Session::at(Stage::Closing, out)
    }

    fn at(stage: Stage, out: Out) -> Session {
        Session {
            inbox: Inbox::default(),
            reader: Reader::default(),
            out,
            stage,
            bad_commands: 0,
            changed: false,
            selected: None,
            messages: 0,
            client: None,
            timeout_s: SILENCE_BEFORE_LOGIN_S,
            next_config: None,
        }
    }

    /// The place is another one from the next command on: what is announced and what is taken change together.
    pub fn set_config(&mut self, config: Config) {
        self.next_config = Some(config);
    }

    fn take_config(&mut self, state: &mut State) {
        let Some(config) = self.next_config.take() else { return };
        match state {
            State::NotAuthenticated(state) => state.shared.config = config,
            State::Open(open) => open.shared_mut().config = config,
        }
    }

    /// Octets from the client. The driver reads only after `NeedInput` and `Idle`.
    pub fn feed(&mut self, octets: &[u8]) {
        self.inbox.feed(octets);
    }

    /// What to do now. No iterator: each step has to be done before the next is asked for.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Step {
        loop {
            if self.out.is_full() {
                return Step::Send(self.out.take());
            }
            if let Some(step) = self.advance() {
                return step;
            }
        }
    }

    /// One move; `None` when the next is possible at once.
    fn advance(&mut self) -> Option<Step> {
        self.remember();
        match std::mem::replace(&mut self.stage, Stage::Closing) {
            Stage::Ready(mut state) => {
                self.take_config(&mut state);
                self.read_command(state)
            }
            Stage::ToAsk(question, then) => {
                self.stage = Stage::Asked(then);
                Some(Step::Ask(question))
            }
            asked @ Stage::Asked(_) => {
                // The driver owes an answer.
                self.stage = asked;
                self.rest(Step::NeedInput)
            }
            Stage::More(more) => self.turn(|out| more(out)),
            Stage::Challenge(state, tag, awaited) => match self.inbox.line(RESPONSE_OCTETS_MAX, 4 * 65_536) {
                Line::Incomplete => {
                    self.stage = Stage::Challenge(state, tag, awaited);
                    self.rest(Step::NeedInput)
                }
                Line::Whole(line) => self.turn(|out| login::respond(state, tag, awaited, &line, out)),
                Line::TooLong => self.turn(|out| state.done(&tag, &Reply::bad("the response is too long"), out)),
                Line::Endless => self.bye("the response is endless"),
            },
            Stage::Idle(open, tag) => self.idle(open, tag),
            Stage::Append(appending) => self.append(appending),
            Stage::Compress(open) => self.compress(open),
            Stage::Closing => match self.out.is_empty() {
                true => Some(Step::Close),
                false => Some(Step::Send(self.out.take())),
            },
        }
    }

    /// What is written is sent before the session waits.
    fn rest(&mut self, step: Step) -> Option<Step> {
        Some(if self.out.is_empty() { step } else { Step::Send(self.out.take()) })
    }

    fn turn(&mut self, take: impl FnOnce(&mut Out) -> Turn) -> Option<Step> {
        self.stage = take(&mut self.out).into();
        None
    }

    fn bye(&mut self, text: &str) -> Option<Step> {
        self.out.untagged_reply(&Reply::bye(text));
        self.stage = Stage::Closing;
        None
    }

    fn read_command(&mut self, state: State) -> Option<Step> {
        let (limits, coding): (Limits, Coding) = match &state {
            State::NotAuthenticated(_) => (STRANGER, Coding::Utf7),
            State::Open(open) => (LOGGED_IN, open.coding()),
        };
        match self.reader.read(&mut self.inbox, limits, coding) {
            Read::NeedInput => self.between_commands(state),
            Read::Continue => {
                self.out.text("+ go ahead\r\n");
                self.stage = Stage::Ready(state);
                None
            }
            Read::Endless => self.bye("the command is endless"),
            Read::TooLong(tag) => {
                let reply = Reply::bad("the command is too long").with(Code::TooBig);
                self.bad(state, tag, &reply)
            }
            Read::Append(found) => match state {
                State::Open(open) => self.turn(|out| append::append(open, found, out)),
                // The octets of a literal nobody waits with would be read as commands.
                State::NotAuthenticated(_) if append::comes_at_once(found.stretch.end) => self.bye("log in first"),
                State::NotAuthenticated(_) => self.bad(state, Some(found.tag), &Reply::bad("log in first")),
            },
            Read::BadAppend(bad) => match state {
                State::Open(open) if !bad.literal.synchronizing => self.turn(|out| append::bad(open, bad, out)),
                State::NotAuthenticated(_) if !bad.literal.synchronizing => self.bye("log in first"),
                state => self.bad(state, Some(bad.tag), &Reply::bad(bad.what)),
            },
            // Only `Reader::resume` finds these.
            Read::Stretch(_) | Read::BadStretch(_) => self.bye("the server contradicts itself"),
            Read::Command(octets) => match command(&octets, coding) {
                Ok((_, tagged)) => match dispatch(state, tagged, &mut self.out) {
                    Dispatched::Turn(turn) => {
                        self.bad_commands = 0;
                        self.stage = turn.into();
                        None
                    }
                    Dispatched::Refused(state, tag, reply) => self.bad(state, Some(tag), &reply),
                },
                Err(no_command) => {
                    let (tag, reply) = refusal(no_command);
                    self.bad(state, tag, &reply)
                }
            },
        }
    }

    /// Nothing whole has come. Unless a command is on its way, a client that asked for it hears what happens meanwhile.
    fn between_commands(&mut self, state: State) -> Option<Step> {
        let hears = matches!(&state, State::Open(open) if open.shared().notify.is_some());
        if !hears || !self.reader.is_empty() || !self.inbox.rest().is_empty() {
            self.stage = Stage::Ready(state);
            return self.rest(Step::NeedInput);
        }
        match state {
            State::Open(open) if std::mem::take(&mut self.changed) => self.turn(|_| notify::between_commands(open)),
            state => {
                self.stage = Stage::Ready(state);
                self.rest(Step::Idle)
            }
        }
    }

    /// BAD, and BYE after too many.
    fn bad(&mut self, state: State, tag: Option<super::command::Tag>, reply: &Reply) -> Option<Step> {
        match tag {
            Some(tag) => self.out.tagged(&tag, reply),
            None => self.out.untagged_reply(reply),
        }
        self.bad_commands += 1;
        if self.bad_commands >= BAD_COMMANDS_MAX {
            return self.bye("too many bad commands");
        }
        self.stage = Stage::Ready(state);
        None
    }

    fn idle(&mut self, open: Open, tag: super::command::Tag) -> Option<Step> {
        if std::mem::take(&mut self.changed) {
            return self.turn(|_| notify::while_idle(open, tag));
        }
        match self.inbox.line(STRANGER.command_octets, STRANGER.swallowed_octets) {
            Line::Incomplete => {
                self.stage = Stage::Idle(open, tag);
                self.rest(Step::Idle)
            }
            Line::Whole(line) => self.turn(|out| idle::end(open, tag, &line, out)),
            Line::TooLong | Line::Endless => self.bye("IDLE ends with DONE"),
        }
    }

    fn compress(&mut self, mut open: Open) -> Option<Step> {
        if !self.out.is_empty() {
            self.stage = Stage::Compress(open);
            return Some(Step::Send(self.out.take()));
        }
        open.shared_mut().compressed = true;
        self.stage = Stage::Ready(State::Open(open));
        let behind = self.inbox.rest().to_vec();
        self.inbox.clear();
        Some(Step::Compress(behind))
    }

    /// Keeps what the driver may ask about while the state is away in a closure.
    fn remember(&mut self) {
        let open = match &self.stage {
            Stage::Ready(State::NotAuthenticated(state)) | Stage::Challenge(state, ..) => {
                if self.client != state.shared.client {
                    self.client.clone_from(&state.shared.client);
                }
                self.timeout_s = SILENCE_BEFORE_LOGIN_S;
                return;
            }
            Stage::Ready(State::Open(open)) | Stage::Idle(open, _) => {
                self.timeout_s = SILENCE_S;
                open
            }
            Stage::Append(appending) => {
                self.timeout_s = SILENCE_IN_APPEND_S;
                appending.open()
            }
            Stage::ToAsk(..) | Stage::Asked(_) | Stage::More(_) | Stage::Compress(_) | Stage::Closing => return,
        };
        if self.client != open.shared().client {
            self.client.clone_from(&open.shared().client);
        }
        (self.selected, self.messages) = match open {
            Open::Authenticated(_) => (None, 0),
            Open::Selected(state) => (Some(state.view.mailbox()), state.view.count() as usize),
        };
    }

    /// The answer to the question of the last step.
    pub fn answer(&mut self, answer: Answer) {
        match std::mem::replace(&mut self.stage, Stage::Closing) {
            Stage::Asked(then) => self.stage = then(answer, &mut self.out).into(),
            // `end` was called meanwhile, or nothing was asked: the answer concerns nobody.
            other => self.stage = other,
        }
    }

    /// The selected mailbox changed. Matters after `Idle` only; harmless elsewhere.
    pub fn changed(&mut self) {
        self.changed = match &self.stage {
            Stage::Idle(..) => true,
            Stage::Ready(State::Open(open)) => open.shared().notify.is_some(),
            _ => false,
        };
    }

    /// The mailbox to watch.
    pub fn selected(&self) -> Option<MailboxId> {
        self.selected
    }

    /// What the client calls itself (RFC 2971), where it does.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// Messages in it: an answer may have the session look at each of them.
    pub fn messages(&self) -> usize {
        self.messages
    }

    /// Seconds the client may keep silent now; then the driver says `end`.
    pub fn timeout_s(&self) -> u32 {
        self.timeout_s
    }

    /// Says `BYE` with this text after whatever is still to be sent, and closes. For time-outs and shutdown.
    pub fn end(&mut self, text: &str) {
        self.bye(text);
    }
}

/// What is said about octets that are no command.
fn refusal(no_command: NoCommand) -> (Option<super::command::Tag>, Reply) {
    match no_command {
        NoCommand::Incomplete | NoCommand::NoTag => {
            (None, Reply::bad("a command begins with a tag and ends with CRLF"))
        }
        NoCommand::Unknown(tag) => (Some(tag), Reply::bad("that command is not known")),
        NoCommand::Arguments { tag, name } => (Some(tag), Reply::bad(format!("{name} does not take that"))),
    }
}

// The fuzzer plays the client and the store of the tests.
#[cfg(any(test, fuzzing))]
#[cfg_attr(not(test), allow(dead_code, unused_imports))]
mod tests;
#[cfg(test)]
pub use tests::Dice;
#[cfg(fuzzing)]
pub use tests::fuzz;
