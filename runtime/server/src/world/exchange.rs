//! Which hosts take mail for a domain, in which order (RFC 5321 5.1), and at which addresses. Pure: what DNS said and
//! numbers drawn by chance come in.

use std::net::IpAddr;

/// Hosts that are tried for one domain.
pub const HOSTS_MAX: usize = 16;
/// Addresses that are tried for one message and domain.
pub const ADDRESSES_MAX: usize = 32;

/// Why MX records lead nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// RFC 7505: the domain takes no mail.
    NullMx,
    /// The best of them are we ourselves, and the domain is not ours: mail would come back to us.
    Loop,
    /// Records without one usable name.
    Unusable,
}

/// The hosts of `records`, best first, equals in an order of chance. `draw(n)` gives a number below `n`. Hosts for which
/// `ours` holds are cut off with all that are no better: mail only ever moves towards the best.
pub fn hosts(
    records: &[(u16, String)],
    ours: impl Fn(&str) -> bool,
    mut draw: impl FnMut(usize) -> usize,
) -> Result<Vec<String>, NoRoute> {
    if let [(_, only)] = records
        && only.is_empty()
    {
        return Err(NoRoute::NullMx);
    }
    let mut sorted: Vec<(u16, String)> = records.iter().filter(|(_, host)| is_host(host)).cloned().collect();
    shuffle(&mut sorted, &mut draw);
    sorted.sort_by_key(|(preference, _)| *preference);
    let mut seen = std::collections::BTreeSet::new();
    sorted.retain(|(_, host)| seen.insert(host.clone()));
    if sorted.is_empty() {
        return Err(NoRoute::Unusable);
    }
    if let Some(own) = sorted.iter().filter(|(_, host)| ours(host)).map(|(preference, _)| *preference).min() {
        sorted.retain(|(preference, _)| *preference < own);
        if sorted.is_empty() {
            return Err(NoRoute::Loop);
        }
    }
    sorted.truncate(HOSTS_MAX);
    Ok(sorted.into_iter().map(|(_, host)| host).collect())
}

/// The addresses of one host: families by turns, IPv6 first (RFC 8305 4), equals in an order of chance.
pub fn addresses(mut v6: Vec<IpAddr>, mut v4: Vec<IpAddr>, mut draw: impl FnMut(usize) -> usize) -> Vec<IpAddr> {
    shuffle(&mut v6, &mut draw);
    shuffle(&mut v4, &mut draw);
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut all = Vec::new();
    loop {
        let pair = [v6.next(), v4.next()];
        if pair == [None, None] {
            all.truncate(ADDRESSES_MAX);
            return all;
        }
        all.extend(pair.into_iter().flatten());
    }
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], draw: &mut impl FnMut(usize) -> usize) {
    for last in (1..items.len()).rev() {
        items.swap(last, draw(last + 1).min(last));
    }
}

/// Could this be connected to? Addresses in MX records are an error some make (RFC 5321 5.1 wants names).
fn is_host(host: &str) -> bool {
    host.parse::<mail::Domain>().is_ok_and(|domain| !domain.is_literal()) && host.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<(u16, String)> {
        let record = |word: &str| {
            let (preference, host) = word.split_once(' ').unwrap();
            (preference.parse().unwrap(), host.to_owned())
        };
        text.split(", ").map(record).collect()
    }

    #[test]
    fn hosts_come_by_preference_and_never_lead_back_to_us() {
        let cases = [
            ("20 b.example, 10 a.example", Ok("a.example b.example")),
            ("10 a.example, 10 a.example", Ok("a.example")),
            ("0 ", Err(NoRoute::NullMx)),
            ("0 , 10 a.example", Ok("a.example")),
            ("10 192.0.2.1", Err(NoRoute::Unusable)),
            ("10 a.example, 20 us.example, 20 c.example, 30 d.example", Ok("a.example")),
            ("10 us.example, 20 b.example", Err(NoRoute::Loop)),
            ("10 us.example, 10 b.example", Err(NoRoute::Loop)),
        ];
        for (text, expected) in cases {
            let found = hosts(&records(text), |host| host == "us.example", |_| 0);
            assert_eq!(found.map(|hosts| hosts.join(" ")), expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn equals_come_in_every_order() {
        let mut first = std::collections::BTreeSet::new();
        for chance in 0..24_usize {
            let mut number = chance;
            let draw = |below: usize| {
                let drawn = number % below;
                number /= below;
                drawn
            };
            let found = hosts(&records("5 a.example, 5 b.example, 5 c.example, 9 d.example"), |_| false, draw).unwrap();
            assert_eq!(found[3], "d.example");
            first.insert(found[..3].join(" "));
        }
        assert_eq!(first.len(), 6);
    }

    #[test]
    fn a_hostile_domain_is_bounded() {
        let many: Vec<(u16, String)> = (0..1_000).map(|n| (n, format!("mx{n}.example"))).collect();
        assert_eq!(hosts(&many, |_| false, |_| 0).unwrap().len(), HOSTS_MAX);
        let v4: Vec<IpAddr> = (0..=255).map(|n| IpAddr::from([192, 0, 2, n])).collect();
        assert_eq!(addresses(Vec::new(), v4, |_| 0).len(), ADDRESSES_MAX);
    }

    #[test]
    fn families_take_turns() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let v6 = vec![ip("2001:db8::1"), ip("2001:db8::2")];
        let found = addresses(v6, vec![ip("192.0.2.1")], |below| below - 1);
        assert_eq!(found, [ip("2001:db8::1"), ip("192.0.2.1"), ip("2001:db8::2")]);
    }
}
