//! Names of hosts in links and addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use mail::Domain;

/// A host as a browser understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Lower-case A-labels, or the IP address in its ordinary form.
    pub name: String,
    pub is_ip: bool,
}

/// Reads a host as browsers do (WHATWG URL, host parsing): percent escapes decoded, numbers in any base and of one to four
/// pieces are an IPv4 address, brackets hold an IPv6 address. `None` for what no browser would go to.
pub fn read(text: &str) -> Option<Host> {
    let text = percent_decoded(text);
    if let Some(inner) = text.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(Host { name: address.to_string(), is_ip: true });
    }
    let text = text.trim_end_matches('.');
    if let Some(address) = ipv4(text) {
        return Some(Host { name: address.to_string(), is_ip: true });
    }
    a_labels(text).map(|name| Host { name, is_ip: false })
}

/// The lower-case A-labels of a domain; full stops of other scripts count as dots (UTS 46).
pub fn a_labels(text: &str) -> Option<String> {
    let text = text.trim_end_matches('.');
    if is_plain(text) {
        return Some(text.to_owned());
    }
    if text.is_ascii() {
        return text.parse().ok().map(|domain: Domain| domain.to_string());
    }
    let dotted: String = text.chars().map(|c| if matches!(c, '。' | '．' | '｡') { '.' } else { c }).collect();
    dotted.parse().ok().map(|domain: Domain| domain.to_string())
}

/// Whether there is nothing to do but to keep it: the most common case.
fn is_plain(text: &str) -> bool {
    let label = |label: &str| {
        let sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(sound)
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut octets = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).filter(|two| bytes[at] == b'%' && two.iter().all(u8::is_ascii_hexdigit));
        match digits {
            Some(two) => {
                octets.push(mail::mime::transfer::hex(two[0]) << 4 | mail::mime::transfer::hex(two[1]));
                at += 3;
            }
            None => {
                octets.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// `127.1`, `0x7f000001`, `2130706433` and `0177.0.0.1` are all 127.0.0.1.
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let pieces: Vec<&str> = text.splitn(5, '.').collect();
    if pieces.len() > 4 {
        return None;
    }
    let mut value: u64 = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let number = number(piece)?;
        let last = index + 1 == pieces.len();
        let room = if last { 1u64 << (8 * (4 - index)) } else { 256 };
        if number >= room {
            return None;
        }
        value |= if last { number } else { number << (8 * (3 - index)) };
    }
    u32::try_from(value).ok().map(Ipv4Addr::from)
}

fn number(piece: &str) -> Option<u64> {
    let (digits, radix) = match piece.strip_prefix("0x").or_else(|| piece.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if piece.len() > 1 && piece.starts_with('0') => (&piece[1..], 8),
        None => (piece, 10),
    };
    if digits.is_empty() || digits.len() > 16 || !digits.bytes().all(|b| char::from(b).is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// A label or name with its `xn--` labels in Unicode (RFC 3492); labels that do not decode stay.
pub fn u_labels(name: &str) -> String {
    let labels: Vec<String> = name
        .split('.')
        .map(|label| label.strip_prefix("xn--").and_then(punycode).unwrap_or_else(|| label.to_owned()))
        .collect();
    labels.join(".")
}

/// RFC 3492 6.2. `None` for what is no Punycode.
fn punycode(text: &str) -> Option<String> {
    const BASE: u32 = 36;
    let (basic, deltas) = text.rsplit_once('-').unwrap_or(("", text));
    let mut points: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (0x80u32, 0u32, 72u32);
    let mut bytes = deltas.bytes();
    while let Some(mut byte) = bytes.next() {
        let before = i;
        let (mut weight, mut k) = (1u32, BASE);
        loop {
            let digit = match byte {
                b'a'..=b'z' => u32::from(byte - b'a'),
                b'A'..=b'Z' => u32::from(byte - b'A'),
                b'0'..=b'9' => u32::from(byte - b'0') + 26,
                _ => return None,
            };
            i = i.checked_add(digit.checked_mul(weight)?)?;
            let t = k.saturating_sub(bias).clamp(1, 26);
            if digit < t {
                break;
            }
            weight = weight.checked_mul(BASE - t)?;
            k += BASE;
            byte = bytes.next()?;
        }
        let count = points.len() as u32 + 1;
        bias = adapt(i - before, count, before == 0);
        n = n.checked_add(i / count)?;
        i %= count;
        // A label has at most 63 octets; longer would cost the square.
        if points.len() >= 63 {
            return None;
        }
        points.insert(i as usize, char::from_u32(n)?);
        i += 1;
    }
    Some(points.into_iter().collect())
}

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

/// The part of a name that somebody registered: the last two labels, or three where the second to last is a short label
/// that registries use (`co.uk`, `gouv.fr`). A guess without the public list, good enough to compare two names.
pub fn registered(name: &str) -> &str {
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    let (Some(last), Some(second)) = (dots.next(), dots.next()) else { return name };
    let third = dots.next();
    let middle = &name[second + 1..last];
    let of_registry = matches!(
        middle,
        "co" | "com"
            | "net"
            | "org"
            | "gov"
            | "gouv"
            | "edu"
            | "ac"
            | "asso"
            | "or"
            | "ne"
            | "go"
            | "gob"
            | "nom"
            | "tm"
    );
    match (of_registry, third) {
        (false, _) => &name[second + 1..],
        (true, Some(third)) => &name[third + 1..],
        (true, None) => name,
    }
}
