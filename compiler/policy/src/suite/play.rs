//! Plays a case under a virtual clock: the very functions the server calls, with fresh rings.

use std::collections::BTreeSet;

use decide::{
    Block, Client, FromClaim, Guess, Guesses, RecipientClass, Refusal, Rings, SenderClass, TICKS_PER_S, Tick,
    Transaction, login, stranger_connection,
};
use jiff::tz::TimeZone;
use mail::{Address, Person, ReversePath};
use plan::To as Reach;

use super::blocked::blocked;
use super::content::{self, Content, claim};
use super::got::{End, Got, Refused};
use super::house::House;
use super::model::{At, Event, Mail, To};
use super::scene::Scene;
use crate::model::literal::Span;

/// Where a case's clock begins. Any moment does: windows know differences only.
const START: u32 = 1_000_000;
/// Octets of a message whose size nobody gives.
const USUAL_OCTETS: u64 = 2_000;

/// A case under way.
pub(super) struct Play<'h> {
    house: &'h House,
    scene: &'h Scene,
    client: Option<Client>,
    person: Option<Person>,
    moved: usize,
    rings: Rings,
    /// Ticks since the case began.
    elapsed: u64,
    /// The day in the institution's zone, and the first tick of the next one.
    today: (String, u64),
    /// Connections that stay.
    open: u32,
    /// Recipients and wrong passwords invented so far; no two are alike.
    invented: u64,
    /// Logins and folded addresses the newcomers of this case have taken.
    taken: BTreeSet<String>,
    /// Rules that decided something.
    pub(super) hits: &'h mut BTreeSet<String>,
}

/// The total of the spam passes of such a message.
const USUAL_SCORE_THOUSANDTHS: i64 = 1_000;

/// One message to be played.
struct Message<'m> {
    reverse_path: &'m ReversePath,
    report: bool,
    octets: u64,
    declared_octets: Option<u64>,
    score_thousandths: i64,
    claim: FromClaim,
    /// Header From where it is another address than the reverse-path.
    author: Option<Address>,
    /// All recipients hear complaints: no block is in its way.
    complains: bool,
}

