//! The first addresses of an ENVELOPE, read from its rendering (`mail::mime::imap::envelope`).

use crate::header::decode_words;

/// The pieces of an `address` that order messages; `None` is NIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FirstAddress {
    pub(super) name: Option<Vec<u8>>,
    pub(super) mailbox: Option<Vec<u8>>,
    pub(super) host: Option<Vec<u8>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FirstAddresses {
    pub(super) from: FirstAddress,
    pub(super) to: FirstAddress,
    pub(super) cc: FirstAddress,
}

impl FirstAddress {
    /// What FROM, TO and CC compare: `addr-mailbox`.
    pub(super) fn mailbox_text(&self) -> String {
        self.mailbox.as_deref().map(|octets| String::from_utf8_lossy(octets).into_owned()).unwrap_or_default()
    }

    /// What DISPLAYFROM and DISPLAYTO compare (RFC 5957 3).
    pub(super) fn display_text(&self) -> String {
        let name = self.name.as_deref().map(decode_words).unwrap_or_default();
        if !name.is_empty() {
            return name;
        }
        let mailbox = self.mailbox_text();
        match (&self.mailbox, &self.host) {
            (Some(_), Some(host)) => format!("{mailbox}@{}", String::from_utf8_lossy(host)),
            _ => mailbox,
        }
    }
}

impl FirstAddresses {
    /// What is not an envelope has no addresses.
    pub(super) fn read(envelope: &[u8]) -> FirstAddresses {
        let mut reader = Reader { rest: envelope };
        reader.envelope().unwrap_or_default()
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn envelope(&mut self) -> Option<FirstAddresses> {
        self.take(b"(")?;
        self.nstring()?;
        self.take(b" ")?;
        self.nstring()?;
        let mut lists: [FirstAddress; 5] = Default::default();
        for list in &mut lists {
            self.take(b" ")?;
            *list = self.list()?;
        }
        let [from, _sender, _reply_to, to, cc] = lists;
        Some(FirstAddresses { from, to, cc })
    }

    /// The first address of a list; the others are passed over.
    fn list(&mut self) -> Option<FirstAddress> {
        if self.take(b"NIL").is_some() {
            return Some(FirstAddress::default());
        }
        self.take(b"(")?;
        let first = self.address()?;
        while self.take(b")").is_none() {
            self.address()?;
        }
        Some(first)
    }

    fn address(&mut self) -> Option<FirstAddress> {
        self.take(b"(")?;
        let name = self.nstring()?;
        self.take(b" ")?;
        self.nstring()?;
        self.take(b" ")?;
        let mailbox = self.nstring()?;
        self.take(b" ")?;
        let host = self.nstring()?;
        self.take(b")")?;
        Some(FirstAddress { name, mailbox, host })
    }

    fn take(&mut self, octets: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(octets)?;
        Some(())
    }

    /// `None` when there is no nstring.
    fn nstring(&mut self) -> Option<Option<Vec<u8>>> {
        match self.rest.first()? {
            b'N' => self.take(b"NIL").map(|()| None),
            b'"' => self.quoted().map(Some),
            b'{' => self.literal().map(Some),
            _ => None,
        }
    }

    fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        let mut octets = self.rest.get(1..)?.iter().enumerate();
        while let Some((at, octet)) = octets.next() {
            match octet {
                b'"' => {
                    self.rest = &self.rest[at + 2..];
                    return Some(text);
                }
                b'\\' => text.push(*octets.next()?.1),
                other => text.push(*other),
            }
        }
        None
    }

    fn literal(&mut self) -> Option<Vec<u8>> {
        let end = self.rest.windows(3).position(|three| three == b"}\r\n")?;
        let size: usize = std::str::from_utf8(self.rest.get(1..end)?).ok()?.parse().ok()?;
        let (text, rest) = self.rest.get(end + 3..)?.split_at_checked(size)?;
        self.rest = rest;
        Some(text.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::summarize;

    #[track_caller]
    fn check(header: &[u8], expected: [&str; 5]) {
        let envelope = summarize(&[header, b"\r\n\r\n"].concat()).envelope_imap;
        let FirstAddresses { from, to, cc } = FirstAddresses::read(&envelope);
        let found = [from.mailbox_text(), to.mailbox_text(), cc.mailbox_text(), from.display_text(), to.display_text()];
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(&envelope));
    }

    #[test]
    fn the_first_address_of_each_list_is_read() {
        check(b"Subject: none", [""; 5]);
        check(
            b"Subject: \"q\\\"\r\nFrom: Ann <ann@a.example>, bob@b.example\r\nTo: c@c, d@d\r\nCc: \"e e\"@e",
            ["ann", "c", "e e", "Ann", "c@c"],
        );
        check(b"Subject: \xe9t\xe9\r\nFrom: =?utf-8?q?Zo=C3=A9=2C_T?= <z@a>", ["z", "", "", "Zo\u{e9}, T", ""]);
        check(b"From: \"\" <a@b>\r\nTo: undisclosed: ;", ["a", "undisclosed", "", "a@b", "undisclosed"]);
    }

    #[test]
    fn what_is_no_envelope_has_no_addresses() {
        let whole = summarize(b"Subject: \xe9\r\nFrom: A <a@b>\r\nCc: c@d\r\n\r\n").envelope_imap;
        for cut in 0..whole.len() - 20 {
            let _ = FirstAddresses::read(&whole[..cut]);
        }
        assert_eq!(FirstAddresses::read(b"(\"x"), FirstAddresses::default());
        assert_eq!(FirstAddresses::read(b"({9}\r\nab"), FirstAddresses::default());
    }
}
