//! Names of mailboxes as names of folders: Maildir++, as Dovecot writes it.
//!
//! Levels are joined by a dot and written in modified UTF-7. A dot inside a level becomes `&AC4-`, which is the same letter
//! in the same encoding; so is every name one folder directly in the target, whatever the mailbox is called.

use mail::MailboxName;
use mail::mailbox_name::SEPARATOR;
use proto::imap::utf7;

/// Longest name of a file on Linux.
const FILE_NAME_OCTETS_MAX: usize = 255;
/// A dot inside a level.
const DOT: &str = "&AC4-";

/// `Projets/2026` as `Projets.2026`; `None` when it is too long for a file with `extra_octets` more in its name.
pub fn encode(name: &MailboxName, extra_octets: usize) -> Option<String> {
    let level = |level: &str| level.split('.').map(utf7::encode).collect::<Vec<_>>().join(DOT);
    let text = name.as_str().split(SEPARATOR).map(level).collect::<Vec<_>>().join(".");
    (text.len() + extra_octets <= FILE_NAME_OCTETS_MAX).then_some(text)
}

/// Why a folder is no mailbox, in words.
pub fn decode(text: &[u8]) -> Result<MailboxName, String> {
    let levels: Option<Vec<String>> = text.split(|octet| *octet == b'.').map(decode_level).collect();
    let levels = levels.ok_or("the name is not in modified UTF-7")?;
    if levels.iter().any(|level| level.contains(SEPARATOR)) {
        return Err(format!("a level of a mailbox name has no {SEPARATOR}"));
    }
    MailboxName::new(&levels.join("/")).map_err(|bad| bad.to_string())
}

/// Dots first: no encoder of IMAP writes them, so its decoder refuses them.
fn decode_level(level: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(level).ok()?;
    let (mut out, mut plain, mut rest) = (String::new(), String::new(), text);
    while let Some(at) = rest.find('&') {
        let end = at + rest[at..].find('-')? + 1;
        plain.push_str(&rest[..at]);
        if &rest[at..end] == DOT {
            out.push_str(&utf7::decode(plain.as_bytes())?);
            out.push('.');
            plain.clear();
        } else {
            plain.push_str(&rest[at..end]);
        }
        rest = &rest[end..];
    }
    plain.push_str(rest);
    out.push_str(&utf7::decode(plain.as_bytes())?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_dovecot_and_come_back() {
        for (name, folder) in [
            ("INBOX", "INBOX"),
            ("Envoyés", "Envoy&AOk-s"),
            ("Projets/2026/R&D", "Projets.2026.R&-D"),
            ("Projets 2.0/é.é", "Projets 2&AC4-0.&AOk-&AC4-&AOk-"),
            ("a/../b", "a.&AC4-&AC4-.b"),
            ("&AC4-", "&-AC4-"),
        ] {
            let mailbox = MailboxName::new(name).unwrap();
            assert_eq!(encode(&mailbox, 1).as_deref(), Some(folder));
            assert_eq!(decode(folder.as_bytes()), Ok(mailbox));
        }
    }

    #[test]
    fn a_folder_cannot_smuggle_a_separator_or_an_empty_level() {
        for bad in ["a..b", "", "&AC8-", "a&AC8-&AC4-&AC4-&AC8-b", "a/b", "&AAA-", "&", "&AOk", "a*"] {
            assert!(decode(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(decode(b"\xff").is_err());
    }

    #[test]
    fn a_name_longer_than_a_file_name_is_seen() {
        let long = MailboxName::new(&"é".repeat(100)).unwrap();
        assert_eq!(encode(&long, 1), None);
        assert_eq!(encode(&MailboxName::new(&"e".repeat(254)).unwrap(), 1).map(|name| name.len()), Some(254));
    }
}
