//! A policy in small, with one of each thing a model is made of.

use super::super::{Entries, Items, Refusal, Spanned, WordOr};
use crate::codes::Code;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::fmt;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) language: u32,
    pub(super) institution: Institution,
    pub(super) networks: Entries<Network>,
    pub(super) listeners: Entries<Listener>,
    #[serde(default)]
    pub(super) web: Option<Entries<String, Service>>,
    #[serde(default)]
    pub(super) may_send: Entries<Block>,
    #[serde(default)]
    pub(super) examples: Vec<(String, String, i32)>,
    #[serde(default)]
    pub(super) grants: Items<Grant>,
    #[serde(default)]
    pub(super) quota: Option<Quota>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Institution {
    pub(super) name: Spanned<String>,
    pub(super) domain: String,
    #[serde(default)]
    pub(super) guide: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) initial: Option<char>,
    #[serde(default)]
    pub(super) public: Option<bool>,
}

#[derive(Debug, PartialEq, Deserialize)]
pub(super) enum Network {
    In(Items<String>),
    Front(Front),
    Rest,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Front {
    pub(super) prefixes: Vec<Spanned<String>>,
    pub(super) carries: Carries,
}

#[derive(Debug, PartialEq, Deserialize)]
pub(super) enum Carries {
    ClientAddress,
    Nothing,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listener {
    pub(super) host: String,
    pub(super) port: Spanned<u16>,
    pub(super) speaks: Spanned<Speaks>,
    #[serde(default)]
    pub(super) tls: Option<Tls>,
}

#[derive(Debug, PartialEq, Deserialize)]
pub(super) enum Speaks {
    Smtp,
    Imap,
    Pop,
}

#[derive(Debug, PartialEq, Deserialize)]
pub(super) enum Tls {
    StartTls(Offer),
    Implicit,
}

#[derive(Debug, PartialEq, Deserialize)]
pub(super) enum Offer {
    Offered,
    Required,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Service {
    Webmail,
    Imaps,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    pub(super) from: WordOr<Everywhere, Items<String>>,
    pub(super) recipients: WordOr<Unlimited, Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) lasts: Option<Duration>,
}

#[derive(Debug, PartialEq, Deserialize)]
pub(super) enum Everywhere {
    Everywhere,
    Nowhere,
}

#[derive(Debug, PartialEq, Deserialize)]
pub(super) enum Unlimited {
    Unlimited,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    pub(super) login: String,
    #[serde(default)]
    pub(super) because: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
pub(super) enum Quota {
    Fixed(String),
    OnRequest {
        above: String,
    },
    Between(u32, u32),
    Graced(#[serde(default)] Option<u32>),
    Held {
        #[serde(default)]
        only: Option<String>,
    },
}

/// Minutes, written `"15 min"`.
#[derive(Debug, PartialEq)]
pub(super) struct Duration(pub(super) u32);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DurationVisitor)
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"15 min\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        let minutes = text.strip_suffix(" min").and_then(|number| number.parse().ok());
        minutes.map(Duration).ok_or_else(|| E::custom("a duration that nobody understands"))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Duration, E> {
        Err(Refusal::new(Code::E0107, "a number without a unit").help(format!("write \"{number} min\"")).raise())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Duration, E> {
        self.visit_u64(number.unsigned_abs())
    }
}

/// A policy that uses every form of the model.
pub(super) const WHOLE: &str = r##"#![enable(implicit_some)]
// a comment
Policy(
    language: 1,
    institution: (name: "Office", domain: r#"office.example"#, guide: Some("x"), initial: 'é', public: true),
    networks: {
        "front": Front(prefixes: ["192.0.2.80/32"], carries: ClientAddress), /* one /* two */ */
        "inside": In(["192.0.2.0/24", "2001:db8::/32",]),
        "outside": Rest,
    },
    listeners: {
        "mx":   (host: "mx.office.example", port: 0x19, speaks: Smtp, tls: StartTls(Offered)),
        "subs": Listener(host: "smtp.office.example", port: 4_65, speaks: Smtp, tls: Implicit),
        "imaps": (host: "imaps.office.example", port: 993, speaks: Imap, tls: None),
    },
    web: { Webmail: "https://webmail.office.example" },
    may_send: {
        "person": (from: ["inside"], recipients: ["500 / 15 min", "1000 / 1 h"], lasts: "15 min"),
        "nobody": (from: Nowhere, recipients: []),
        "machine": (from: Everywhere, recipients: Unlimited),
    },
    examples: [("a\tb", "\u{e9}\x41", -3), ("", "\"", 0)],
    grants: [(login: "toto-j", because: "x"), (login: "toto-jp")],
    quota: OnRequest(above: "1 GB"),
)
"##;
