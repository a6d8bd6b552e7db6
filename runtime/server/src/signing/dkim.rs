//! DKIM signatures (RFC 6376), relaxed in header and body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail::Domain;
use mail::header::Field;

use super::canonical;
use super::key::{PrivateKey, word};
use super::message::{Message, Unsigned};

/// Fields that are signed, each as often as it is there (RFC 6376 5.4.1).
pub const SIGNED: [&str; 21] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "list-id",
    "list-help",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-subscribe",
    "list-post",
    "list-owner",
    "list-archive",
];
/// Names one signature may hold.
const NAMES_MAX: usize = 250;
/// Octets of a line of a signature.
const LINE_OCTETS: usize = 72;

/// Who signs.
pub struct Signer<'a> {
    pub domain: &'a Domain,
    pub selector: &'a str,
    pub key: &'a PrivateKey,
}

/// The names of the tag `h=`, and the fields they stand for in canonical form.
pub struct Covered {
    names: Vec<&'static str>,
    canonical: Vec<u8>,
}

impl Covered {
    /// Fields of `names`, each name from the last field up (RFC 6376 5.4.2). From is named once more than it is there: one
    /// added on the way breaks the signature.
    pub fn of(message: &Message, names: &[&'static str]) -> Result<Covered, Unsigned> {
        if message.fields().filter(|field| field.is("from")).count() != 1 {
            return Err(Unsigned::From);
        }
        let fields: Vec<Field<'_>> = message.fields().collect();
        let mut covered = Covered { names: Vec::new(), canonical: Vec::new() };
        for name in names {
            for field in fields.iter().rev().filter(|field| field.is(name)) {
                covered.names.push(name);
                canonical::field(field.name(), field.raw_value(), &mut covered.canonical);
            }
        }
        covered.names.push("from");
        if covered.names.len() > NAMES_MAX { Err(Unsigned::Fields) } else { Ok(covered) }
    }
}

/// One signature of `message` as a header field with its line end. `at_s` is Unix time.
pub fn signature(signer: &Signer<'_>, message: &Message, at_s: i64) -> Result<Vec<u8>, Unsigned> {
    field("DKIM-Signature", "v=1", signer, &Covered::of(message, &SIGNED)?, message, at_s)
}

/// The field `name` that signs `covered` and the body; `first` is its first tag. ARC-Message-Signature has the same form
/// (RFC 8617 4.1.2).
pub fn field(
    name: &str,
    first: &str,
    signer: &Signer<'_>,
    covered: &Covered,
    message: &Message,
    at_s: i64,
) -> Result<Vec<u8>, Unsigned> {
    let Signer { domain, selector, key } = signer;
    let mut value = format!(" {first}; a={}; c=relaxed/relaxed;\r\n\td={domain};", word(key.algorithm()));
    value.push_str(&format!("\r\n\ts={selector}; t={at_s};\r\n\th="));
    let mut line = 3;
    for (number, name) in covered.names.iter().enumerate() {
        if number > 0 {
            value.push(':');
        }
        if line + name.len() > LINE_OCTETS {
            value.push_str("\r\n\t ");
            line = 2;
        }
        value.push_str(name);
        line += name.len() + 1;
    }
    value.push_str(&format!(";\r\n\tbh={};\r\n\tb=", STANDARD.encode(message.body_hash)));
    let mut signed = covered.canonical.clone();
    canonical::field(name.as_bytes(), value.as_bytes(), &mut signed);
    finished(name, value, &signed, key)
}

/// Signs `signed` without its last line end (RFC 6376 3.7) and writes the field.
pub fn finished(name: &str, mut value: String, signed: &[u8], key: &PrivateKey) -> Result<Vec<u8>, Unsigned> {
    let signed = signed.strip_suffix(b"\r\n").unwrap_or(signed);
    let signature = key.sign(signed).ok_or(Unsigned::Crypto)?;
    let (mut rest, mut room) = (signature.as_str(), LINE_OCTETS - 2);
    while let Some((line, more)) = rest.split_at_checked(room).filter(|(_, more)| !more.is_empty()) {
        value.push_str(line);
        value.push_str("\r\n\t ");
        (rest, room) = (more, LINE_OCTETS);
    }
    value.push_str(rest);
    Ok(format!("{name}:{value}\r\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message::read(b"", &text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn fields_are_covered_from_the_last_one_up_and_from_once_more() {
        let message = message("To: a@b\r\nFrom: c@d\r\nTo:  e@f \r\nReceived: x\r\n\r\n");
        let covered = Covered::of(&message, &SIGNED).unwrap();
        assert_eq!(covered.names, ["from", "to", "to", "from"]);
        assert_eq!(String::from_utf8(covered.canonical).unwrap(), "from:c@d\r\nto:e@f\r\nto:a@b\r\n");
    }

    #[test]
    fn a_message_that_cannot_be_signed_is_told_apart() {
        let many = format!("From: a@b\r\n{}\r\n", "To: c@d\r\n".repeat(NAMES_MAX));
        let of = |text: &str| Covered::of(&message(text), &SIGNED).map(|_| ());
        assert!(matches!(of("To: a@b\r\n\r\n"), Err(Unsigned::From)));
        assert!(matches!(of("From: a@b\r\nFrom: c@d\r\n\r\n"), Err(Unsigned::From)));
        assert!(matches!(of(&many), Err(Unsigned::Fields)));
    }

    #[test]
    fn lines_of_a_signature_are_short() {
        let names: String = SIGNED.map(|name| format!("{name}: x\r\n")).concat();
        let der = PrivateKey::generate(plan::SigningAlgorithm::Ed25519Sha256).unwrap();
        let key = PrivateKey::read(plan::SigningAlgorithm::Ed25519Sha256, &der).unwrap();
        let domain = "univ-nantes.fr".parse().unwrap();
        let signer = Signer { domain: &domain, selector: "f20261130-e", key: &key };
        let field = signature(&signer, &message(&format!("{names}\r\n")), 1).unwrap();
        let field = String::from_utf8(field).unwrap();
        assert!(field.starts_with("DKIM-Signature: v=1; a=ed25519-sha256;") && field.ends_with("\r\n"), "{field}");
        assert!(field.lines().all(|line| line.len() <= 78), "{field}");
    }
}
