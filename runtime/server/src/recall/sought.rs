//! What a message is looked for by.

use mail::ReversePath;
use serde::{Deserialize, Serialize};
use spam::view::View;

use crate::marks::{self, Mark};

/// Longest value, in octets.
const VALUE_OCTETS_MAX: usize = 1_000;

/// All that is given holds. Values are compared folded: case and accents make no difference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sought {
    /// With or without its brackets.
    pub message_id: Option<String>,
    /// Reverse-path or an address of header From.
    pub sender: Option<String>,
    /// The whole Subject, without the tag of ours.
    pub subject: Option<String>,
    /// The very host of a link; a whole link names its host.
    pub url_host: Option<String>,
    /// SHA-256 of the decoded file, 64 hexadecimal digits.
    pub attachment: Option<String>,
    /// Delivered then or later, in Unix seconds.
    pub since_s: Option<i64>,
}

impl Sought {
    /// As marks have it; `tag` is what our spam filter puts in front of a Subject. The error is in words.
    pub fn cleaned(self, tag: &str) -> Result<Sought, String> {
        let given = [&self.message_id, &self.sender, &self.subject, &self.url_host, &self.attachment];
        for value in given.into_iter().flatten() {
            if value.trim().is_empty() || value.len() > VALUE_OCTETS_MAX || value.contains(char::is_control) {
                return Err(format!("what is looked for is one line of 1 to {VALUE_OCTETS_MAX} octets"));
            }
        }
        let message_id = self.message_id.map(|id| id.trim().trim_matches(['<', '>']).to_owned());
        let subject = self.subject.map(|subject| {
            let subject = subject.trim();
            subject.strip_prefix(tag).map_or(subject, str::trim_start).to_owned()
        });
        let url_host = self.url_host.map(|link| host(&link).ok_or_else(|| format!("{link} is no host of a link")));
        let attachment = self.attachment.map(|hash| {
            let hash = hash.trim().to_ascii_lowercase();
            let sound = hash.len() == 64 && hash.bytes().all(|octet| octet.is_ascii_hexdigit());
            if sound {
                Ok(hash)
            } else {
                Err("an attachment is named by its SHA-256, 64 hexadecimal digits".to_owned())
            }
        });
        let sender = self.sender.map(|sender| sender.trim().trim_matches(['<', '>']).to_owned());
        let since_s = self.since_s;
        let (url_host, attachment) = (url_host.transpose()?, attachment.transpose()?);
        Ok(Sought { message_id, sender, subject, url_host, attachment, since_s })
    }

    /// Would every message match, apart from its time?
    pub fn is_everything(&self) -> bool {
        self.wanted().is_empty()
    }

    /// Values with what each may be.
    fn wanted(&self) -> Vec<(&'static [Mark], &str)> {
        let of = [
            (&[Mark::MessageId][..], &self.message_id),
            (&[Mark::ReversePath, Mark::From], &self.sender),
            (&[Mark::Subject], &self.subject),
            (&[Mark::UrlHost], &self.url_host),
            (&[Mark::Attachment], &self.attachment),
        ];
        of.into_iter().filter_map(|(kinds, value)| Some((kinds, value.as_deref()?))).collect()
    }

    /// May a message with these marks be it? Marks are hashes: [`Sought::is_in`] knows.
    pub fn by_marks(&self) -> impl Fn(&[u64]) -> bool + use<> {
        let wanted: Vec<Vec<u64>> =
            self.wanted().into_iter().map(|(kinds, value)| kinds.iter().map(|kind| kind.of(value)).collect()).collect();
        move |marks| wanted.iter().all(|any| any.iter().any(|mark| marks.contains(mark)))
    }

    /// Is it this message?
    pub fn is_in(&self, view: &View<'_>, reverse_path: &ReversePath) -> bool {
        let fold = |value: &str| mail::fold(value.trim());
        let there: Vec<(Mark, String)> = marks::values(view, reverse_path, self.attachment.is_some())
            .into_iter()
            .map(|(mark, value)| (mark, fold(&value)))
            .collect();
        self.wanted().into_iter().all(|(kinds, value)| {
            let value = fold(value);
            there.iter().any(|(mark, there)| kinds.contains(mark) && *there == value)
        })
    }

    /// For the audit: `sender a@b.example, since 1796000000`.
    pub fn words(&self) -> String {
        let values = [
            ("message-id", &self.message_id),
            ("sender", &self.sender),
            ("subject", &self.subject),
            ("url-host", &self.url_host),
            ("attachment", &self.attachment),
        ];
        let named = values.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
        named.chain(self.since_s.map(|since_s| format!("since {since_s}"))).collect::<Vec<_>>().join(", ")
    }
}

/// The host of a link or its name alone, as a browser understands it.
fn host(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = if host.starts_with('[') { host } else { host.split_once(':').map_or(host, |(host, _)| host) };
    spam::view::host::read(host).map(|host| host.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"X-Original-Subject: Votre bo\xc3\xaete est pleine\r\nMessage-ID: <One@Example.org>\r\n\
        From: Help <Help@example.net>\r\nSubject: [SPAM] Votre bo\xc3\xaete est pleine\r\n\r\n\
        see https://Login.example.com/a\r\n";

    fn sought(key: &str, value: &str) -> Sought {
        let of = |name: &str| (key == name).then(|| value.to_owned());
        Sought {
            message_id: of("message-id"),
            sender: of("sender"),
            subject: of("subject"),
            url_host: of("url-host"),
            attachment: of("attachment"),
            since_s: None,
        }
    }

    #[test]
    fn a_message_is_found_by_each_key_in_the_forms_people_paste() {
        let view = View::read(MESSAGE);
        let from = ReversePath::Address("bounce@example.com".parse().unwrap());
        let marks = marks::of(&view, &from);
        for (key, value, found) in [
            ("message-id", "<one@example.org>", true),
            ("message-id", "one@example.org", true),
            ("message-id", "other@example.org", false),
            ("sender", "HELP@example.net", true),
            ("sender", "<bounce@example.com>", true),
            ("sender", "one@example.org", false),
            ("subject", "Votre boîte est pleine", true),
            ("subject", "[SPAM] votre BOITE est pleine", true),
            ("subject", "Votre boîte", false),
            ("url-host", "login.example.com", true),
            ("url-host", "https://user@LOGIN.example.com:443/x?y", true),
            ("url-host", "example.com", false),
        ] {
            let sought = sought(key, value).cleaned("[SPAM]").unwrap();
            assert_eq!(sought.is_in(&view, &from), found, "{key} {value}");
            assert_eq!(sought.by_marks()(&marks), found, "{key} {value}");
        }
        let both = Sought { sender: Some("help@example.net".into()), ..sought("url-host", "other.example") };
        assert!(!both.is_in(&view, &from), "all that is given holds");
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused_in_words() {
        for (key, value) in [("subject", " "), ("attachment", "abc"), ("url-host", "http:///"), ("sender", "\u{1b}[2J")]
        {
            assert!(sought(key, value).cleaned("[SPAM]").is_err(), "{key} {value}");
        }
        assert!(sought("subject", &"x".repeat(2_000)).cleaned("").is_err());
        let since = Sought { since_s: Some(1), ..Sought::default() };
        assert!(since.is_everything() && !sought("subject", "x").is_everything());
    }
}
