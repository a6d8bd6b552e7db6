//! Messages of a directory server cut out of what it sends, before anything else reads them (RFC 4511 4.1.1, BER of X.690).
//! What is too long, too deep or no LDAPMessage ends the connection: the library behind reads sound messages only.

use std::fmt;

/// Octets of one message: an entry with the attributes we ask for has some hundred.
pub const OCTETS_MAX: usize = 1 << 20;
/// An entry nests five deep, controls of a result no deeper.
const DEPTH_MAX: usize = 12;

/// Identifier octets.
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BOOLEAN: u8 = 0x01;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const REFERRAL: u8 = 0xa3;
const CONTROLS: u8 = 0xa0;
/// Operations a server sends us: BindResponse, SearchResultEntry, SearchResultDone, SearchResultReference,
/// ExtendedResponse, IntermediateResponse.
const BIND_DONE: u8 = 0x61;
const ENTRY: u8 = 0x64;
const SEARCH_DONE: u8 = 0x65;
const REFERENCE: u8 = 0x73;
const EXTENDED_DONE: u8 = 0x78;
const INTERMEDIATE: u8 = 0x79;
const CONSTRUCTED: u8 = 0x20;
/// Tags of more than one octet: LDAP has none.
const LONG_TAG: u8 = 0x1f;

/// Why what came is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsound {
    TooLong,
    TooDeep,
    NoMessage,
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unsound::TooLong => "it sends a message that is too long",
            Unsound::TooDeep => "it sends a message that nests too deep",
            Unsound::NoMessage => "it sends what is no LDAP message",
        })
    }
}

/// One element: its identifier octet, its content, what is behind it.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
}

/// Octets of the first message at the beginning of `octets`; `None` while it is not all there.
pub fn whole(octets: &[u8]) -> Result<Option<usize>, Unsound> {
    let Some((header, content)) = length(octets)? else { return Ok(None) };
    let all = header.saturating_add(content);
    if all > OCTETS_MAX {
        return Err(Unsound::TooLong);
    }
    let Some(message) = octets.get(..all) else { return Ok(None) };
    sound(message)?;
    Ok(Some(all))
}

/// Octets of the header, and of the content it announces; `None` while the header is not all there.
fn length(octets: &[u8]) -> Result<Option<(usize, usize)>, Unsound> {
    let Some((tag, rest)) = octets.split_first() else { return Ok(None) };
    if *tag & LONG_TAG == LONG_TAG {
        return Err(Unsound::NoMessage);
    }
    let Some((first, rest)) = rest.split_first() else { return Ok(None) };
    if *first < 0x80 {
        return Ok(Some((2, usize::from(*first))));
    }
    // RFC 4511 5.1: only the definite form.
    let count = usize::from(*first & 0x7f);
    if count == 0 {
        return Err(Unsound::NoMessage);
    }
    if count > 4 {
        return Err(Unsound::TooLong);
    }
    let Some(digits) = rest.get(..count) else { return Ok(None) };
    let content = digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit));
    Ok(Some((2 + count, content)))
}

fn element(octets: &[u8]) -> Result<Element<'_>, Unsound> {
    let (header, content) = length(octets)?.ok_or(Unsound::NoMessage)?;
    let (tag, rest) = (octets.first().copied().unwrap_or_default(), octets.get(header..).unwrap_or_default());
    let (content, rest) = rest.split_at_checked(content).ok_or(Unsound::NoMessage)?;
    Ok(Element { tag, content, rest })
}

/// A sequence of an id, an operation and perhaps controls.
fn sound(message: &[u8]) -> Result<(), Unsound> {
    let message = element(message)?;
    let id = element(message.content)?;
    let operation = element(id.rest)?;
    let is_message = message.tag == SEQUENCE && id.tag == INTEGER && (1..=4).contains(&id.content.len());
    let is_operation = match operation.tag {
        BIND_DONE | SEARCH_DONE | EXTENDED_DONE => is_result(operation.content)?,
        ENTRY | REFERENCE | INTERMEDIATE => true,
        _ => false,
    };
    if !(is_message && is_operation && are_controls(operation.rest)?) {
        return Err(Unsound::NoMessage);
    }
    nested(message.content, 1)
}

/// A code, two texts, and what may stand behind (RFC 4511 4.1.9).
fn is_result(content: &[u8]) -> Result<bool, Unsound> {
    let code = element(content)?;
    let matched = element(code.rest)?;
    let text = element(matched.rest)?;
    let more = elements(text.rest)?;
    let is_more = |one: &Element<'_>| match one.tag {
        REFERRAL => elements(one.content).is_ok_and(|urls| urls.iter().all(is_text)),
        tag => tag & CONSTRUCTED == 0,
    };
    let is_code = code.tag == ENUMERATED && (1..=4).contains(&code.content.len());
    Ok(is_code && is_text(&matched) && is_text(&text) && more.iter().all(is_more))
}

/// Nothing, or one list of controls (RFC 4511 4.1.11).
fn are_controls(octets: &[u8]) -> Result<bool, Unsound> {
    if octets.is_empty() {
        return Ok(true);
    }
    let list = element(octets)?;
    let mut good = list.tag == CONTROLS && list.rest.is_empty();
    for control in elements(list.content)? {
        let parts = elements(control.content)?;
        let tags: Vec<u8> = parts.iter().skip(1).map(|part| part.tag).collect();
        let is_rest = matches!(tags.as_slice(), [] | [BOOLEAN] | [OCTETS] | [BOOLEAN, OCTETS]);
        let is_flag = parts.iter().all(|part| part.tag != BOOLEAN || part.content.len() == 1);
        good &= control.tag == SEQUENCE && parts.first().is_some_and(is_text) && is_rest && is_flag;
    }
    Ok(good)
}

