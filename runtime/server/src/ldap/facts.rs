//! What an entry says of a person, in words of ours. Pure: the plan says which attribute holds what.
//!
//! What a person cannot be without makes the entry refused; what they can be without is left out. Either is said, with the
//! attribute, and never changes what other entries say.

use std::fmt;

use decide::{DomainKind, Tables};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use mail::{Address, Domain, Login};
use plan::{Fold, LdapAttributes};

use super::entry::Entry;

/// Octets of an id: an entryUUID has 36.
const ID_OCTETS_MAX: usize = 128;
/// Characters of a name, of a unit.
const NAME_CHARS_MAX: usize = 128;
const UNIT_CHARS_MAX: usize = 64;
/// Aliases of one person.
const ALIASES_MAX: usize = 50;
/// A quota of a petabyte is a slip of the pen.
const QUOTA_MB_MAX: u64 = 1_000_000_000;
/// Local parts that are for everybody, so nobody's own (RFC 5321 4.5.1, RFC 2142).
const NOBODYS: [&str; 3] = ["postmaster", "abuse", "mailer-daemon"];
/// What stands before an id that is no text, in hexadecimal.
const BINARY: &str = "hex:";

/// One person as the directory has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Names the person for as long as the directory has them. Text, or `hex:` and octets.
    pub foreign_id: String,
    pub login: Option<Login>,
    pub first: String,
    pub last: String,
    /// Among addresses of ours.
    pub mail: Option<Address>,
    /// Sorted, without `mail`.
    pub aliases: Vec<Address>,
    /// A profile of the plan.
    pub profile: String,
    pub unit: String,
    /// An entry of the plan's `routes.homes`.
    pub home: Option<String>,
    /// Octets, where the directory has a quota of their own.
    pub quota_octets: Option<u64>,
    /// `YYYY-MM-DD`, or empty.
    pub registered: String,
    /// The last day, `YYYY-MM-DD`, or empty.
    pub until: String,
    pub redirect: Option<Address>,
    /// What was left out, one sentence each.
    pub left_out: Vec<Wrong>,
}

/// An attribute that could not be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub attribute: String,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Missing,
    TooLong,
    /// No UTF-8, or control characters.
    NoText,
    NoLogin,
    NoAddress,
    NotOurs,
    /// postmaster and the like.
    Nobodys,
    TooMany,
    NoProfile,
    NoHome,
    NoNumber,
    NoDate,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Why::Missing => "is not there",
            Why::TooLong => "is too long",
            Why::NoText => "is no text, or has control characters",
            Why::NoLogin => "cannot be a login",
            Why::NoAddress => "is no mail address",
            Why::NotOurs => "is no address of a domain of ours",
            Why::Nobodys => "is an address for everybody",
            Why::TooMany => "has too many values",
            Why::NoProfile => "names no profile of the policy",
            Why::NoHome => "names no entry of `routes.homes`",
            Why::NoNumber => "is no number",
            Why::NoDate => "is no date",
        };
        write!(f, "{} {why}", self.attribute)
    }
}

/// How entries are read under one plan.
pub struct Mapping<'a> {
    pub attributes: &'a LdapAttributes,
    pub tables: &'a Tables,
    /// Days of the directory are days here.
    pub time_zone: &'a TimeZone,
}

