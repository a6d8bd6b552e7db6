//! What both ends of a TLS connection know of it, for SCRAM's channel binding.

use proto::sasl::Bindings;
use ring::digest;
use rustls::ProtocolVersion;

use crate::stream::Stream;

/// RFC 9266 4.2 and 2: the label and how many octets.
const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";
const EXPORTER_OCTETS: usize = 32;

/// Of a connection whose listener shows the certificate with this hash. Empty without TLS. `tls-exporter` is of TLS 1.3 only:
/// older versions need an extension both sides must have agreed on.
pub fn of(stream: &Stream, end_point: Option<&[u8]>) -> Bindings {
    let Stream::Tls(stream) = stream else { return Bindings::default() };
    let (_, tls) = stream.get_ref();
    let exporter = (tls.protocol_version() == Some(ProtocolVersion::TLSv1_3))
        .then(|| tls.export_keying_material([0; EXPORTER_OCTETS], EXPORTER_LABEL, Some(b"")).ok())
        .flatten();
    Bindings { exporter: exporter.map(|octets| octets.to_vec()), end_point: end_point.map(<[u8]>::to_vec) }
}

/// RFC 5929 4.1: the hash of a certificate, by the hash of its signature; SHA-256 for weaker ones. `None` where that
/// signature has no single hash, as Ed25519.
pub fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match signature_algorithm(certificate)? {
        // md5, sha1, sha256 with RSA; ECDSA with SHA-1, SHA-256 (RFC 8017, RFC 5758).
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04 | 0x05 | 0x0b] => &digest::SHA256,
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01] | [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02] => {
            &digest::SHA256
        }
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c] => &digest::SHA384,
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03] => &digest::SHA384,
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d] => &digest::SHA512,
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04] => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(algorithm, certificate).as_ref().to_vec())
}

/// The object identifier in `Certificate.signatureAlgorithm` (RFC 5280 4.1).
fn signature_algorithm(certificate: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = element(certificate, 0x30)?;
    let (_, after_tbs) = element(certificate, 0x30)?;
    let (algorithm, _) = element(after_tbs, 0x30)?;
    element(algorithm, 0x06).map(|(oid, _)| oid)
}

/// The content of the DER element at the head, and what follows it.
fn element(octets: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = octets.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    if first < 0x80 {
        return rest.split_at_checked(usize::from(first));
    }
    let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f)).filter(|(length, _)| length.len() <= 4)?;
    let length = length.iter().fold(0_usize, |length, octet| length << 8 | usize::from(*octet));
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(oid: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, inner: &[u8]| [&[tag, 0x81, u8::try_from(inner.len()).unwrap()], inner].concat();
        let algorithm = wrap(0x30, &wrap(0x06, oid));
        wrap(0x30, &[wrap(0x30, b"tbs"), algorithm, wrap(0x03, b"signature")].concat())
    }

    #[test]
    fn the_hash_is_that_of_the_signature_and_at_least_sha_256() {
        let octets = |oid: &[u8]| end_point(&certificate(oid)).map(|hash| hash.len());
        assert_eq!(octets(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]), Some(32));
        assert_eq!(
            octets(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05]),
            Some(32),
            "SHA-1 counts as SHA-256"
        );
        assert_eq!(octets(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c]), Some(48));
        assert_eq!(octets(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04]), Some(64));
        assert_eq!(octets(&[0x2b, 0x65, 0x70]), None, "Ed25519");
    }

    #[test]
    fn octets_that_are_no_certificate_have_none() {
        let whole = certificate(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]);
        for cut in 0..whole.len() {
            assert_eq!(end_point(&whole[..cut]), None, "{cut}");
        }
        assert_eq!(end_point(&[0x30, 0xff, 1, 2]), None);
    }
}
