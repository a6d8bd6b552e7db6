//! How a literal's own `Deserialize` says which code its mistake has. serde passes errors on as text, so the four
//! parts travel in one text, separated by a character that is removed from the parts.

use crate::codes::Code;
use serde::de::Error;

/// ASCII unit separator. Cannot be in a part, so a part cannot forge another.
const SEPARATOR: char = '\u{1f}';

/// A mistake in a literal: raised in a `Deserialize` implementation, reported at the place of that literal.
///
/// ```ignore
/// return Err(Refusal::new(Code::E0107, "a number without a unit").help("write \"15 min\", not 15").raise());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    pub message: String,
    pub help: Option<String>,
    /// What was probably meant, as the text of the literal.
    pub meant: Option<String>,
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Refusal { code, message: message.into(), help: None, meant: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn meant(mut self, text: impl Into<String>) -> Self {
        self.meant = Some(text.into());
        self
    }

    /// As the error of any deserializer. Others than ours show message, code and help in one text.
    pub fn raise<E: Error>(self) -> E {
        let clean = |text: &str| text.replace(SEPARATOR, " ");
        let help = self.help.as_deref().map(clean).unwrap_or_default();
        let meant = self.meant.as_deref().map(clean).unwrap_or_default();
        E::custom(format_args!("{}{SEPARATOR}{}{SEPARATOR}{help}{SEPARATOR}{meant}", clean(&self.message), self.code))
    }

    /// The inverse of [`Refusal::raise`], for our deserializer's error.
    pub(super) fn from_text(text: &str) -> Option<Refusal> {
        let mut parts = text.split(SEPARATOR);
        let (message, code) = (parts.next()?, parts.next()?);
        let (help, meant) = (parts.next()?, parts.next()?);
        let written = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        match parts.next() {
            None => Some(Refusal {
                code: code.parse().ok()?,
                message: message.to_owned(),
                help: written(help),
                meant: written(meant),
            }),
            Some(_) => None,
        }
    }
}