impl Mapping<'_> {
    /// The person of `entry`, or why it cannot be one.
    pub fn facts(&self, entry: &Entry) -> Result<Facts, Wrong> {
        let names = self.attributes;
        let mut left_out = Vec::new();
        let foreign_id = id(entry, &names.id)?;
        let login = self.login(entry)?;
        let last = name(entry, &names.last)?.ok_or_else(|| wrong(&names.last, Why::Missing))?;
        let first = name(entry, &names.first)?.unwrap_or_default();
        let (mail, others) = self.mail(entry)?;
        let aliases = self.aliases(entry, mail.as_ref(), others, &mut left_out);
        let profile = self.profile(entry, &mut left_out);
        let unit = text(entry, &names.unit, UNIT_CHARS_MAX).unwrap_or_else(|bad| {
            left_out.push(bad);
            None
        });
        let home = self.home(entry)?;
        let quota_octets = self.quota(entry, &mut left_out);
        let registered = self.day(entry, &names.registered, &mut left_out);
        let until = self.day(entry, &names.until, &mut left_out);
        let redirect = self.redirect(entry, &mut left_out);
        Ok(Facts {
            foreign_id,
            login,
            first,
            last,
            mail,
            aliases,
            profile,
            unit: unit.unwrap_or_default(),
            home,
            quota_octets,
            registered,
            until,
            redirect,
            left_out,
        })
    }

    /// The id alone, of an entry that may be refused for something else.
    pub fn id(&self, entry: &Entry) -> Option<String> {
        id(entry, &self.attributes.id).ok()
    }

    /// In the case the policy gives logins. `None` where the directory has none, and the policy's form makes one.
    fn login(&self, entry: &Entry) -> Result<Option<Login>, Wrong> {
        let name = &self.attributes.login;
        let Some(text) = text(entry, name, NAME_CHARS_MAX)? else { return Ok(None) };
        let text = match self.tables.plan().identity.login.fold {
            Fold::AsciiLower => text.to_ascii_lowercase(),
            Fold::Keep => text,
        };
        // `$` begins the accounts of functional addresses.
        let login = Login::new(&text).filter(|login| login.function().is_none());
        login.map(Some).ok_or_else(|| wrong(name, Why::NoLogin))
    }

    /// The official address, and others of ours that stand beside it.
    fn mail(&self, entry: &Entry) -> Result<(Option<Address>, Vec<Address>), Wrong> {
        let name = &self.attributes.mail;
        let mut bad = None;
        let mut ours = Vec::new();
        for value in entry.values(name) {
            match self.address(value) {
                Ok(address) => ours.push(address),
                Err(why) => bad = bad.or(Some(why)),
            }
        }
        match (ours.is_empty(), bad) {
            (true, Some(why)) => Err(wrong(name, why)),
            (_, _) => {
                let others = ours.split_off(ours.len().min(1));
                Ok((ours.pop(), others))
            }
        }
    }

    /// Private addresses elsewhere stand among the others in many directories: they are none of our business.
    fn aliases(
        &self,
        entry: &Entry,
        mail: Option<&Address>,
        others: Vec<Address>,
        left_out: &mut Vec<Wrong>,
    ) -> Vec<Address> {
        let name = &self.attributes.aliases;
        let mut aliases = others;
        for value in entry.values(name) {
            match self.address(value) {
                Ok(address) => aliases.push(address),
                Err(Why::NotOurs) => {}
                Err(why) => left_out.push(wrong(name, why)),
            }
        }
        aliases.sort_by_key(Address::folded);
        aliases.dedup_by_key(|alias| alias.folded());
        aliases.retain(|alias| mail.is_none_or(|mail| mail.folded() != alias.folded()));
        if aliases.len() > ALIASES_MAX {
            aliases.truncate(ALIASES_MAX);
            left_out.push(wrong(name, Why::TooMany));
        }
        aliases
    }

    /// An address of ours, in the domain its addresses are kept under.
    fn address(&self, value: &[u8]) -> Result<Address, Why> {
        let address = parsed(value)?;
        if NOBODYS.contains(&address.local().to_ascii_lowercase().as_str()) {
            return Err(Why::Nobodys);
        }
        match self.tables.domain(address.domain()) {
            DomainKind::NotOurs => Err(Why::NotOurs),
            DomainKind::Held { canonical, .. }
            | DomainKind::Unit { canonical, .. }
            | DomainKind::PassOn { canonical, .. } => Ok(under(&address, &canonical)),
        }
    }

    fn profile(&self, entry: &Entry, left_out: &mut Vec<Wrong>) -> String {
        let rules = &self.tables.plan().mailboxes;
        let values = entry.values(&self.attributes.profile);
        let named = values.iter().filter_map(|value| std::str::from_utf8(value).ok()).find_map(|value| {
            rules.profiles.keys().find(|profile| profile.eq_ignore_ascii_case(value.trim())).cloned()
        });
        if named.is_none() && !values.is_empty() {
            left_out.push(wrong(&self.attributes.profile, Why::NoProfile));
        }
        named.unwrap_or_else(|| rules.otherwise.clone())
    }

    /// A home nobody knows would put mail where its owner does not look for it.
    fn home(&self, entry: &Entry) -> Result<Option<String>, Wrong> {
        let name = &self.attributes.home;
        let Some(home) = text(entry, name, NAME_CHARS_MAX)? else { return Ok(None) };
        match self.tables.plan().routes.homes.contains_key(&home) {
            true => Ok(Some(home)),
            false => Err(wrong(name, Why::NoHome)),
        }
    }

    fn quota(&self, entry: &Entry, left_out: &mut Vec<Wrong>) -> Option<u64> {
        let name = &self.attributes.quota_mb;
        let octets = |text: String| match text.parse::<u64>() {
            Ok(mb) if mb <= QUOTA_MB_MAX => Ok(mb.saturating_mul(1_000_000)),
            Ok(_) | Err(_) => Err(wrong(name, Why::NoNumber)),
        };
        let octets = text(entry, name, NAME_CHARS_MAX).and_then(|text| text.map(octets).transpose());
        octets.map_err(|bad| left_out.push(bad)).ok().flatten()
    }

    /// A day nobody can read ends nothing.
    fn day(&self, entry: &Entry, name: &str, left_out: &mut Vec<Wrong>) -> String {
        let day = |text: String| day(&text, self.time_zone).ok_or_else(|| wrong(name, Why::NoDate));
        match text(entry, name, NAME_CHARS_MAX).and_then(|text| text.map(day).transpose()) {
            Ok(day) => day.map(|day| day.to_string()).unwrap_or_default(),
            Err(bad) => {
                left_out.push(bad);
                String::new()
            }
        }
    }

    fn redirect(&self, entry: &Entry, left_out: &mut Vec<Wrong>) -> Option<Address> {
        let name = &self.attributes.redirect;
        let value = entry.values(name).into_iter().next()?;
        parsed(value).map_err(|why| left_out.push(wrong(name, why))).ok()
    }
}

