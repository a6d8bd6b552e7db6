//! Records, as far as mail needs them.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Octets of one string of a TXT record (RFC 1035 3.3).
const STRING_OCTETS_MAX: usize = 255;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    A,
    Aaaa,
    Mx,
    Txt,
    Tlsa,
    Srv,
    Ptr,
}

/// The data of a record. Hosts are lower-case A-labels without the final dot; the root is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Mx {
        preference: u16,
        host: String,
    },
    /// All strings joined.
    Txt(String),
    Tlsa {
        usage: u8,
        selector: u8,
        matching: u8,
        octets: Vec<u8>,
    },
    Srv {
        priority: u16,
        weight: u16,
        port: u16,
        target: String,
    },
    Ptr(String),
}

/// A record a zone should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Without the final dot.
    pub name: String,
    pub data: Data,
    /// The line of the policy it follows from, in a few words.
    pub why: String,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::A => "A",
            Kind::Aaaa => "AAAA",
            Kind::Mx => "MX",
            Kind::Txt => "TXT",
            Kind::Tlsa => "TLSA",
            Kind::Srv => "SRV",
            Kind::Ptr => "PTR",
        })
    }
}

impl Data {
    pub fn kind(&self) -> Kind {
        match self {
            Data::A(_) => Kind::A,
            Data::Aaaa(_) => Kind::Aaaa,
            Data::Mx { .. } => Kind::Mx,
            Data::Txt(_) => Kind::Txt,
            Data::Tlsa { .. } => Kind::Tlsa,
            Data::Srv { .. } => Kind::Srv,
            Data::Ptr(_) => Kind::Ptr,
        }
    }
}

/// As a zone file has it (RFC 1035 5.1).
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::A(address) => address.fmt(f),
            Data::Aaaa(address) => address.fmt(f),
            Data::Mx { preference, host } => write!(f, "{preference} {host}."),
            Data::Txt(text) => strings(text, f),
            Data::Tlsa { usage, selector, matching, octets } => {
                write!(f, "{usage} {selector} {matching} ")?;
                octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
            Data::Srv { priority, weight, port, target } => write!(f, "{priority} {weight} {port} {target}."),
            Data::Ptr(host) => write!(f, "{host}."),
        }
    }
}

/// Quoted strings of at most 255 octets, in brackets when there are several.
fn strings(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(STRING_OCTETS_MAX).collect();
    let several = pieces.len() > 1;
    if several {
        f.write_str("( ")?;
    }
    for (number, piece) in pieces.iter().enumerate() {
        f.write_str(if number > 0 { " \"" } else { "\"" })?;
        for octet in *piece {
            match octet {
                b'"' | b'\\' => write!(f, "\\{}", char::from(*octet))?,
                b' '..=b'~' => write!(f, "{}", char::from(*octet))?,
                octet => write!(f, "\\{octet:03}")?,
            }
        }
        f.write_str("\"")?;
    }
    match (pieces.is_empty(), several) {
        (true, _) => f.write_str("\"\""),
        (false, true) => f.write_str(" )"),
        (false, false) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_written_as_a_zone_file_has_it() {
        let long = "x".repeat(256);
        for (data, written) in [
            (Data::Mx { preference: 10, host: "mx.example".into() }, "10 mx.example.".to_owned()),
            (Data::Srv { priority: 0, weight: 0, port: 0, target: String::new() }, "0 0 0 .".to_owned()),
            (Data::Txt("a\"b\\c\u{e9};".into()), "\"a\\\"b\\\\c\\195\\169;\"".to_owned()),
            (Data::Txt(String::new()), "\"\"".to_owned()),
            (Data::Txt(long), format!("( \"{}\" \"x\" )", "x".repeat(255))),
            (Data::Tlsa { usage: 3, selector: 1, matching: 1, octets: vec![0, 255] }, "3 1 1 00ff".to_owned()),
        ] {
            assert_eq!(data.to_string(), written);
        }
    }
}
