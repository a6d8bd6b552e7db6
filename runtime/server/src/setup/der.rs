//! As much of DER (X.690) as a signature needs: values are written, and some fields of a certificate are found.

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// A value: tag, length, content.
pub fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut octets = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => octets.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let digits: Vec<u8> = length.iter().copied().skip_while(|octet| *octet == 0).collect();
            // A length has at most eight octets.
            octets.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
            octets.extend(digits);
        }
    }
    octets.extend_from_slice(content);
    octets
}

pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(SEQUENCE, &parts.concat())
}

/// A set in the order DER asks for (X.690 11.6).
pub fn set(tag: u8, mut members: Vec<Vec<u8>>) -> Vec<u8> {
    members.sort();
    value(tag, &members.concat())
}

/// An object identifier from its content octets.
pub fn object(content: &[u8]) -> Vec<u8> {
    value(0x06, content)
}

/// A value that was read.
pub struct Read<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    /// With tag and length.
    pub whole: &'a [u8],
    pub rest: &'a [u8],
}

/// The first value of `octets`; `None` for what is none.
pub fn read(octets: &[u8]) -> Option<Read<'_>> {
    let (&tag, after) = octets.split_first()?;
    let (&first, mut after) = after.split_first()?;
    let length = match first {
        short if short < 0x80 => usize::from(short),
        // More than four octets would be a certificate of gigabytes.
        long => {
            let count = usize::from(long & 0x7f);
            if !(1..=4).contains(&count) {
                return None;
            }
            let digits = after.get(..count)?;
            after = after.get(count..)?;
            digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit))
        }
    };
    let content = after.get(..length)?;
    let rest = after.get(length..)?;
    Some(Read { tag, content, whole: octets.get(..octets.len() - rest.len())?, rest })
}

/// Issuer and serial number of a certificate (RFC 5280 4.1), each as it stands there.
pub fn issuer_and_serial(certificate: &[u8]) -> Option<Vec<u8>> {
    let (serial, issuer) = serial_and_issuer(certificate)?;
    Some(sequence(&[issuer.whole, serial.whole]))
}

/// From when until when a certificate holds (RFC 5280 4.1.2.5), Unix seconds.
pub fn validity(certificate: &[u8]) -> Option<(i64, i64)> {
    let (_, issuer) = serial_and_issuer(certificate)?;
    let validity = read(issuer.rest).filter(|validity| validity.tag == SEQUENCE)?;
    let from = read(validity.content)?;
    let until = read(from.rest)?;
    Some((time(&from)?, time(&until)?))
}

/// Does a certificate name itself as who issued it?
pub fn is_self_signed(certificate: &[u8]) -> bool {
    let names = || {
        let (_, issuer) = serial_and_issuer(certificate)?;
        let subject = read(read(issuer.rest)?.rest)?;
        Some(subject.whole == issuer.whole)
    };
    names().unwrap_or(false)
}

fn serial_and_issuer(certificate: &[u8]) -> Option<(Read<'_>, Read<'_>)> {
    let outer = read(certificate).filter(|outer| outer.tag == SEQUENCE)?;
    let inner = read(outer.content).filter(|inner| inner.tag == SEQUENCE)?;
    let mut next = read(inner.content)?;
    // The version is left out by the first one.
    if next.tag == 0xa0 {
        next = read(next.rest)?;
    }
    let serial = Some(next).filter(|serial| serial.tag == 0x02)?;
    let algorithm = read(serial.rest)?;
    let issuer = read(algorithm.rest).filter(|issuer| issuer.tag == SEQUENCE)?;
    Some((serial, issuer))
}

/// Two digits of the year mean 1950 to 2049.
fn time(value: &Read<'_>) -> Option<i64> {
    let text = std::str::from_utf8(value.content).ok()?;
    let text = match value.tag {
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let at = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", &text).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_the_fewest_octets() {
        for (length, head) in [
            (0, &[0x04, 0][..]),
            (127, &[0x04, 0x7f]),
            (128, &[0x04, 0x81, 0x80]),
            (256, &[0x04, 0x82, 1, 0]),
            (65_536, &[0x04, 0x83, 1, 0, 0]),
        ] {
            let octets = value(0x04, &vec![7; length]);
            assert_eq!(octets[..head.len()], *head, "{length}");
            let read = read(&octets).expect("what was written is read");
            assert_eq!((read.tag, read.content.len(), read.rest.len()), (0x04, length, 0));
        }
    }

    fn certificate(issuer: &[u8], subject: &[u8], until: &[u8]) -> Vec<u8> {
        let name = |text: &[u8]| sequence(&[&value(0x0c, text)]);
        let between = sequence(&[&value(0x17, b"260101000000Z"), until]);
        let (version, serial) = (value(0xa0, &value(0x02, &[2])), value(0x02, &[7]));
        let parts = [&version[..], &serial, &sequence(&[]), &name(issuer), &between, &name(subject)];
        sequence(&[&sequence(&parts), &sequence(&[])])
    }

    #[test]
    fn until_when_a_certificate_holds_is_read() {
        let read = |until: &[u8]| validity(&certificate(b"a", b"b", until)).map(|(_, until_s)| until_s);
        assert_eq!(read(&value(0x17, b"270228235959Z")), Some(1_803_859_199));
        assert_eq!(read(&value(0x18, b"20500101000000Z")), Some(2_524_608_000));
        assert_eq!(read(&value(0x17, b"700101000000Z")), Some(0));
        for bad in [&b"270230000000Z"[..], b"2702", b"270228235959", b"27022823595\xffZ", b"+70228235959Z"] {
            assert_eq!(read(&value(0x17, bad)), None, "{bad:?}");
        }
        let own = certificate(b"a", b"a", &value(0x17, b"270228235959Z"));
        assert!(is_self_signed(&own) && !is_self_signed(&certificate(b"a", b"b", &value(0x17, b"270228235959Z"))));
        assert!((0..own.len()).all(|end| validity(&own[..end]).is_none()));
    }

    #[test]
    fn what_is_cut_off_is_no_value() {
        let whole = sequence(&[&value(0x02, &[1]), &value(0x04, &[2; 200])]);
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_none(), "{end}");
            assert!(issuer_and_serial(&whole[..end]).is_none(), "{end}");
        }
        for octets in [&[0x30, 0x80][..], &[0x30, 0x85, 0, 0, 0, 0, 1, 7], &[0x30, 0xff]] {
            assert!(read(octets).is_none(), "{octets:?}");
        }
    }
}
