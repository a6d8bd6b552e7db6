//! As much of DER (X.690) as a signature needs: values are written, and two fields of a certificate are found.

const SEQUENCE: u8 = 0x30;

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
    Some(sequence(&[issuer.whole, serial.whole]))
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
