//! The listeners that people meet, grouped as a reader looks for them: one service a host and protocol.

use std::collections::BTreeSet;

use plan::{Language, Listener, ListenerAuth, Plan, Speaks, TlsMode};

use crate::access::{Place, place};
use crate::words::{one_of, pick};

/// One host of one protocol with all its ports.
pub struct Service<'a> {
    pub host: &'a str,
    pub speaks: Speaks,
    /// Other names that work, sorted.
    pub also: Vec<&'a str>,
    /// Sorted by port.
    pub doors: Vec<Door<'a>>,
}

/// A listener and where it serves people from.
pub struct Door<'a> {
    pub listener: &'a Listener,
    pub place: Place,
}

/// Where mail is read.
pub fn incoming(plan: &Plan) -> Vec<Service<'_>> {
    let blocks = plan.may_read.values().map(|block| (&block.connecting_to, &block.from));
    grouped(plan, blocks, |listener| matches!(listener.speaks, Speaks::Imap | Speaks::Pop))
}

/// Where people send.
pub fn outgoing(plan: &Plan) -> Vec<Service<'_>> {
    let blocks = plan.may_send.values().map(|block| (&block.connecting_to, &block.from));
    grouped(plan, blocks, |listener| listener.auth == ListenerAuth::Required)
}

/// Where machines send without a login.
pub fn relays(plan: &Plan) -> Vec<Service<'_>> {
    let blocks = plan.may_send.values().map(|block| (&block.connecting_to, &block.from));
    grouped(plan, blocks, |listener| listener.auth == ListenerAuth::Never)
}

fn grouped<'a>(
    plan: &'a Plan,
    blocks: impl Iterator<Item = (&'a Vec<String>, &'a Vec<String>)>,
    wanted: impl Fn(&Listener) -> bool,
) -> Vec<Service<'a>> {
    let blocks: Vec<_> = blocks.collect();
    let mut services: Vec<Service<'a>> = Vec::new();
    for (name, listener) in plan.listeners.iter().filter(|(_, listener)| wanted(listener)) {
        let serving = blocks.iter().filter(|(connecting_to, _)| connecting_to.contains(name));
        let from: BTreeSet<&String> = serving.flat_map(|(_, from)| from.iter()).collect();
        if from.is_empty() {
            continue;
        }
        let from: Vec<String> = from.into_iter().cloned().collect();
        let door = Door { listener, place: place(plan, &from) };
        let host = listener.host.as_str();
        let at = services.iter().position(|it| it.host == host && it.speaks == listener.speaks);
        let at = at.unwrap_or_else(|| {
            services.push(Service { host, speaks: listener.speaks, also: Vec::new(), doors: Vec::new() });
            services.len() - 1
        });
        services[at].also.extend(listener.also.iter().map(mail::Domain::as_str));
        services[at].doors.push(door);
    }
    for service in &mut services {
        service.also.sort_unstable();
        service.also.dedup();
        service.doors.sort_by_key(|door| door.listener.port);
    }
    services.sort_by_key(|service| (service.speaks, service.host));
    services
}

impl<'a> Service<'a> {
    /// `25, 465 ou 587`.
    pub fn ports(&self, language: Language) -> String {
        let ports: Vec<String> = self.doors.iter().map(|door| door.listener.port.to_string()).collect();
        one_of(language, &ports).replace(", ", ",\u{a0}").replace(" ou ", " ou\u{a0}").replace(" or ", " or\u{a0}")
    }

    /// `TLS (465) ou STARTTLS (25, 587)`; without the ports where all doors are alike.
    pub fn security(&self, language: Language) -> String {
        let mut modes: Vec<(String, Vec<String>)> = Vec::new();
        for door in self.by_advice() {
            let words = tls_words(language, door.listener.tls).to_owned();
            let port = door.listener.port.to_string();
            match modes.iter_mut().find(|(mode, _)| *mode == words) {
                Some((_, ports)) => ports.push(port),
                None => modes.push((words, vec![port])),
            }
        }
        if let [(mode, _)] = modes.as_slice() {
            return mode.clone();
        }
        let said: Vec<String> =
            modes.iter().map(|(mode, ports)| format!("{mode} ({})", ports.join(",\u{a0}"))).collect();
        one_of(language, &said)
    }

    /// The widest place of its doors.
    pub fn place(&self) -> &Place {
        self.advised().map_or(&Place::Everywhere, |door| &door.place)
    }

    /// The door a new mail program should use: TLS from the first byte (RFC 8314 3.3), open from furthest.
    pub fn advised(&self) -> Option<&Door<'a>> {
        self.by_advice().into_iter().next()
    }

    fn by_advice(&self) -> Vec<&Door<'a>> {
        let mut doors: Vec<&Door<'a>> = self.doors.iter().collect();
        doors.sort_by_key(|door| door.advice());
        doors
    }

    /// Its doors for people, the advised one first. A webmail machine needs no telling.
    pub fn into_doors(mut self) -> impl Iterator<Item = Door<'a>> {
        self.doors.sort_by_key(Door::advice);
        self.doors.into_iter().filter(|door| door.place != Place::Webmail)
    }
}

impl Door<'_> {
    /// The lower, the better for a new mail program.
    fn advice(&self) -> (u8, u8, bool, u16) {
        let reach = match self.place {
            Place::Everywhere => 0,
            Place::Outside | Place::OutsideAnd(_) => 1,
            Place::Inside => 2,
            Place::Networks(_) => 3,
            Place::Webmail => 4,
        };
        let tls = match self.listener.tls {
            TlsMode::Implicit => 0,
            TlsMode::Required => 1,
            TlsMode::Offered => 2,
            TlsMode::None => 3,
        };
        // Port 25 is the one that hotels and access providers close.
        (reach, tls, self.listener.port == 25, self.listener.port)
    }
}

/// How a connection is protected, in the words of the pages.
pub fn tls_words(language: Language, mode: TlsMode) -> &'static str {
    match mode {
        TlsMode::Implicit => "TLS",
        TlsMode::Required => "STARTTLS",
        TlsMode::Offered => pick(language, "STARTTLS, facultatif", "STARTTLS, optional"),
        TlsMode::None => pick(language, "aucune", "none"),
    }
}

/// The protocol as mail programs spell it.
pub fn protocol(speaks: Speaks) -> &'static str {
    match speaks {
        Speaks::Smtp => "SMTP",
        Speaks::Imap => "IMAP",
        Speaks::Pop => "POP",
        Speaks::Lmtp => "LMTP",
    }
}