fn wrong(attribute: &str, why: Why) -> Wrong {
    Wrong { attribute: attribute.to_owned(), why }
}

/// The first value, without what surrounds it; `None` where there is none, or nothing in it.
fn text(entry: &Entry, name: &str, chars_max: usize) -> Result<Option<String>, Wrong> {
    let Some(value) = entry.values(name).into_iter().next() else { return Ok(None) };
    let text = std::str::from_utf8(value).map_err(|_| wrong(name, Why::NoText))?.trim();
    if text.chars().count() > chars_max {
        return Err(wrong(name, Why::TooLong));
    }
    if text.chars().any(char::is_control) {
        return Err(wrong(name, Why::NoText));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn name(entry: &Entry, name: &str) -> Result<Option<String>, Wrong> {
    text(entry, name, NAME_CHARS_MAX)
}

/// Directories of Microsoft have ids that are no text.
fn id(entry: &Entry, name: &str) -> Result<String, Wrong> {
    let values = entry.values(name);
    let value = values.first().filter(|value| !value.is_empty()).ok_or_else(|| wrong(name, Why::Missing))?;
    let id = match std::str::from_utf8(value) {
        Ok(text) if !text.chars().any(char::is_control) && !text.starts_with(BINARY) => text.to_owned(),
        Ok(_) | Err(_) => value.iter().fold(BINARY.to_owned(), |id, octet| format!("{id}{octet:02x}")),
    };
    if id.len() > ID_OCTETS_MAX { Err(wrong(name, Why::TooLong)) } else { Ok(id) }
}

/// What an id is in a filter (RFC 4515 3).
pub fn id_in_filter(foreign_id: &str) -> String {
    let Some(digits) = foreign_id.strip_prefix(BINARY) else { return ldap3::ldap_escape(foreign_id).into_owned() };
    digits.as_bytes().chunks(2).map(|pair| format!("\\{}", String::from_utf8_lossy(pair))).collect()
}

fn parsed(value: &[u8]) -> Result<Address, Why> {
    let text = std::str::from_utf8(value).map_err(|_| Why::NoAddress)?.trim();
    let address: Address = text.parse().map_err(|_| Why::NoAddress)?;
    if address.local().chars().any(char::is_control) { Err(Why::NoAddress) } else { Ok(address) }
}

fn under(address: &Address, canonical: &Domain) -> Address {
    if address.domain() == canonical {
        return address.clone();
    }
    // A local part and a domain that were each sound are sound together; one that needs quotes stays where it is.
    Address::new(address.local(), canonical.clone()).unwrap_or_else(|_| address.clone())
}

/// The day of a GeneralizedTime (RFC 4517 3.3.13), of `YYYYMMDD` or of `YYYY-MM-DD`.
fn day(text: &str, time_zone: &TimeZone) -> Option<Date> {
    if let Some(date) = text.get(..10).filter(|_| text.len() == 10).and_then(|text| text.parse::<Date>().ok()) {
        return Some(date);
    }
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i8>().ok());
    let year = digits.get(..4)?.parse::<i16>().ok()?;
    let date = Date::new(year, number(4, 6)?, number(6, 8)?).ok()?;
    if digits.len() == 8 && text.len() == 8 {
        return Some(date);
    }
    let part = |from: usize| number(from, from + 2).unwrap_or(0);
    // The second before a leap second's end is soon enough.
    let time = Time::new(part(8), part(10), part(12).min(59), 0).ok().filter(|_| (10..=14).contains(&digits.len()))?;
    let offset_s = offset_s(text.get(digits.len()..)?)?;
    let at_s = date.to_datetime(time).to_zoned(TimeZone::UTC).ok()?.timestamp().as_second().checked_sub(offset_s)?;
    Some(Timestamp::from_second(at_s).ok()?.to_zoned(time_zone.clone()).date())
}

/// What stands behind the digits: perhaps a fraction, then `Z` or an offset.
fn offset_s(text: &str) -> Option<i64> {
    let fraction = text.strip_prefix(['.', ',']).map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let zone = fraction.unwrap_or(text);
    if zone == "Z" {
        return Some(0);
    }
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let digits = zone.get(1..).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))?;
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = if digits.len() == 4 { digits.get(2..)?.parse().ok()? } else { 0 };
    let is_sound = matches!(digits.len(), 2 | 4) && hours < 24 && minutes < 60;
    is_sound.then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests;
