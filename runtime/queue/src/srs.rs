//! The sender rewriting scheme: a forwarded message goes out under a reverse-path of ours, so that SPF holds for it, and
//! what comes back to that path finds the original sender. There is no RFC; this is the form of libsrs2 and postsrsd:
//!
//! `SRS0=HASH=DAY=domain=local@ours`, and for a path another forwarder rewrote `SRS1=HASH=forwarder=REST@ours`, where REST
//! is what followed `SRS0` there.
//!
//! INVARIANT (no-relay): a path nobody here wrote, or wrote too long ago, leads nowhere.

use mail::{Address, Domain, ReversePath};

/// A path leads back for so many days.
pub const LIFE_DAYS: i64 = 21;
const DAY_S: i64 = 86_400;
/// Days come round: two characters of five bits.
const DAYS: i64 = 1 << 10;
/// 30 bits of a keyed hash: a guess costs a transaction, and each of them is counted.
const HASH_CHARACTERS: usize = 6;
const BASE_32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Hosts on the way may change the case of a local part, and none is so bold as to change these.
const SEPARATORS: [char; 3] = ['=', '-', '+'];

/// The key of the hashes. Whoever has it can write paths that lead anywhere.
#[derive(Clone)]
pub struct Key([u8; 32]);

/// A path cannot be rewritten: the local part it would need is longer than RFC 5321 4.5.3.1.1 lets it be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl Key {
    pub fn new(octets: [u8; 32]) -> Key {
        Key(octets)
    }

    /// The reverse-path under which a message from `from` goes on: one of `ours`. The null path, and one of `ours`, stay.
    pub fn forward(&self, from: &ReversePath, ours: &Domain, now_s: i64) -> Result<ReversePath, TooLong> {
        let ReversePath::Address(address) = from else { return Ok(ReversePath::Null) };
        if address.domain() == ours {
            return Ok(from.clone());
        }
        let (local, domain) = (address.local(), address.domain().as_str());
        let rewritten = match (rest_of(local, "SRS0"), rest_of(local, "SRS1").and_then(first_forwarder)) {
            // Only the first forwarder is kept: it knows the original sender, and we need not.
            (_, Some((forwarder, rest))) => self.second(forwarder, rest),
            (Some(rest), None) => self.second(domain, rest),
            (None, None) => {
                let day = day(now_s);
                format!("SRS0={}={day}={domain}={local}", self.hash(&[&day, domain, local]))
            }
        };
        // A local part that needed quotes needs them still, and they are no part of its length.
        let address = Address::new(&rewritten, ours.clone());
        let quoted = || format!("\"{}\"@{ours}", rewritten.replace('\\', "\\\\").replace('"', "\\\"")).parse();
        address.or_else(|_| quoted()).map(ReversePath::Address).map_err(|_| TooLong)
    }

    fn second(&self, forwarder: &str, rest: &str) -> String {
        format!("SRS1={}={forwarder}={rest}", self.hash(&[forwarder, rest]))
    }

    /// Whom a path of ours leads back to: the original sender, or the forwarder before us. `None` for what is no path of
    /// ours, is forged, or is too old.
    pub fn back(&self, path: &Address, now_s: i64) -> Option<Address> {
        if let Some(rest) = rest_of(path.local(), "SRS0") {
            let (hash, rest) = rest[1..].split_once('=')?;
            let (written, rest) = rest.split_once('=')?;
            let (domain, local) = rest.split_once('=')?;
            // The hash first: what is not ours is not looked at.
            let ours = same(hash, &self.hash(&[written, domain, local]));
            return (ours && is_young(written, now_s)).then(|| written_again(local, domain)).flatten();
        }
        let (hash, forwarder, rest) = second_parts(rest_of(path.local(), "SRS1")?)?;
        let ours = same(hash, &self.hash(&[forwarder, rest]));
        ours.then(|| written_again(&format!("SRS0{rest}"), forwarder)).flatten()
    }

    /// Case counts in no part, because it may be lost on the way.
    fn hash(&self, parts: &[&str]) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in parts {
            let part = part.to_ascii_lowercase();
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let hash = hasher.finalize();
        hash.as_bytes()[..HASH_CHARACTERS].iter().map(|byte| char::from(BASE_32[usize::from(byte & 31)])).collect()
    }
}

/// Does this local part have the form of a rewritten one?
pub fn is_rewritten(local: &str) -> bool {
    rest_of(local, "SRS0").is_some() || rest_of(local, "SRS1").is_some()
}

/// What follows the tag, its separator included.
fn rest_of<'a>(local: &'a str, tag: &str) -> Option<&'a str> {
    let (start, rest) = local.split_at_checked(tag.len())?;
    (start.eq_ignore_ascii_case(tag) && rest.starts_with(SEPARATORS)).then_some(rest)
}