fn is_text(element: &Element<'_>) -> bool {
    element.tag == OCTETS && std::str::from_utf8(element.content).is_ok()
}

fn elements(mut octets: &[u8]) -> Result<Vec<Element<'_>>, Unsound> {
    let mut all = Vec::new();
    while !octets.is_empty() {
        let next = element(octets)?;
        octets = next.rest;
        all.push(next);
    }
    Ok(all)
}

/// The cookie of a control for pages: the size, then the cookie (RFC 2696 2).
pub fn cookie(value: &[u8]) -> Result<Vec<u8>, Unsound> {
    let list = element(value)?;
    let size = element(list.content)?;
    let cookie = element(size.rest)?;
    let is_control = list.tag == SEQUENCE && size.tag == INTEGER && cookie.tag == OCTETS;
    if is_control { Ok(cookie.content.to_vec()) } else { Err(Unsound::NoMessage) }
}

/// The code of a whole message that is a result; `None` for anything else.
pub fn result_code(message: &[u8]) -> Option<u32> {
    let operation = element(element(element(message).ok()?.content).ok()?.rest).ok()?;
    let code = element(operation.content).ok()?;
    let is_result = matches!(operation.tag, BIND_DONE | SEARCH_DONE | EXTENDED_DONE) && code.tag == ENUMERATED;
    is_result.then(|| code.content.iter().fold(0, |sum, octet| (sum << 8) | u32::from(*octet)))
}

/// Everything inside has a length that fits, and does not nest without end.
fn nested(mut content: &[u8], depth: usize) -> Result<(), Unsound> {
    if depth > DEPTH_MAX {
        return Err(Unsound::TooDeep);
    }
    while !content.is_empty() {
        let next = element(content)?;
        if next.tag & CONSTRUCTED != 0 {
            nested(next.content, depth + 1)?;
        }
        content = next.rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `tag` around `content`, with the shortest length.
    fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut octets = vec![tag];
        match content.len() {
            short @ 0..=127 => octets.push(short as u8),
            long => {
                octets.push(0x84);
                octets.extend((long as u32).to_be_bytes());
            }
        }
        octets.extend(content);
        octets
    }

    fn message(operation: &[u8]) -> Vec<u8> {
        tagged(SEQUENCE, &[tagged(INTEGER, &[7]).as_slice(), operation].concat())
    }

    #[test]
    fn a_message_is_whole_with_its_last_octet_only() {
        let octets = message(&tagged(0x61, &[0x0a, 1, 0, 4, 0, 4, 0]));
        for end in 0..octets.len() {
            assert_eq!(whole(&octets[..end]), Ok(None), "{end}");
        }
        assert_eq!(whole(&octets), Ok(Some(octets.len())));
        assert_eq!(whole(&[octets.as_slice(), b"more"].concat()), Ok(Some(octets.len())));
    }

    #[test]
    fn what_is_no_message_ends_it() {
        let deep = (0..20).fold(Vec::new(), |inner, _| tagged(SEQUENCE, &inner));
        let result = |text: &[u8]| [&[ENUMERATED, 1, 0, OCTETS, 0], tagged(OCTETS, text).as_slice()].concat();
        let cases: [(Vec<u8>, Unsound); 10] = [
            (vec![SEQUENCE, 0x84, 0x7f, 0xff, 0xff, 0xff], Unsound::TooLong),
            (vec![SEQUENCE, 0x88, 0, 0, 0, 0, 0, 0, 0, 1], Unsound::TooLong),
            (vec![SEQUENCE, 0x80], Unsound::NoMessage),
            (vec![LONG_TAG, 1], Unsound::NoMessage),
            (b"HTTP/1.1 400 Bad Request\r\n".repeat(8), Unsound::NoMessage),
            (tagged(SEQUENCE, &[]), Unsound::NoMessage),
            (tagged(SEQUENCE, &[INTEGER, 1, 1, 0x61, 9, 0]), Unsound::NoMessage),
            (message(&tagged(ENTRY, &deep)), Unsound::TooDeep),
            (message(&tagged(BIND_DONE, &result(&[0xe9]))), Unsound::NoMessage),
            (message(&tagged(0x60, &result(b""))), Unsound::NoMessage),
        ];
        for (octets, why) in cases {
            assert_eq!(whole(&octets), Err(why), "{octets:x?}");
        }
    }

    #[test]
    fn controls_and_their_cookie_are_read() {
        let value = tagged(SEQUENCE, &[&[INTEGER, 1, 0], tagged(OCTETS, b"next").as_slice()].concat());
        let control = [tagged(OCTETS, b"1.2.840.113556.1.4.319"), tagged(OCTETS, &value)].concat();
        let controls = tagged(CONTROLS, &tagged(SEQUENCE, &control));
        let done = [tagged(SEARCH_DONE, &[ENUMERATED, 1, 4, OCTETS, 0, OCTETS, 0]), controls].concat();
        let octets = message(&done);
        assert_eq!(whole(&octets), Ok(Some(octets.len())));
        assert_eq!((result_code(&octets), cookie(&value)), (Some(4), Ok(b"next".to_vec())));
        assert_eq!(cookie(b"next"), Err(Unsound::NoMessage));
    }

    proptest! {
        #[test]
        fn nothing_that_comes_breaks_it(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(Some(all)) = whole(&octets) {
                prop_assert!(all <= octets.len() && whole(&octets[..all]) == Ok(Some(all)));
            }
        }

        #[test]
        fn nothing_inside_a_message_breaks_it(inside in prop::collection::vec(any::<u8>(), 0..300)) {
            let octets = message(&tagged(ENTRY, &inside));
            prop_assert_ne!(whole(&octets), Ok(None));
        }
    }
}
