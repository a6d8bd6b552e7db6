//! The PROXY protocol, version 2: what a proxy tells in front of a connection of the client behind it (HAProxy's
//! proxy-protocol.txt, 2.2). Whom to believe is not decided here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a header begins with: no client of a protocol of mail begins so.
pub const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family and transport, length.
const FIXED_OCTETS: usize = 16;
/// Longest header in octets: addresses and what a proxy may tell of its TLS. The length could say 64 KiB.
pub const HEADER_OCTETS_MAX: usize = 1_024;

/// What stands at the head of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// A whole header of `octets` octets. `source`: the client's address; `None` when the proxy speaks for itself (LOCAL)
    /// or of a family we do not know.
    Whole { source: Option<IpAddr>, octets: usize },
    /// It may become one.
    Incomplete,
    /// It is none.
    Absent,
    /// It begins as one and cannot be one.
    Bad,
}

/// Looks at the first octets of a connection. TLVs behind the addresses are skipped.
pub fn header(octets: &[u8]) -> Header {
    let known = octets.len().min(SIGNATURE.len());
    if octets[..known] != SIGNATURE[..known] {
        return Header::Absent;
    }
    let Some((fixed, rest)) = octets.split_at_checked(FIXED_OCTETS) else { return Header::Incomplete };
    let length = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    let whole = FIXED_OCTETS + length;
    // 2.2: version 2; command 0 is LOCAL, 1 is PROXY, another must be refused.
    if fixed[12] >> 4 != 2 || fixed[12] & 15 > 1 || whole > HEADER_OCTETS_MAX {
        return Header::Bad;
    }
    let Some(block) = rest.get(..length) else { return Header::Incomplete };
    let told = fixed[12] & 15 == 1;
    let source = match fixed[13] {
        // TCP over IPv4, TCP over IPv6: source, destination, two ports.
        0x11 | 0x21 if !told => None,
        0x11 => match block {
            [a, b, c, d, _, _, _, _, _, _, _, _, ..] => Some(IpAddr::V4(Ipv4Addr::new(*a, *b, *c, *d))),
            _ => return Header::Bad,
        },
        0x21 => match block.split_at_checked(36).and_then(|(addresses, _)| addresses.first_chunk::<16>()) {
            Some(source) => Some(IpAddr::V6(Ipv6Addr::from(*source)).to_canonical()),
            None => return Header::Bad,
        },
        _ => None,
    };
    Header::Whole { source, octets: whole }
}

/// The law of this parser: a whole header is no longer than what was given or than its bound, what follows changes nothing,
/// and what is cut short may become one.
pub fn fuzz(octets: &[u8]) {
    let framed = [SIGNATURE.as_slice(), octets].concat();
    for input in [octets, &framed] {
        let found = header(input);
        if let Header::Whole { octets, source } = found {
            assert!(octets <= input.len() && octets <= HEADER_OCTETS_MAX, "{found:?}");
            assert_eq!(header(&input[..octets]), found, "what follows changes nothing");
            assert!(source.is_none_or(|source| source == source.to_canonical()), "{found:?}");
            for cut in [1, SIGNATURE.len(), FIXED_OCTETS, octets - 1].into_iter().filter(|cut| *cut < octets) {
                assert_eq!(header(&input[..cut]), Header::Incomplete, "{cut} octets");
            }
        }
    }
    check_address(octets);
}

/// An address that is told in the form of 2.2 is read as it is.
fn check_address(octets: &[u8]) {
    let header_of = |family: u8, addresses: &[u8], behind: &[u8]| {
        let length = u16::try_from(addresses.len() + behind.len()).unwrap_or(u16::MAX).to_be_bytes();
        [SIGNATURE.as_slice(), &[0x21, family], &length, addresses, behind].concat()
    };
    let told = |address: IpAddr, wire: Vec<u8>| {
        let whole = Header::Whole { source: Some(address.to_canonical()), octets: wire.len() };
        let expected = if wire.len() > HEADER_OCTETS_MAX { Header::Bad } else { whole };
        assert_eq!(header(&wire), expected);
    };
    if let Some((addresses, behind)) = octets.split_first_chunk::<12>() {
        let [a, b, c, d, ..] = *addresses;
        told(Ipv4Addr::new(a, b, c, d).into(), header_of(0x11, addresses, behind));
    }
    if let (Some(source), Some((addresses, behind))) = (octets.first_chunk::<16>(), octets.split_first_chunk::<36>()) {
        told(Ipv6Addr::from(*source).into(), header_of(0x21, addresses, behind));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wire(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
        let length = u16::try_from(block.len()).unwrap().to_be_bytes();
        [SIGNATURE.as_slice(), &[command, family], &length, block].concat()
    }

    const V4: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 0x82, 0x35, 0, 25];

    fn v6() -> Vec<u8> {
        let source: Ipv6Addr = "2001:db8::7".parse().unwrap();
        [source.octets().as_slice(), &[0; 16], &[0, 1, 0, 25]].concat()
    }

    #[test]
    fn addresses_are_read_and_what_stands_behind_them_is_skipped() {
        let with_tlv = [V4.as_slice(), &[0x04, 0, 1, 0]].concat();
        let cases = [
            (wire(0x21, 0x11, &V4), Some("192.0.2.7")),
            (wire(0x21, 0x11, &with_tlv), Some("192.0.2.7")),
            (wire(0x21, 0x21, &v6()), Some("2001:db8::7")),
            (wire(0x20, 0x11, &V4), None),
            (wire(0x20, 0x00, &[]), None),
            (wire(0x21, 0x31, &[0; 216]), None),
        ];
        for (octets, source) in cases {
            let source = source.map(|it| it.parse().unwrap());
            let whole = Header::Whole { source, octets: octets.len() };
            assert_eq!(header(&octets), whole);
            assert_eq!(header(&[&octets, b"EHLO c\r\n".as_slice()].concat()), whole);
            for cut in 0..octets.len() {
                assert_eq!(header(&octets[..cut]), Header::Incomplete, "{cut} of {octets:?}");
            }
        }
    }

    #[test]
    fn what_is_no_header_is_refused_or_left_alone() {
        assert_eq!(header(b"EHLO c\r\n"), Header::Absent);
        assert_eq!(header(b"\r\n\r\nNOOP"), Header::Absent);
        assert_eq!(header(b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n"), Header::Absent);
        assert_eq!(header(&wire(0x11, 0x11, &V4)), Header::Bad, "version 1 has another form");
        assert_eq!(header(&wire(0x22, 0x11, &V4)), Header::Bad, "no such command");
        assert_eq!(header(&wire(0x21, 0x11, &V4[..11])), Header::Bad, "too short for its family");
        assert_eq!(header(&wire(0x21, 0x21, &V4)), Header::Bad);
        assert_eq!(header(&wire(0x21, 0x11, &[0; HEADER_OCTETS_MAX])), Header::Bad, "too long");
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            fuzz(&octets);
        }
    }
}
