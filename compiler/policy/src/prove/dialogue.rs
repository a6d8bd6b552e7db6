//! Cells turned into conversations: who connects from where, and what each line is answered.

use std::net::IpAddr;

use decide::{
    Auth, Cell, ClassId, ClassKind, ContentCell, ContentDirection, ContentVerdict, EngineState, FromClaim, ListenerId,
    Notify, Reachable, RecipientClass, Score, SenderClass, Stage, Tables,
};
use plan::{MailDomain, Network, Prefix, Speaks, TlsMode};

use super::counterexample::{Answer, Counterexample, Holds, Line, Message, Protocol};

/// Addresses of documentation and benchmarks (RFC 2544) that stand for the Internet; `facteur try` shows `Rest` so.
const INTERNET: [&str; 3] = ["198.18.4.7", "203.0.113.9", "192.0.2.200"];
/// A recipient nobody here is responsible for.
const ELSEWHERE: &str = "someone@elsewhere.example";
const STRANGER: &str = "stranger@elsewhere.example";

/// Whose cases, and how many.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub guarantee: &'static str,
    pub cases: usize,
    pub of: usize,
    /// Why the last answer breaks the promise.
    pub fault: &'a str,
}

/// An address that every installation has: who it leads to is a fact of the people.
fn postmaster(tables: &Tables) -> String {
    format!("postmaster@{}", tables.plan().institution.domain)
}

fn begun(tables: &Tables, listener: ListenerId, class: ClassId, tls: bool, about: About<'_>) -> Counterexample {
    let rules = tables.listener_rules(listener);
    let block = tables.block(listener, class).map(|block| tables.block_path(block)).unwrap_or_default();
    let (protocol, greeting) = match rules.speaks {
        Speaks::Smtp | Speaks::Lmtp => (Protocol::Smtp, Answer::Code(220)),
        Speaks::Imap => (Protocol::Imap, Answer::Word("OK")),
        Speaks::Pop => (Protocol::Pop, Answer::Word("+OK")),
    };
    Counterexample {
        guarantee: about.guarantee,
        block: block.split_once('.').map_or(block.as_str(), |(_, name)| name).to_owned(),
        network: tables.class_name(class).to_owned(),
        cases: about.cases,
        of: about.of,
        protocol,
        client: address_of(tables, class),
        listener: tables.listener_name(listener).to_owned(),
        host: rules.host.to_string(),
        port: rules.port,
        tls,
        login: String::new(),
        given: Vec::new(),
        message: None,
        lines: vec![Line::new("", greeting)],
    }
}

/// EHLO, under TLS where the cell has it, and the login.
fn introduced(tables: &Tables, cell: Cell, about: About<'_>) -> Counterexample {
    let mut it = begun(tables, cell.listener, cell.class, cell.tls, about);
    let ehlo = || Line::new("EHLO client.example", Answer::Code(250));
    it.lines.push(ehlo());
    if cell.tls && tables.listener_rules(cell.listener).tls != TlsMode::Implicit {
        it.lines.push(Line::new("STARTTLS", Answer::Code(220)));
        it.lines.push(ehlo());
    }
    if cell.auth == Auth::Good {
        it.login = postmaster(tables);
        it.lines.push(Line::new("AUTH PLAIN …", Answer::Code(235)));
    }
    it
}

fn reverse_path(tables: &Tables, cell: Cell) -> String {
    let senders = tables.plan().senders.as_ref();
    let application = senders.and_then(|senders| senders.known.get(tables.class_name(cell.class)));
    match (cell.sender, application.and_then(|application| application.as_.first())) {
        (SenderClass::Empty, _) => String::new(),
        (SenderClass::Own, Some(own)) if cell.auth != Auth::Good => own.to_string(),
        (SenderClass::Own, _) => postmaster(tables),
        (SenderClass::OwnDomain, _) => format!("someone@{}", tables.plan().institution.domain),
        (SenderClass::Foreign, _) => STRANGER.to_owned(),
    }
}

