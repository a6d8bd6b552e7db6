//! One message as it is asked to be taken: what it needs of a server, and its MAIL and RCPT commands.

use mail::{Address, Notify, Return, ReversePath};

use super::offers::Offers;
use super::outcome::Trouble;

/// The kind of a content (RFC 6152, RFC 3030).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    SevenBit,
    /// Octets over 127. To a server without 8BITMIME it goes as it is.
    EightBit,
    /// Lines and octets of any kind, by BDAT to servers that offer BINARYMIME or not at all.
    Binary,
}

/// A recipient with what its sender asked of notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub address: Address,
    /// NOTIFY (RFC 3461 4.1).
    pub notify: Option<Notify>,
    /// ORCPT (RFC 3461 4.2) as the client wrote it.
    pub orcpt: Option<String>,
}

/// A message to hand over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    pub reverse_path: ReversePath,
    /// Never empty.
    pub recipients: Vec<Recipient>,
    /// Octets of the content as it is stored; exact where it is `Binary`.
    pub size_octets: u64,
    pub content: Content,
    /// The header needs SMTPUTF8; addresses are looked at here.
    pub smtputf8: bool,
    /// RET (RFC 3461 4.3).
    pub ret: Option<Return>,
    /// ENVID (RFC 3461 4.4) as xtext.
    pub envid: Option<String>,
    /// REQUIRETLS (RFC 8689 2).
    pub require_tls: bool,
    /// Only RCPT is asked, and no content follows.
    pub only_asks: bool,
}

impl Handover {
    /// A question about recipients: would they be taken from `<>`?
    pub fn question(recipients: Vec<Address>) -> Handover {
        let plain = |address| Recipient { address, notify: None, orcpt: None };
        Handover {
            reverse_path: ReversePath::Null,
            recipients: recipients.into_iter().map(plain).collect(),
            size_octets: 0,
            content: Content::SevenBit,
            smtputf8: false,
            ret: None,
            envid: None,
            require_tls: false,
            only_asks: true,
        }
    }

    fn needs_utf8(&self) -> bool {
        self.smtputf8
            || self.reverse_path.address().is_some_and(Address::needs_utf8)
            || self.recipients.iter().any(|recipient| recipient.address.needs_utf8())
    }

    /// Can a server with these offers take it?
    pub(super) fn fits(&self, offers: &Offers) -> Result<(), Trouble> {
        if self.require_tls && !offers.require_tls {
            return Err(Trouble::NoRequireTls);
        }
        if self.needs_utf8() && !offers.smtputf8 {
            return Err(Trouble::NoUtf8);
        }
        if self.content == Content::Binary && !(offers.binary_mime && offers.chunking) {
            return Err(Trouble::NoBinary);
        }
        match offers.size_octets_max {
            Some(max) if self.size_octets > max => Err(Trouble::TooLarge),
            Some(_) | None => Ok(()),
        }
    }

    /// MAIL with the parameters the server offers, with its CRLF.
    pub(super) fn mail_command(&self, offers: &Offers) -> String {
        let mut line = format!("MAIL FROM:{}", self.reverse_path);
        if offers.size && !self.only_asks {
            line.push_str(&format!(" SIZE={}", self.size_octets));
        }
        match self.content {
            Content::Binary => line.push_str(" BODY=BINARYMIME"),
            Content::EightBit if offers.eight_bit_mime => line.push_str(" BODY=8BITMIME"),
            Content::EightBit | Content::SevenBit => {}
        }
        if self.needs_utf8() {
            line.push_str(" SMTPUTF8");
        }
        if self.require_tls {
            line.push_str(" REQUIRETLS");
        }
        if offers.dsn {
            match self.ret {
                Some(Return::Full) => line.push_str(" RET=FULL"),
                Some(Return::Headers) => line.push_str(" RET=HDRS"),
                None => {}
            }
            if let Some(envid) = self.envid.as_deref().filter(|text| is_parameter(text)) {
                line.push_str(&format!(" ENVID={envid}"));
            }
        }
        line.push_str("\r\n");
        line
    }

    /// For the law of the client: each bit of `kind` chooses something of it. What a sender asked of notifications is hostile.
    pub(super) fn fuzzed(kind: u8, size_octets: u64) -> Handover {
        let address = |text: &str| text.parse::<Address>().expect("an address");
        let notify = |success| Notify { success, failure: false, delay: true };
        let asked = kind & 32 != 0;
        let recipient = |text: &str, success, orcpt: &str| Recipient {
            address: address(text),
            notify: asked.then(|| notify(success)),
            orcpt: asked.then(|| orcpt.into()),
        };
        Handover {
            reverse_path: if kind & 1 == 0 { ReversePath::Null } else { ReversePath::Address(address("é@b.example")) },
            recipients: vec![
                recipient("a@b.example", true, "rfc822;a+2Bb"),
                recipient("c@d.example", false, "rfc822;c\r\nQUIT"),
            ],
            size_octets,
            content: [Content::SevenBit, Content::EightBit, Content::Binary, Content::Binary]
                [usize::from(kind >> 1 & 3)],
            smtputf8: kind & 8 != 0,
            ret: asked.then_some(Return::Headers),
            envid: asked.then(|| "a b".into()),
            require_tls: kind & 64 != 0,
            only_asks: kind & 16 != 0,
        }
    }
}

impl Recipient {
    /// RCPT with its CRLF.
    pub(super) fn command(&self, dsn: bool) -> String {
        let mut line = format!("RCPT TO:<{}>", self.address);
        if let Some(notify) = self.notify.filter(|_| dsn) {
            let asked = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
            let words: Vec<&str> = asked.into_iter().filter(|(asked, _)| *asked).map(|(_, word)| word).collect();
            let words = if words.is_empty() { "NEVER".to_owned() } else { words.join(",") };
            line.push_str(&format!(" NOTIFY={words}"));
        }
        if let Some(orcpt) = self.orcpt.as_deref().filter(|text| dsn && is_parameter(text)) {
            line.push_str(&format!(" ORCPT={orcpt}"));
        }
        line.push_str("\r\n");
        line
    }
}

/// Visible ASCII and no blank: nothing kept of a client can begin a command of its own.
fn is_parameter(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic())
}