/// `=HASH=forwarder=REST` in parts.
fn second_parts(rest: &str) -> Option<(&str, &str, &str)> {
    let (hash, rest) = rest[1..].split_once('=')?;
    let (forwarder, after) = rest.split_once('=')?;
    after.starts_with(SEPARATORS).then_some((hash, forwarder, after))
}

fn first_forwarder(rest: &str) -> Option<(&str, &str)> {
    second_parts(rest).map(|(_, forwarder, rest)| (forwarder, rest))
}

fn written_again(local: &str, domain: &str) -> Option<Address> {
    let domain: Domain = domain.parse().ok()?;
    let quoted = || format!("\"{}\"@{domain}", local.replace('\\', "\\\\").replace('"', "\\\"")).parse().ok();
    Address::new(local, domain.clone()).ok().or_else(quoted)
}

fn day(now_s: i64) -> String {
    let day = now_s.div_euclid(DAY_S).rem_euclid(DAYS) as usize;
    [BASE_32[day >> 5], BASE_32[day & 31]].map(char::from).iter().collect()
}

/// Was this day at most `LIFE_DAYS` before `now_s`?
fn is_young(written: &str, now_s: i64) -> bool {
    (0..=LIFE_DAYS).any(|days| same(written, &day(now_s.saturating_sub(days * DAY_S))))
}

/// In a time that does not depend on where they differ.
fn same(given: &str, expected: &str) -> bool {
    let (given, expected) = (given.as_bytes(), expected.as_bytes());
    let differs = given.iter().zip(expected).fold(0, |all, (a, b)| all | (a.to_ascii_lowercase() ^ b));
    given.len() == expected.len() && differs == 0
}

/// The law of rewritten paths: what goes there comes back, and what was changed on the way or made up leads nowhere. The first
/// two octets choose a change, the rest is the path. A forged path could have the right hash by chance, but not under two keys.
pub fn fuzz(octets: &[u8]) {
    let [at, change, text @ ..] = octets else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(from) = text.parse::<Address>() else { return };
    let ours: Domain = "univ.example".parse().expect("a domain");
    let now_s = i64::from(*at) << 20;
    let keys = [Key::new([7; 32]), Key::new([8; 32])];
    let made_up = |key: &Key| key.back(&from, now_s).is_some();
    assert!(!keys.iter().all(made_up), "{from} was never written here");
    let mut forged = 0;
    for key in &keys {
        let Ok(path) = key.forward(&ReversePath::Address(from.clone()), &ours, now_s) else { return };
        let ReversePath::Address(there) = path else { panic!("{from} became the null path") };
        assert_eq!(there.domain(), &ours, "{there}");
        if from.domain() == &ours {
            assert_eq!(there, from, "ours stay");
            return;
        }
        // As a bounce carries it.
        let there: Address = there.to_string().parse().expect("a path is an address");
        let back = key.back(&there, now_s);
        check_back(&from, &there, back.as_ref());
        forged += usize::from(changed(&there, *at, *change).is_some_and(|path| key.back(&path, now_s).is_some()));
    }
    assert!(forged < keys.len(), "{from} leads back although it was changed");
}

/// Back to the sender; from a path that another forwarder rewrote to the first of them, if it says who that is.
fn check_back(from: &Address, there: &Address, back: Option<&Address>) {
    if let Some((forwarder, rest)) = rest_of(from.local(), "SRS1").and_then(first_forwarder) {
        let first = forwarder.parse::<Domain>().ok().and_then(|_| written_again(&format!("SRS0{rest}"), forwarder));
        assert_eq!(back, first.as_ref(), "{there}");
    } else if rest_of(from.local(), "SRS0").is_some() {
        assert_eq!(back.map(Address::folded), Some(from.folded()), "{there}");
    } else {
        assert_eq!(back, Some(from), "{there}");
    }
}