/// A forward-path of the cell's class, and what must be so for it to be one.
fn forward_path(tables: &Tables, recipient: RecipientClass) -> (String, Option<String>) {
    let domain = &tables.plan().institution.domain;
    let someone = format!("someone@{domain}");
    match recipient {
        RecipientClass::Local => (postmaster(tables), None),
        RecipientClass::Unknown => (format!("nobody-of-that-name@{domain}"), None),
        RecipientClass::Remote => (ELSEWHERE.to_owned(), None),
        RecipientClass::Malformed => (format!("@{domain}:{ELSEWHERE}"), None),
        RecipientClass::PassedOn => {
            let passed = |(_, rules): &(&String, &MailDomain)| matches!(rules, MailDomain::PassOn { .. });
            match tables.plan().domains.iter().find(passed) {
                Some((name, _)) => (format!("someone@{name}"), None),
                None => (someone, Some("someone's mailbox is at another home".to_owned())),
            }
        }
        RecipientClass::Full => (someone, Some("someone's mailbox is full".to_owned())),
        RecipientClass::FullForLong => (someone, Some("someone's mailbox has been full for long".to_owned())),
        RecipientClass::Closed => (someone, Some("someone's account is closed".to_owned())),
        RecipientClass::Redirected => (someone, Some("someone has a redirect".to_owned())),
        RecipientClass::Unsure => (someone, Some("the directory does not answer".to_owned())),
    }
}

/// The conversation of an envelope cell up to the step at which its verdict falls.
pub(super) fn of_envelope(tables: &Tables, cell: Cell, about: About<'_>) -> Counterexample {
    let mut it = introduced(tables, cell, about);
    let verdict = tables.envelope(cell);
    let code = verdict.refusal().map_or(250, |refusal| refusal.code.basic);
    let mail = format!("MAIL FROM:<{}>", reverse_path(tables, cell));
    if verdict.stage == Stage::Rcpt {
        let (forward_path, given) = forward_path(tables, cell.recipient);
        it.given.extend(given);
        it.lines.push(Line::new(mail, Answer::Code(250)));
        it.lines.push(Line::new(format!("RCPT TO:<{forward_path}>"), Answer::Code(code)));
    } else {
        it.lines.push(Line::new(mail, Answer::Code(code)));
    }
    accused(it, about)
}

/// The conversation that reaches a listener at all, with the password where there is one.
pub(super) fn of_reach(tables: &Tables, listener: ListenerId, class: ClassId, about: About<'_>) -> Counterexample {
    let rules = tables.listener_rules(listener);
    accused(begun(tables, listener, class, rules.tls == TlsMode::Implicit, about), about)
}

/// The conversation in which a password is taken; `tls`: under TLS.
pub(super) fn of_login(
    tables: &Tables,
    listener: ListenerId,
    class: ClassId,
    tls: bool,
    about: About<'_>,
) -> Counterexample {
    let rules = tables.listener_rules(listener);
    if matches!(rules.speaks, Speaks::Smtp | Speaks::Lmtp) {
        let (sender, recipient) = (SenderClass::Own, RecipientClass::Local);
        return accused(
            introduced(tables, Cell { listener, class, tls, auth: Auth::Good, sender, recipient }, about),
            about,
        );
    }
    let mut it = begun(tables, listener, class, tls, about);
    it.login = postmaster(tables);
    match it.protocol {
        Protocol::Pop => {
            let secure = (tls && rules.tls != TlsMode::Implicit).then_some("STLS");
            let lines = secure.into_iter().chain(["USER …", "PASS …"]);
            it.lines.extend(lines.map(|line| Line::new(line, Answer::Word("+OK"))));
        }
        Protocol::Imap | Protocol::Smtp => it.lines.push(Line::new("a LOGIN … …", Answer::Word("OK"))),
    }
    accused(it, about)
}

fn accused(mut it: Counterexample, about: About<'_>) -> Counterexample {
    if let Some(last) = it.lines.last_mut() {
        about.fault.clone_into(&mut last.fault);
    }
    it
}

/// Which directions some client can bring about, and the plainest envelope of each.
pub(super) fn carrier(tables: &Tables, direction: ContentDirection, from: Option<&[String]>) -> Option<Cell> {
    let fits = |cell: &Cell| {
        let network = tables.class_name(tables.class_network(cell.class));
        let block = tables.block(cell.listener, cell.class);
        let logged_in = cell.auth == Auth::Good;
        block.is_some_and(|block| ContentDirection::of(block, logged_in) == direction)
            && from.is_none_or(|from| from.iter().any(|name| name == network))
            && cell.recipient == RecipientClass::Local
            && cell.sender != SenderClass::Empty
            && tables.reachable(*cell) == Reachable::Yes
            && tables.envelope(*cell).accepts()
    };
    let plain = |cell: &Cell| {
        let is_rest = matches!(tables.plan().networks.get(tables.class_name(cell.class)), Some(Network::Rest));
        // Strangers write their own address in from outside, people theirs.
        let natural = (direction == ContentDirection::Inbound) == (cell.sender == SenderClass::Foreign);
        (!natural, !is_rest, tables.class_kind(cell.class) != ClassKind::Network, cell.tls, cell.sender)
    };
    tables.cells().filter(fits).min_by_key(plain)
}

