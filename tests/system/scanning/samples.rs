//! The EICAR test file the ways mail carries it. None of them has it in one piece in this source.

use tests::smtp::base64;

use crate::mail::EICAR;

/// A message with it, by the name of the way.
pub struct Sample {
    pub name: &'static str,
    /// CR LF line ends.
    pub message: String,
}

pub fn eicar() -> Vec<u8> {
    EICAR.concat().into_bytes()
}

/// All ways, as `from` sends them.
pub fn all(from: &str, to: &str) -> Vec<Sample> {
    let zip = zipped("eicar.com", &eicar());
    let nested = zipped("inner.zip", &zip);
    let attached = |octets: &[u8], parameters: &str| {
        let coded = base64(octets);
        let lines: Vec<&str> = coded.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!(
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
             See this.\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment;{parameters}\r\n\r\n{}\r\n--b--\r\n",
            lines.join("\r\n")
        )
    };
    let quoted: String = eicar().iter().map(|octet| format!("={octet:02X}")).collect();
    let quoted: Vec<&str> = quoted.as_bytes().chunks(72).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let rests = [
        ("plain", format!("\r\n{}\r\n", EICAR.concat())),
        ("base64", attached(&eicar(), " filename=eicar.com")),
        ("zip", attached(&zip, " filename=eicar.zip")),
        ("nested zip", attached(&nested, " filename=outer.zip")),
        // RFC 2231 3: the name comes in pieces.
        ("split name", attached(&zip, "\r\n filename*0=\"ei\";\r\n filename*1=\"car.z\";\r\n filename*2=\"ip\"")),
        (
            "quoted-printable",
            format!(
                "MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=eicar.com\r\n\
                 Content-Transfer-Encoding: quoted-printable\r\n\r\n{}\r\n",
                quoted.join("=\r\n")
            ),
        ),
    ];
    let sample = |(name, rest): (&'static str, String)| {
        // The first field is none that mail usually begins with.
        let head = format!("X-First: x\r\nFrom: <{from}>\r\nTo: <{to}>\r\nSubject: {name}\r\n");
        Sample { name, message: format!("{head}{rest}") }
    };
    rests.into_iter().map(sample).collect()
}

/// A zip archive of one file, stored as it is (APPNOTE 4.3).
fn zipped(name: &str, content: &[u8]) -> Vec<u8> {
    let length = |length: usize| (length as u32).to_le_bytes();
    let mut entry = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
    entry.extend(crc32(content).to_le_bytes());
    entry.extend(length(content.len()));
    entry.extend(length(content.len()));
    entry.extend((name.len() as u16).to_le_bytes());
    entry.extend([0, 0]);
    let local = [b"PK\x03\x04", &entry[..], name.as_bytes(), content].concat();
    let central = [b"PK\x01\x02\x14\x00", &entry[..], &[0; 14], name.as_bytes()].concat();
    let mut end = vec![0, 0, 0, 0, 1, 0, 1, 0];
    end.extend(length(central.len()));
    end.extend(length(local.len()));
    end.extend([0, 0]);
    [&local[..], &central, b"PK\x05\x06", &end].concat()
}

/// The CRC of zip (ISO 3309).
fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(!0_u32, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn the_crc_is_that_of_zip() {
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
}
