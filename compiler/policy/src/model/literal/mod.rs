//! Literals with units and shapes: written as strings, typed by the field they stand in. Each is parsed once, here,
//! and says with a code of its own what is wrong with it.

mod directory;
mod names;
mod quantity;
mod time;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};

use crate::syntax::Refusal;

pub use directory::{AttributeName, DistinguishedName, Filter, Inline, LdapServer, SecretName};
pub use names::{DomainKey, DomainName, Endpoint, IcapService, MailAddress, NetworkPrefix, ScannerPlace, Sha256, Url};
pub use quantity::{Months, Rate, Share, Size, Span};
pub use time::{Date, TimeOfDay, Zone};

/// A type written as one string.
pub(crate) trait Literal: Sized {
    /// What is wanted, for messages: "a size".
    const WANTED: &'static str;
    /// A good one, for help.
    const EXAMPLE: &'static str;

    fn from_text(text: &str) -> Result<Self, Refusal>;

    /// A bare number in the place of the string.
    fn from_number(number: i128) -> Result<Self, Refusal> {
        Err(not_this::<Self>("number", &number.to_string()))
    }
}

/// Seconds of a duration such as `15 min`, as policies spell it.
pub fn span_s(text: &str) -> Option<u64> {
    Span::from_text(text).ok().map(|span| span.0)
}

/// E0104 for a text of another shape.
fn not_this<T: Literal>(given: &str, text: &str) -> Refusal {
    let shown: String = text.chars().take(40).collect();
    Refusal::new(crate::codes::Code::E0104, format!("expected {}, found a {given}: `{shown}`", T::WANTED))
        .help(format!("for example `{}`", T::EXAMPLE))
}

/// Reads any literal. `deserialize_any`, so that a bare number gets the message about units and not one about types.
pub(super) fn deserialize<'de, T: Literal, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(LiteralVisitor(PhantomData))
}

struct LiteralVisitor<T>(PhantomData<T>);

impl<T: Literal> Visitor<'_> for LiteralVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} such as {}", T::WANTED, T::EXAMPLE)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(Refusal::raise)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::from_number(number.into()).map_err(Refusal::raise)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::from_number(number.into()).map_err(Refusal::raise)
    }
}

/// `impl Deserialize` for literals.
macro_rules! literals {
    ($($type:ty),*) => {
        $(impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                super::deserialize(deserializer)
            }
        })*
    };
}

use literals;
