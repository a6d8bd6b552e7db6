//! The argument of XCLIENT, by which a trusted client tells for whom it speaks: Postfix's XCLIENT_README.

use std::net::IpAddr;

use super::command::{self, HelloName};
use super::parameter::upper_hex;

/// What was told. What is not told, or told to be unknown, stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub address: Option<IpAddr>,
    pub hello: Option<HelloName>,
}

/// `attribute=value`, at least one, with spaces between; values are xtext (RFC 3461 4).
pub(super) fn read(text: &str) -> Option<Told> {
    let mut told = Told::default();
    let mut any = false;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let (name, value) = word.split_once('=')?;
        let value = decoded(value)?;
        let unknown = ["[UNAVAILABLE]", "[TEMPUNAVAIL]"].iter().any(|word| value.eq_ignore_ascii_case(word));
        any = true;
        match name.to_ascii_uppercase().as_str() {
            "ADDR" if unknown => told.address = None,
            "ADDR" => told.address = Some(address(&value)?),
            "HELO" if unknown => told.hello = None,
            "HELO" => told.hello = Some(command::hello_name(&value)?),
            // Names are not believed, ports and protocols not needed; nobody logs in by another's word.
            "NAME" | "PORT" | "PROTO" | "LOGIN" | "DESTADDR" | "DESTPORT" => {}
            _ => return None,
        }
    }
    any.then_some(told)
}

/// An IPv4 address, or an IPv6 address behind `IPV6:`.
fn address(text: &str) -> Option<IpAddr> {
    let v6 = text.get(..5).filter(|head| head.eq_ignore_ascii_case("IPV6:")).map(|_| &text[5..]);
    match v6 {
        Some(v6) => v6.parse().ok().map(|v6: std::net::Ipv6Addr| IpAddr::V6(v6).to_canonical()),
        None => text.parse().ok().map(|it: IpAddr| it.to_canonical()),
    }
}

fn decoded(xtext: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(xtext.len());
    let mut rest = xtext.bytes();
    while let Some(octet) = rest.next() {
        let value = match octet {
            b'+' => {
                let pair = [rest.next().filter(|o| upper_hex(*o))?, rest.next().filter(|o| upper_hex(*o))?];
                u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?
            }
            octet => octet,
        };
        octets.push(value);
    }
    let text = String::from_utf8(octets).ok()?;
    (text.len() <= 255 && !text.chars().any(char::is_control)).then_some(text)
}

/// The law of this parser: what was told is sound, and written again as xtext it says the same.
pub fn fuzz(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let Some(told) = read(text) else { return };
    let mut again = String::from("NAME=[UNAVAILABLE]");
    if let Some(address) = told.address {
        assert_eq!(address, address.to_canonical(), "{told:?}");
        again += &format!(" ADDR={}{address}", if address.is_ipv6() { "IPV6:" } else { "" });
    }
    if let Some(hello) = &told.hello {
        let name = hello.as_str();
        assert!(!name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control()), "{told:?}");
        let xtext: String = name.bytes().map(|octet| format!("+{octet:02X}")).collect();
        again += &format!(" HELO={xtext}");
    }
    assert_eq!(read(&again), Some(told), "{again}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn attributes_are_read_in_any_case_and_unknown_ones_refused() {
        let told = |text: &str| read(text).map(|told| (told.address, told.hello.map(|it| it.as_str().to_owned())));
        let cases = [
            ("ADDR=192.0.2.7 NAME=[UNAVAILABLE]", Some((Some("192.0.2.7"), None))),
            ("addr=ipv6:2001:db8::7 HELO=c+2Eexample", Some((Some("2001:db8::7"), Some("c.example")))),
            ("ADDR=IPV6:::ffff:192.0.2.7", Some((Some("192.0.2.7"), None))),
            ("ADDR=[UNAVAILABLE] HELO=[TEMPUNAVAIL] LOGIN=root PROTO=ESMTP PORT=25", Some((None, None))),
            ("", None),
            ("ADDR", None),
            ("ADDR=", None),
            ("ADDR=192.0.2.256", None),
            ("ADDR=192.0.2.7 ROLE=admin", None),
            ("HELO=a+2", None),
            ("HELO=a+0D+0Ab", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(address, hello)| {
                (address.map(|it: &str| it.parse::<IpAddr>().unwrap()), hello.map(str::to_owned))
            });
            assert_eq!(told(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_attributes_break_the_law(
            words in prop::collection::vec(
                "(ADDR|HELO|helo|PORT|X)=(IPV6:)?([0-9a-f.:]{0,9}|(a|\\+C3\\+A9|\\+20|\\+0D|\\+|é|\\[UNAVAILABLE\\]){0,4})", 0..4),
            noise in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            fuzz(words.join(" ").as_bytes());
            fuzz(&noise);
        }
    }
}