/// What the client cannot bring about in a content cell, in words.
pub(super) fn given(tables: &Tables, cell: ContentCell) -> Vec<String> {
    let states: Vec<(&str, EngineState)> = tables.engine_states(cell).collect();
    let infected = states.iter().any(|(_, state)| *state == EngineState::Infected);
    let fact = |(name, state): &(&str, EngineState)| match state {
        EngineState::Infected => None,
        EngineState::Clean if !infected => None,
        EngineState::Clean => Some(format!("\"{name}\" finds nothing")),
        EngineState::Suspect => Some(format!("\"{name}\" finds the message suspect")),
        EngineState::Down => Some(format!("\"{name}\" has just gone down")),
        EngineState::DownPast => Some(format!("\"{name}\" has been down for longer than `engine_down.for`")),
    };
    states.iter().filter_map(fact).collect()
}

/// The conversation of a content cell, carried by an envelope.
pub(super) fn of_content(
    tables: &Tables,
    carrier: Cell,
    cell: ContentCell,
    verdict: &ContentVerdict,
    about: About<'_>,
) -> Counterexample {
    let mut it = introduced(tables, carrier, about);
    it.given = given(tables, cell);
    let reverse_path = reverse_path(tables, carrier);
    if !cell.fits {
        let octets = tables.plan().mailboxes.message_size_octets.saturating_add(1);
        let mail = format!("MAIL FROM:<{reverse_path}> SIZE={octets}");
        it.lines.push(Line::new(mail, Answer::Code(verdict.code())));
        return accused(it, about);
    }
    let notify = match cell.notify {
        Notify::Absent => "",
        Notify::Never => " NOTIFY=NEVER",
        Notify::Success => " NOTIFY=SUCCESS",
        Notify::Failure => " NOTIFY=FAILURE",
        Notify::Delay => " NOTIFY=DELAY",
    };
    let infected = tables.engine_states(cell).any(|(_, state)| state == EngineState::Infected);
    let message = Message {
        from: match cell.from {
            FromClaim::OursAligned | FromClaim::OursNotAligned => postmaster(tables),
            FromClaim::Another => reverse_path.clone(),
        },
        holds: match (infected, cell.score) {
            (true, _) => Holds::Eicar,
            (false, Score::Negative) => Holds::Spam,
            (false, Score::Zero | Score::Positive) => Holds::Nothing,
        },
    };
    let (forward_path, _) = forward_path(tables, RecipientClass::Local);
    it.lines.push(Line::new(format!("MAIL FROM:<{reverse_path}>"), Answer::Code(250)));
    it.lines.push(Line::new(format!("RCPT TO:<{forward_path}>{notify}"), Answer::Code(250)));
    it.lines.push(Line::new("DATA", Answer::Code(354)));
    it.lines.push(Line::new(message.command(), Answer::Code(verdict.code())));
    it.message = Some(message);
    accused(it, about)
}

/// An address of a class: the first host of its first prefix that no narrower prefix takes away.
pub(crate) fn address_of(tables: &Tables, class: ClassId) -> IpAddr {
    let plan = tables.plan();
    let name = tables.class_name(class);
    let empty: &[Prefix] = &[];
    let prefixes = match tables.class_kind(class) {
        ClassKind::Network => plan.networks.get(name).map_or(empty, |network| network.prefixes()),
        ClassKind::Gateway => plan.gateways.get(name).map_or(empty, |gateway| &gateway.from),
        ClassKind::Application => {
            let known = plan.senders.as_ref().and_then(|senders| senders.known.get(name));
            known.map_or(empty, |application| &application.from)
        }
    };
    let hosts = prefixes.iter().map(Prefix::first_host).chain(INTERNET.iter().filter_map(|text| text.parse().ok()));
    let mut hosts = hosts.collect::<Vec<IpAddr>>().into_iter();
    let first = hosts.clone().next();
    let found = hosts.find(|host| tables.class_of(*host) == class);
    found.or(first).unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))
}
