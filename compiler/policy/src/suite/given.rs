//! `given: ( … )`: who does it, from where, when, and what the scanners say. An engine stands there by its own name, as
//! in `clamav: Infected("Eicar")`; one whose name is a field's goes into `engines`.

use std::fmt;

use decide::EngineResult;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::model::{Moves, To};
use crate::model::literal::Span;
use crate::syntax::{Entries, Spanned, near};

/// Who does it, from where, and in what state of things.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    /// A block of `may_send`, `may_receive` or `may_read`: one of its listeners, one of its networks.
    pub block: Option<Spanned<String>>,
    pub listener: Option<Spanned<String>>,
    /// The client's address.
    pub client: Option<Spanned<String>>,
    /// A network, gateway or application the client is of.
    pub network: Option<Spanned<String>>,
    /// Who is logged in, where the listener has logins; who asks, for a redirect.
    pub login: Option<Spanned<String>>,
    /// A local time of the institution.
    pub at: Option<Spanned<String>>,
    /// Whether TLS is in use. Left out: where it is to be had.
    pub tls: Option<bool>,
    /// How these addresses stand: full, redirected, …
    pub recipients: Entries<To>,
    pub engines: Vec<(String, Spanned<Engine>)>,
}

impl Given {
    /// The same after a move: a block says where somebody is by itself, a listener or client takes its place.
    pub fn moved(&self, moves: &Moves) -> Given {
        let mut given = self.clone();
        if moves.block.is_some() {
            (given.listener, given.client, given.network) = (None, None, None);
        } else if moves.listener.is_some() || moves.client.is_some() || moves.network.is_some() {
            given.block = None;
        }
        if moves.client.is_some() || moves.network.is_some() {
            (given.client, given.network) = (None, None);
        }
        given.block = moves.block.clone().or(given.block);
        given.listener = moves.listener.clone().or(given.listener);
        given.client = moves.client.clone().or(given.client);
        given.network = moves.network.clone().or(given.network);
        given.login = moves.login.clone().or(given.login);
        given.tls = moves.tls.or(given.tls);
        given
    }
}

/// What an engine says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum Engine {
    Clean,
    Suspect(String),
    Infected(String),
    /// It gives no verdict.
    Down,
    /// It has given none for so long.
    DownFor(Span),
}

impl Engine {
    pub fn result(&self) -> EngineResult {
        match self {
            Engine::Clean => EngineResult::Clean,
            Engine::Suspect(name) => EngineResult::Suspect(name.clone()),
            Engine::Infected(name) => EngineResult::Infected(name.clone()),
            Engine::Down => EngineResult::Down { for_s: 0 },
            Engine::DownFor(span) => EngineResult::Down { for_s: span.0 },
        }
    }
}

const FIELDS: &[&str] = &["block", "listener", "client", "network", "login", "at", "tls", "recipients", "engines"];

/// A field, or the name of an engine. What is nearly a field is a slip, not an engine.
enum Key {
    Field(&'static str),
    Engine(String),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field or an engine")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
        if let Some(field) = FIELDS.iter().find(|field| **field == name) {
            return Ok(Key::Field(field));
        }
        if near::nearest(name, FIELDS.iter().copied()).is_some() {
            return Err(E::unknown_field(name, FIELDS));
        }
        Ok(Key::Engine(name.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Given", FIELDS, GivenVisitor)
    }
}

struct GivenVisitor;

impl<'de> Visitor<'de> for GivenVisitor {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a group with names `(name: …)`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
        let mut given = Given::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Field("block") => given.block = map.next_value()?,
                Key::Field("listener") => given.listener = map.next_value()?,
                Key::Field("client") => given.client = map.next_value()?,
                Key::Field("network") => given.network = map.next_value()?,
                Key::Field("login") => given.login = map.next_value()?,
                Key::Field("at") => given.at = map.next_value()?,
                Key::Field("tls") => given.tls = map.next_value()?,
                Key::Field("recipients") => given.recipients = map.next_value()?,
                Key::Field(_) => {
                    let engines: Entries<Engine> = map.next_value()?;
                    given.engines.extend(engines.into_iter().map(|(name, engine)| (name.value, engine)));
                }
                Key::Engine(name) => given.engines.push((name, map.next_value()?)),
            }
        }
        Ok(given)
    }
}
