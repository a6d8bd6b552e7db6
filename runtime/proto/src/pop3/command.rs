//! The commands of POP3, read once and valid from then on.

use crate::sasl::Secret;

/// What a client says. Message numbers begin at 1; one that is larger than any there can be is `u32::MAX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Capa,
    Stls,
    Utf8,
    /// Octets that are no UTF-8 stand as U+FFFD, which no login has.
    User(String),
    /// Nothing for a password that is empty or no UTF-8: nobody has such a one.
    Pass(Option<Secret>),
    /// Without a mechanism it asks which there are: what clients sent before there was CAPA.
    Auth(Option<Auth>),
    Quit,
    Noop,
    OnMaildrop(OnMaildrop),
}

/// AUTH with its mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// As it was written.
    pub mechanism: String,
    /// In base64, or `=`.
    pub initial: Option<String>,
}

/// Commands of the TRANSACTION state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnMaildrop {
    Stat,
    List(Option<u32>),
    Uidl(Option<u32>),
    Retr(u32),
    Top { number: u32, lines: u32 },
    Dele(u32),
    Rset,
}
