//! Parameters of MAIL and RCPT: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954), REQUIRETLS
//! (RFC 8689), and those of delivery status notifications (RFC 3461). All are read here; a session refuses those it does not
//! offer.

use std::fmt;

use mail::reply::{self, Reply};
use mail::{Body, Notify, Return};
use nom::bytes::complete::{take_while, take_while1};
use nom::character::complete::char;
use nom::combinator::{opt, recognize};
use nom::multi::many0;
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// Parameters of MAIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailParameters {
    /// Declared size in octets (RFC 1870 5).
    pub size_octets: Option<u64>,
    pub body: Body,
    pub smtputf8: bool,
    /// Who submitted the message first, as xtext (RFC 4954 5); `<>` when nobody says. Nothing here believes it.
    pub auth: Option<String>,
    /// Every hop from here on verifies TLS, or the message comes back (RFC 8689 2).
    pub require_tls: bool,
    pub ret: Option<Return>,
    pub envid: Option<String>,
}

/// Parameters of RCPT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RcptParameters {
    pub notify: Option<Notify>,
    /// `addr-type;xtext` as written (RFC 3461 4.2).
    pub orcpt: Option<String>,
}

/// Why parameters are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadParameter {
    /// Not `keyword` or `keyword=value`.
    Syntax,
    /// RFC 5321 4.1.1.11: 555. The keyword is in upper case.
    Unknown(String),
    /// A keyword we know with a value it cannot have.
    Value(&'static str),
    Twice(&'static str),
}

impl fmt::Display for BadParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadParameter::Syntax => f.write_str("A parameter is keyword or keyword=value"),
            BadParameter::Unknown(keyword) => write!(f, "Parameter {keyword} not recognized or not implemented"),
            BadParameter::Value(keyword) => write!(f, "Parameter {keyword} cannot have this value"),
            BadParameter::Twice(keyword) => write!(f, "Parameter {keyword} stands twice"),
        }
    }
}

impl BadParameter {
    pub(super) fn reply(&self) -> Reply {
        let code = match self {
            BadParameter::Unknown(_) => reply::BAD_PARAMETER,
            BadParameter::Syntax | BadParameter::Value(_) | BadParameter::Twice(_) => reply::SYNTAX_ARGUMENT,
        };
        Reply::new(code, self.to_string())
    }
}

/// One parameter as it stands: keyword in upper case, value as written.
pub(super) struct Word<'a> {
    keyword: String,
    value: Option<&'a str>,
}

/// RFC 5321 4.1.2: `esmtp-param = esmtp-keyword ["=" esmtp-value]`, each after a space.
pub(super) fn words(text: &str) -> Result<Vec<Word<'_>>, BadParameter> {
    let spaced = preceded(take_while1(|c| c == ' '), word);
    match many0(spaced).parse(text) {
        Ok(("", words)) => Ok(words),
        Ok(_) | Err(_) => Err(BadParameter::Syntax),
    }
}

fn word(text: &str) -> IResult<&str, Word<'_>> {
    // RFC 5321 4.1.2: esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
    let first = take_while1(|c: char| c.is_ascii_alphanumeric());
    let keyword = recognize((first, take_while(|c: char| c.is_ascii_alphanumeric() || c == '-')));
    // RFC 5321 4.1.2: esmtp-value = 1*(%d33-60 / %d62-126), with UTF-8 as RFC 6531 3.3 adds it.
    let value = take_while1(|c: char| c != '=' && c != ' ' && !c.is_control());
    (keyword, opt(preceded(char('='), value)))
        .map(|(keyword, value): (&str, Option<&str>)| Word { keyword: keyword.to_ascii_uppercase(), value })
        .parse(text)
}

fn set<T>(slot: &mut Option<T>, keyword: &'static str, value: Option<T>) -> Result<(), BadParameter> {
    if slot.is_some() {
        return Err(BadParameter::Twice(keyword));
    }
    *slot = Some(value.ok_or(BadParameter::Value(keyword))?);
    Ok(())
}