/// The path with another character behind its tag and separator; `None` where it means the same.
fn changed(there: &Address, at: u8, change: u8) -> Option<Address> {
    let local = there.local();
    let place = 5 + usize::from(at) % local.len().saturating_sub(5).max(1);
    let (before, after) = local.split_at_checked(place)?;
    let mut rest = after.chars();
    let (old, new) = (rest.next()?, char::from(b' ' + change % 95));
    let local = format!("{before}{new}{}", rest.as_str());
    (!old.eq_ignore_ascii_case(&new)).then(|| written_again(&local, there.domain().as_str())).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW_S: i64 = 1_796_000_000;

    fn key() -> Key {
        Key::new([7; 32])
    }

    fn ours() -> Domain {
        "univ.example".parse().unwrap()
    }

    fn path(text: &str) -> ReversePath {
        ReversePath::Address(text.parse().unwrap())
    }

    fn forwarded(from: &str) -> Address {
        match key().forward(&path(from), &ours(), NOW_S).unwrap() {
            ReversePath::Address(address) => address,
            ReversePath::Null => panic!("{from} became the null path"),
        }
    }

    #[test]
    fn a_path_leads_back_whatever_became_of_its_case_on_the_way() {
        for from in
            ["toto@elsewhere.example", "a=b@c.example", "\"a b\\\"c\"@elsewhere.example", "été@elsewhere.example"]
        {
            let there = forwarded(from);
            assert!(there.local().starts_with("SRS0=") && there.domain() == &ours(), "{there}");
            assert_eq!(key().back(&there, NOW_S), Some(from.parse().unwrap()), "{there}");
        }
        let shouted: Address = forwarded("Toto@elsewhere.example").to_string().to_uppercase().parse().unwrap();
        assert_eq!(key().back(&shouted, NOW_S).unwrap().folded(), "toto@elsewhere.example");
    }

    #[test]
    fn the_null_path_and_our_own_stay_as_they_are() {
        for from in [ReversePath::Null, path("toto@univ.example")] {
            assert_eq!(key().forward(&from, &ours(), NOW_S), Ok(from));
        }
    }

    #[test]
    fn a_path_another_forwarder_wrote_leads_back_to_the_first_of_them() {
        let first = "SRS0+abcd=xy=origin.example=toto@first.example";
        let second = forwarded(first);
        assert!(
            second.local().starts_with("SRS1=")
                && second.local().ends_with("=first.example=+abcd=xy=origin.example=toto")
        );
        assert_eq!(key().back(&second, NOW_S), Some(first.parse().unwrap()));
        // A third forwarder drops the second.
        let elsewhere = Key::new([8; 32]);
        let third_domain: Domain = "third.example".parse().unwrap();
        let from = ReversePath::Address(second.clone());
        let ReversePath::Address(third) = elsewhere.forward(&from, &third_domain, NOW_S).unwrap() else { panic!() };
        assert_eq!(elsewhere.back(&third, NOW_S), Some(first.parse().unwrap()));
        assert_eq!(key().back(&third, NOW_S), None, "it is not of this key");
    }

    #[test]
    fn a_path_ends_after_three_weeks_and_none_comes_from_the_future() {
        let there = forwarded("toto@elsewhere.example");
        for (days, leads) in [(-1, false), (0, true), (21, true), (22, false), (400, false)] {
            assert_eq!(key().back(&there, NOW_S + days * DAY_S).is_some(), leads, "after {days} days");
        }
    }

    #[test]
    fn what_nobody_here_wrote_leads_nowhere() {
        let there = forwarded("toto@elsewhere.example").to_string();
        let mut all = vec![
            there.replace("=elsewhere", "=victim"),
            there.replace("=toto", "=root"),
            "SRS0=aaaaaa=aa=victim.example=root@univ.example".to_owned(),
            "SRS1=aaaaaa=victim.example==a=b=c=root@univ.example".to_owned(),
        ];
        all.extend(
            ["SRS0=@univ.example", "SRS0==@univ.example", "SRS1=a=b@univ.example", "SRS0@univ.example"].map(Into::into),
        );
        for forged in all {
            assert_eq!(key().back(&forged.parse().unwrap(), NOW_S), None, "{forged}");
        }
        assert_eq!(Key::new([8; 32]).back(&there.parse().unwrap(), NOW_S), None);
        assert!(is_rewritten("srs1-x") && !is_rewritten("SRS0") && !is_rewritten("toto") && !is_rewritten("SRSé"));
    }

    #[test]
    fn a_path_that_would_be_too_long_is_told() {
        let long = format!("{}@elsewhere.example", "x".repeat(40));
        assert_eq!(key().forward(&path(&long), &ours(), NOW_S), Err(TooLong));
    }

    proptest! {
        #[test]
        fn what_goes_there_comes_back(local in "[a-zA-Z0-9=+._\"\\\\ -]{1,25}", domain in "[a-z]{1,9}\\.example", now_s in 0i64..1 << 40) {
            let quoted = format!("\"{}\"@{domain}", local.replace('\\', "\\\\").replace('"', "\\\""));
            let from: Address = quoted.parse().unwrap();
            prop_assume!(!is_rewritten(from.local()));
            if let ReversePath::Address(there) = key().forward(&ReversePath::Address(from.clone()), &ours(), now_s).unwrap() {
                // As a bounce carries it.
                let there: Address = there.to_string().parse().unwrap();
                prop_assert_eq!(key().back(&there, now_s), Some(from));
            }
        }

        #[test]
        fn no_path_breaks_the_law(
            head in any::<[u8; 2]>(),
            path in "(SRS[01][=+-])?[a-z=\"+]{0,20}@([a-z]{1,9}\\.example|univ\\.example|\\[192\\.0\\.2\\.1\\])",
        ) {
            fuzz(&[&head, path.as_bytes()].concat());
        }

        #[test]
        fn nothing_panics(local in "(SRS[01])?[-=+a-z]{0,30}", now_s in any::<i64>()) {
            if let Ok(address) = Address::new(&local, ours()) {
                prop_assert_eq!(key().back(&address, now_s), None);
            }
        }
    }
}