impl<'m> Message<'m> {
    /// An ordinary message.
    fn usual(house: &House, reverse_path: &'m ReversePath, octets: u64) -> Message<'m> {
        let claim = claim(&house.tables, reverse_path.address(), false);
        let score_thousandths = USUAL_SCORE_THOUSANDTHS;
        Message {
            reverse_path,
            report: false,
            octets,
            declared_octets: Some(octets),
            score_thousandths,
            claim,
            author: None,
            complains: false,
        }
    }
}

/// Ticks in a span, as far as a case may last.
pub(super) fn ticks(span: Option<Span>) -> u64 {
    span.map_or(0, |span| span.0.saturating_mul(u64::from(TICKS_PER_S)))
}

impl<'h> Play<'h> {
    pub(super) fn new(house: &'h House, scene: &'h Scene, hits: &'h mut BTreeSet<String>) -> Play<'h> {
        Play {
            house,
            scene,
            client: scene.client.clone(),
            person: scene.person.clone(),
            moved: 0,
            rings: Rings::default(),
            elapsed: 0,
            today: (String::new(), 0),
            open: 0,
            invented: 0,
            taken: BTreeSet::new(),
            hits,
        }
    }

    pub(super) fn event(&mut self, event: &Event) -> Got {
        match event {
            Event::Sends { messages, recipients_each, every, to, from, size } => {
                let reverse_path = self.reverse_path(from.as_ref().map(|from| from.value.as_str()));
                let octets = size.map_or(USUAL_OCTETS, |size| size.0);
                let message = Message::usual(self.house, &reverse_path, octets);
                self.sends(messages.value, recipients_each.value, ticks(*every), *to, &message)
            }
            Event::Attempts { recipients, within, to } => self.attempts(recipients.value, ticks(*within), *to),
            Event::Wait(span) => {
                self.elapsed += ticks(Some(span.value));
                Got::ended(End::Nothing)
            }
            Event::Mail(mail) => self.mail(mail),
            Event::AsksRedirect(address) => super::redirect::asked(self.house, address, None, self.hits),
            Event::AsksRedirectHome { to, home } => {
                super::redirect::asked(self.house, to, Some(home.0.as_str()), self.hits)
            }
            Event::Connects { times, every, staying } => {
                let times = times.as_ref().map_or(1, |times| times.value);
                self.connects(times, ticks(*every), *staying)
            }
            Event::LogsIn => self.logs_in(),
            Event::FailsLogin { times, every, same } => self.fails_login(times.value, ticks(*every), *same),
            Event::Moves(_) => {
                if let Some((client, person)) = self.scene.moves.get(self.moved) {
                    (self.client, self.person) = (client.clone(), person.clone());
                }
                self.moved += 1;
                Got::ended(End::Nothing)
            }
            Event::Derives { first, last } => self.derives(first, last),
        }
    }

    fn now(&self) -> Tick {
        Tick(START.saturating_add(u32::try_from(self.elapsed).unwrap_or(u32::MAX)))
    }

    /// The day it is, for grants that end.
    fn today(&mut self) -> String {
        if self.elapsed >= self.today.1 {
            let at = |elapsed: u64| {
                let passed = jiff::SignedDuration::from_secs((elapsed / u64::from(TICKS_PER_S)) as i64);
                self.scene.start.checked_add(passed).unwrap_or(self.scene.start).to_zoned(zone(self.scene))
            };
            let now = at(self.elapsed);
            let midnight = now.date().tomorrow().and_then(|day| day.to_zoned(zone(self.scene)));
            let left_s = midnight.map_or(0, |next| next.timestamp().as_second() - now.timestamp().as_second());
            let left = u64::try_from(left_s).unwrap_or(0).max(1) * u64::from(TICKS_PER_S);
            self.today = (now.date().to_string(), self.elapsed + left);
        }
        self.today.0.clone()
    }

    /// A new connection. The case has a client: what needs one was checked before.
    fn connect(&mut self) -> Result<Client, Refused> {
        let Some(client) = self.client.clone() else {
            return Err(Refused { at: At::Banner, code: 0, by: String::new(), recorded: None });
        };
        let (tables, now) = (&self.house.tables, self.now());
        let judged = tables.connection(client.listener, client.class);
        let judged = judged.and_then(|_| stranger_connection(tables, &mut self.rings, &client, self.open, now));
        match judged {
            Ok(()) => Ok(client),
            Err(refusal) => Err(self.refused(At::Banner, &refusal)),
        }
    }

    fn refused(&mut self, at: At, refusal: &Refusal) -> Refused {
        self.hits.insert(refusal.rule.clone());
        let record = &self.house.tables.plan().losses.record;
        Refused::of(at, refusal, refusal.loss().filter(|loss| record.contains(loss)))
    }

    /// The reverse-path that is given, else the natural one.
    fn reverse_path(&self, given: Option<&str>) -> ReversePath {
        let tables = &self.house.tables;
        let text = match (given, &self.person, &self.client) {
            (Some(given), ..) => given.to_owned(),
            (None, Some(person), _) => return ReversePath::Address(person.address.clone()),
            (None, None, Some(client)) => {
                let senders = tables.plan().senders.as_ref();
                let application = senders.and_then(|senders| senders.known.get(tables.class_name(client.class)));
                match (application.and_then(|it| it.as_.first()), tables.block(client.listener, client.class)) {
                    (Some(own), _) => own.to_string(),
                    (None, Some(Block::Send(_))) => format!("machine@{}", tables.plan().institution.domain),
                    (None, Some(Block::Receive(_) | Block::Read(_)) | None) => "stranger@elsewhere.example".to_owned(),
                }
            }
            (None, None, None) => String::new(),
        };
        // Every text that comes here was parsed before.
        text.parse::<Address>().map_or(ReversePath::Null, ReversePath::Address)
    }

    fn begin(&mut self, client: &Client, message: &Message<'_>) -> Result<Transaction, Refused> {
        let (today, now, tables) = (self.today(), self.now(), &self.house.tables);
        let owns = self.house.owns(client, message.reverse_path);
        let sender: SenderClass = tables.sender_class(message.reverse_path, owns);
        let begun = Transaction::mail(tables, &mut self.rings, client, sender, message.declared_octets, &today, now);
        begun.map_err(|refusal| self.refused(At::Mail, &refusal))
    }

    fn rcpt(
        &mut self,
        (client, message): (&Client, &Message<'_>),
        open: &mut Transaction,
        class: RecipientClass,
        address: &str,
    ) -> Result<(), Refused> {
        let (today, now) = (self.today(), self.now());
        let hears = |address: Address| decide::hears_complaints(&self.house.tables, &address);
        if !address.is_empty() && !address.parse().is_ok_and(hears) {
            let blocked = blocked(&self.house.tables, client, open.block(), message.reverse_path, &[], &today);
            if let Some(refusal) = blocked {
                return Err(self.refused(At::Rcpt, &refusal));
            }
        }
        let judged = open.rcpt(&self.house.tables, &mut self.rings, class, address, now);
        judged.map(|_| ()).map_err(|refusal| self.refused(At::Rcpt, &refusal))
    }

    /// The content and its steps. A refusal undoes the recipients that were accepted.
    fn finish(&mut self, client: &Client, open: Transaction, message: &Message<'_>, mut part: Got, got: &mut Got) {
        let (today, tables) = (self.today(), &self.house.tables);
        if part.accepted == 0 {
            open.end(&mut self.rings, false);
            return got.absorb(part);
        }
        let block = open.block();
        let judged = open.content(tables, message.octets, message.report).and_then(|()| {
            let (path, authors) = (message.reverse_path, message.author.as_slice());
            let refusal = blocked(tables, client, block, path, authors, &today).filter(|_| !message.complains);
            refusal.map_or(Ok(()), Err)
        });
        let Message { score_thousandths, claim, .. } = *message;
        let seen = Content { engines: &self.scene.engines, score_thousandths, claim };
        let judged = judged.and_then(|()| content::steps(tables, client, block, &seen, self.hits));
        open.end(&mut self.rings, judged.is_ok());
        match judged {
            Ok(end) => {
                self.hits.insert(tables.block_path(block));
                part.end = Some(end);
            }
            Err(refusal) => {
                let refused = self.refused(At::Data, &refusal);
                part.take_back();
                part.refuse(refused, 1);
            }
        }
        got.absorb(part);
    }

    fn sends(&mut self, messages: u32, each: u32, every: u64, to: Option<To>, message: &Message<'_>) -> Got {
        let mut got = Got::default();
        let client = match self.connect() {
            Ok(client) => client,
            Err(refused) => {
                got.refuse(refused, 1);
                return got;
            }
        };
        let class = self.class(&client, to);
        for _ in 0..messages {
            match self.begin(&client, message) {
                Err(refused) => got.refuse(refused, 1),
                Ok(mut open) => {
                    let part = self.rcpts((&client, message), &mut open, class, each, 0);
                    self.finish(&client, open, message, part, &mut got);
                }
            }
            self.elapsed += every;
        }
        got
    }

    /// So many new recipients, with some ticks after each.
    fn rcpts(
        &mut self,
        sent: (&Client, &Message<'_>),
        open: &mut Transaction,
        class: RecipientClass,
        count: u32,
        ticks_each: u64,
    ) -> Got {
        let mut part = Got::default();
        for _ in 0..count {
            self.invented += 1;
            let address = format!("recipient{}@elsewhere.example", self.invented);
            match self.rcpt(sent, open, class, &address) {
                Ok(()) => part.accept(1),
                Err(refused) => part.refuse(refused, 1),
            }
            self.elapsed += ticks_each;
        }
        part
    }

    /// What kind of recipients a message has where the case does not say: whom the block is for.
    fn class(&self, client: &Client, to: Option<To>) -> RecipientClass {
        let tables = &self.house.tables;
        let reach = match tables.block(client.listener, client.class) {
            Some(Block::Send(index)) => tables.send_block(index).1.to,
            Some(Block::Receive(index)) => tables.receive_block(index).1.to,
            Some(Block::Read(_)) | None => Reach::OurAddresses,
        };
        match (to, reach) {
            (Some(to), _) => to.class(),
            (None, Reach::Anyone) => RecipientClass::Remote,
            (None, Reach::OurAddresses) => RecipientClass::Local,
        }
    }

    fn attempts(&mut self, recipients: u32, within: u64, to: Option<To>) -> Got {
        let mut got = Got::default();
        let begun = self.elapsed;
        let reverse_path = self.reverse_path(None);
        let message = Message::usual(self.house, &reverse_path, USUAL_OCTETS);
        let client = match self.connect() {
            Ok(client) => client,
            Err(refused) => {
                got.refuse(refused, u64::from(recipients));
                return got;
            }
        };
        let (class, today) = (self.class(&client, to), self.today());
        let of_row = self.house.tables.limits(&client, &today).map(|(row, _)| row.recipients_in_one_message);
        let each = of_row.unwrap_or_else(|| self.house.tables.recipients_max(&client)).max(1);
        let mut done = 0;
        while done < recipients {
            let count = each.min(recipients - done);
            self.elapsed = begun + within * u64::from(done) / u64::from(recipients.max(1));
            match self.begin(&client, &message) {
                Err(refused) => got.refuse(refused, u64::from(count)),
                Ok(mut open) => {
                    let mut part = Got::default();
                    for index in 0..count {
                        self.elapsed = begun + within * u64::from(done + index) / u64::from(recipients);
                        part.absorb(self.rcpts((&client, &message), &mut open, class, 1, 0));
                    }
                    self.finish(&client, open, &message, part, &mut got);
                }
            }
            done += count;
        }
        self.elapsed = begun + within;
        got
    }

    fn mail(&mut self, mail: &Mail) -> Got {
        let mut got = Got::default();
        let reverse_path = self.reverse_path(mail.from.as_ref().map(|from| from.value.as_str()));
        let octets = mail.size.map_or(USUAL_OCTETS, |size| size.0);
        let header = mail.from_header.as_ref().and_then(|from| from.parse::<Address>().ok());
        let hears = |to: Address| decide::hears_complaints(&self.house.tables, &to);
        let message = Message {
            report: mail.report,
            declared_octets: mail.declares.unwrap_or(true).then_some(octets),
            score_thousandths: mail.score.map_or(USUAL_SCORE_THOUSANDTHS, |score| score.saturating_mul(1_000)),
            claim: claim(&self.house.tables, header.as_ref().or(reverse_path.address()), mail.aligned),
            author: header.clone(),
            complains: mail.to.values().all(|to| to.parse().is_ok_and(hears)),
            ..Message::usual(self.house, &reverse_path, octets)
        };
        let begun = self.connect().and_then(|client| self.begin(&client, &message).map(|open| (client, open)));
        let (client, mut open) = match begun {
            Ok(begun) => begun,
            Err(refused) => {
                got.refuse(refused, 1);
                return got;
            }
        };
        let mut part = Got::default();
        for text in mail.to.values() {
            let (class, folded) = match text.parse::<Address>() {
                Ok(address) => {
                    let folded = address.folded();
                    let given = self.scene.recipients.get(&folded).copied();
                    (given.unwrap_or_else(|| self.house.class(&address)), folded)
                }
                Err(_) => (RecipientClass::Malformed, String::new()),
            };
            match self.rcpt((&client, &message), &mut open, class, &folded) {
                Ok(()) => part.accept(1),
                Err(refused) => part.refuse(refused, 1),
            }
        }
        self.finish(&client, open, &message, part, &mut got);
        got
    }

    fn connects(&mut self, times: u32, every: u64, staying: bool) -> Got {
        let mut got = Got::default();
        for _ in 0..times {
            match self.connect() {
                Ok(_) => {
                    got.accept(1);
                    self.open += u32::from(staying);
                }
                Err(refused) => got.refuse(refused, 1),
            }
            self.elapsed += every;
        }
        got
    }

    /// What a login hears before its password is looked at.
    fn before_password(&mut self) -> Result<(Client, Guesses), Refused> {
        let client = self.connect()?;
        let (tables, now) = (&self.house.tables, self.now());
        if let Some(barred) = tables.login_barred(client.listener, client.tls) {
            return Err(self.refused(At::Auth, &barred));
        }
        let login = self.person.as_ref().map_or("nobody", |person| person.login.as_str());
        let guesses = Guesses::of(tables, Guess { login, class: client.class, address: client.address, known: false });
        match guesses.check(tables, &self.rings, now) {
            Ok(()) => Ok((client, guesses)),
            Err(refusal) => Err(self.refused(At::Auth, &refusal)),
        }
    }

    fn logs_in(&mut self) -> Got {
        let mut got = Got::default();
        match self.before_password() {
            Ok(_) => got.accept(1),
            Err(refused) => got.refuse(refused, 1),
        }
        got
    }

    fn fails_login(&mut self, times: u32, every: u64, same: bool) -> Got {
        let mut got = Got::default();
        for _ in 0..times {
            self.invented += u64::from(!same);
            let refused = match self.before_password() {
                Ok((_, guesses)) => {
                    let now = self.now();
                    guesses.failed(&self.house.tables, &mut self.rings, self.invented, now);
                    Refused { at: At::Auth, code: mail::reply::AUTH_FAILED.basic, by: "logins".into(), recorded: None }
                }
                Err(refused) => refused,
            };
            got.refuse(refused, 1);
            self.elapsed += every;
        }
        got
    }

    fn derives(&mut self, first: &str, last: &str) -> Got {
        let identity = &self.house.tables.plan().identity;
        let free = |login: &String| self.house.person(login).is_none() && !self.taken.contains(login);
        let login = login::candidates(&identity.login, first, last).find(free).unwrap_or_default();
        let official = login::official_address(identity, first, last);
        let taken = |text: &str| {
            let Ok(address) = text.parse::<Address>() else { return false };
            self.house.has_address(&address) || self.taken.contains(&address.folded())
        };
        let address = match &identity.address.homonyms {
            plan::Homonyms::Append { suffix, first } if taken(&official) => {
                let (local, domain) = official.rsplit_once('@').unwrap_or((&official, ""));
                let mut numbered = (*first..first.saturating_add(10_000))
                    .map(|n| format!("{local}{}@{domain}", suffix.replace("{n}", &n.to_string())));
                numbered.find(|text| !taken(text)).unwrap_or_default()
            }
            plan::Homonyms::AskDirectory | plan::Homonyms::NotSet if taken(&official) => String::new(),
            _ => official,
        };
        if let Ok(address) = address.parse::<Address>() {
            self.taken.insert(address.folded());
        }
        self.taken.insert(login.clone());
        self.hits.insert("identity.login".to_owned());
        Got::ended(End::Gets { login, address })
    }
}

fn zone(scene: &Scene) -> TimeZone {
    scene.zone.clone()
}
