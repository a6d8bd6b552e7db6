//! The record of one body in a segment: header, envelope, body, padding to 8 octets. Numbers are little-endian.
//!
//! | octets | what |
//! |---|---|
//! | 0–3 | magic `FcR1` |
//! | 4 | version, 1 |
//! | 5 | codec: 0 void, 1 plain |
//! | 6–7 | 0 |
//! | 8–23 | delivery id |
//! | 24–27, 28–31 | octets of the envelope, of the body |
//! | 32–35, 36–39 | CRC32C of the envelope, of the body |
//! | 40–43 | 0 |
//! | 44–47 | CRC32C of octets 0–43 |
//!
//! The envelope is a row of tag (1 octet), length (2 octets), value: 1 reverse-path, 2 forward-path, 3 seconds of acceptance.

use mail::ReversePath;

use super::RecordEnvelope;
use crate::id::DeliveryId;

pub(crate) const HEADER_BYTES: usize = 48;
const MAGIC: &[u8; 4] = b"FcR1";
const VERSION: u8 = 1;
const TAG_REVERSE_PATH: u8 = 1;
const TAG_FORWARD_PATH: u8 = 2;
const TAG_ACCEPTED: u8 = 3;
/// Envelopes name at most this many recipients; the rows name all.
const RECIPIENTS_MAX: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// A reservation nobody committed.
    Void,
    Plain,
}

/// The fixed part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) codec: Codec,
    pub(crate) delivery: DeliveryId,
    pub(crate) envelope_len: u32,
    pub(crate) body_len: u32,
    pub(crate) envelope_crc: u32,
    pub(crate) body_crc: u32,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[0..4].copy_from_slice(MAGIC);
        out[4] = VERSION;
        out[5] = match self.codec {
            Codec::Void => 0,
            Codec::Plain => 1,
        };
        out[8..24].copy_from_slice(&self.delivery);
        out[24..28].copy_from_slice(&self.envelope_len.to_le_bytes());
        out[28..32].copy_from_slice(&self.body_len.to_le_bytes());
        out[32..36].copy_from_slice(&self.envelope_crc.to_le_bytes());
        out[36..40].copy_from_slice(&self.body_crc.to_le_bytes());
        let crc = crc32c::crc32c(&out[..44]);
        out[44..48].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// `None` unless the octets are a header of this version with a right checksum.
    pub(crate) fn decode(bytes: &[u8; HEADER_BYTES]) -> Option<Header> {
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if &bytes[0..4] != MAGIC || bytes[4] != VERSION || number(44) != crc32c::crc32c(&bytes[..44]) {
            return None;
        }
        let codec = match bytes[5] {
            0 => Codec::Void,
            1 => Codec::Plain,
            _ => return None,
        };
        let mut delivery = [0; 16];
        delivery.copy_from_slice(&bytes[8..24]);
        Some(Header {
            codec,
            delivery,
            envelope_len: number(24),
            body_len: number(28),
            envelope_crc: number(32),
            body_crc: number(36),
        })
    }
}

/// Octets of a record with its padding.
pub(crate) fn record_bytes(envelope_len: usize, body_len: u64) -> u64 {
    (HEADER_BYTES as u64 + envelope_len as u64 + body_len).next_multiple_of(8)
}

/// The envelope as it stands in front of a body.
pub(crate) fn encode_envelope(envelope: &RecordEnvelope) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    let mut field = |tag: u8, value: &[u8]| {
        let Ok(len) = u16::try_from(value.len()) else { return };
        out.push(tag);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(value);
    };
    match &envelope.reverse_path {
        None => {}
        Some(ReversePath::Null) => field(TAG_REVERSE_PATH, b""),
        Some(ReversePath::Address(address)) => field(TAG_REVERSE_PATH, address.to_string().as_bytes()),
    }
    for recipient in envelope.recipients.iter().take(RECIPIENTS_MAX) {
        field(TAG_FORWARD_PATH, recipient.to_string().as_bytes());
    }
    if envelope.accepted_at_s != 0 {
        field(TAG_ACCEPTED, &envelope.accepted_at_s.to_le_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            codec: Codec::Plain,
            delivery: *b"0123456789abcdef",
            envelope_len: 7,
            body_len: 1 << 20,
            envelope_crc: 3,
            body_crc: u32::MAX,
        }
    }

    #[test]
    fn a_header_reads_back_and_any_flipped_bit_is_seen() {
        let bytes = header().encode();
        assert_eq!(Header::decode(&bytes), Some(header()));
        for bit in 0..HEADER_BYTES * 8 {
            let mut bad = bytes;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bad), None, "bit {bit}");
        }
    }

    #[test]
    fn records_are_padded_to_eight_octets() {
        assert_eq!(record_bytes(0, 0), 48);
        assert_eq!(record_bytes(1, 0), 56);
        assert_eq!(record_bytes(3, 5), 56);
    }
}