impl MailParameters {
    pub(super) fn read(words: &[Word<'_>]) -> Result<MailParameters, BadParameter> {
        let mut found = MailParameters::default();
        let mut body = None;
        let mut smtputf8 = None;
        let mut require_tls = None;
        for Word { keyword, value } in words {
            match keyword.as_str() {
                "SIZE" => set(&mut found.size_octets, "SIZE", value.and_then(size))?,
                "BODY" => set(&mut body, "BODY", value.and_then(body_type))?,
                "SMTPUTF8" => set(&mut smtputf8, "SMTPUTF8", value.is_none().then_some(()))?,
                "REQUIRETLS" => set(&mut require_tls, "REQUIRETLS", value.is_none().then_some(()))?,
                "AUTH" => set(&mut found.auth, "AUTH", value.and_then(xtext))?,
                "RET" => set(&mut found.ret, "RET", value.and_then(ret))?,
                "ENVID" => set(&mut found.envid, "ENVID", value.and_then(xtext))?,
                _ => return Err(BadParameter::Unknown(keyword.clone())),
            }
        }
        found.body = body.unwrap_or_default();
        found.smtputf8 = smtputf8.is_some();
        found.require_tls = require_tls.is_some();
        Ok(found)
    }
}

impl RcptParameters {
    pub(super) fn read(words: &[Word<'_>]) -> Result<RcptParameters, BadParameter> {
        let mut found = RcptParameters::default();
        for Word { keyword, value } in words {
            match keyword.as_str() {
                "NOTIFY" => set(&mut found.notify, "NOTIFY", value.and_then(notify))?,
                "ORCPT" => set(&mut found.orcpt, "ORCPT", value.and_then(orcpt))?,
                _ => return Err(BadParameter::Unknown(keyword.clone())),
            }
        }
        Ok(found)
    }
}

/// RFC 1870 5: `size-value ::= 1*20DIGIT`. A number past 64 bits is as large as any.
fn size(value: &str) -> Option<u64> {
    let digits = (1..=20).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| value.parse().unwrap_or(u64::MAX))
}

/// RFC 6152 2: `body-value = "7BIT" / "8BITMIME"`; RFC 3030 3 adds `"BINARYMIME"`.
fn body_type(value: &str) -> Option<Body> {
    if value.eq_ignore_ascii_case("7BIT") {
        Some(Body::SevenBit)
    } else if value.eq_ignore_ascii_case("8BITMIME") {
        Some(Body::EightBitMime)
    } else if value.eq_ignore_ascii_case("BINARYMIME") {
        Some(Body::BinaryMime)
    } else {
        None
    }
}

/// RFC 3461 4.3: `ret-value = "FULL" / "HDRS"`.
fn ret(value: &str) -> Option<Return> {
    if value.eq_ignore_ascii_case("FULL") {
        Some(Return::Full)
    } else if value.eq_ignore_ascii_case("HDRS") {
        Some(Return::Headers)
    } else {
        None
    }
}

/// RFC 3461 4: `xtext = *( xchar / hexchar )`, `hexchar = ASCII "+" immediately followed by two hexadecimal digits`.
/// Kept as written, at most 500 octets (RFC 3461 4.2).
fn xtext(value: &str) -> Option<String> {
    let mut octets = value.bytes();
    while let Some(octet) = octets.next() {
        let sound = match octet {
            b'+' => octets.next().is_some_and(upper_hex) && octets.next().is_some_and(upper_hex),
            octet => octet.is_ascii_graphic() && octet != b'=',
        };
        if !sound {
            return None;
        }
    }
    (value.len() <= 500).then(|| value.to_owned())
}

pub(super) fn upper_hex(octet: u8) -> bool {
    octet.is_ascii_digit() || (b'A'..=b'F').contains(&octet)
}

/// RFC 3461 4.1: `notify-list-element = "NEVER" / 1#( "SUCCESS" / "FAILURE" / "DELAY" )`.
fn notify(value: &str) -> Option<Notify> {
    let mut found = Notify { success: false, failure: false, delay: false };
    if value.eq_ignore_ascii_case("NEVER") {
        return Some(found);
    }
    for element in value.split(',') {
        match element.to_ascii_uppercase().as_str() {
            "SUCCESS" => found.success = true,
            "FAILURE" => found.failure = true,
            "DELAY" => found.delay = true,
            _ => return None,
        }
    }
    Some(found)
}

/// RFC 3461 4.2: `original-recipient-address = addr-type ";" xtext`; RFC 6533 3 adds `utf-8` addresses.
fn orcpt(value: &str) -> Option<String> {
    let (kind, address) = value.split_once(';')?;
    let sound = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !address.is_empty();
    (sound && value.len() <= 500).then(|| value.to_owned())
}
