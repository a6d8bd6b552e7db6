//! A signed document that holds what it signs: SignedData of CMS (RFC 5652 5), under the key of a certificate of the site.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::digest;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;

use super::der::{issuer_and_serial, object, sequence, set, value};
use crate::site::Certificate;

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const SIGNING_TIME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05];
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA_384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const ECDSA_SHA_256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA_384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const NULL: &[u8] = &[0x05, 0x00];
const VERSION_1: &[u8] = &[0x02, 0x01, 0x01];
/// `[0]`, constructed.
const FIRST: u8 = 0xa0;
const SET: u8 = 0x31;
const OCTETS: u8 = 0x04;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Why nothing was signed.
#[derive(Debug, PartialEq, Eq)]
pub enum NoSignature {
    /// The certificate cannot be read.
    Certificate,
    /// Its key signs in no way that is known here.
    Key,
}

impl fmt::Display for NoSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoSignature::Certificate => "the certificate cannot be read",
            NoSignature::Key => "the key of the certificate signs in no way that is known here",
        })
    }
}

/// How a key signs: scheme, identifier of the digest and of the signature with its parameters.
struct Way {
    scheme: SignatureScheme,
    digest: &'static digest::Algorithm,
    digest_id: &'static [u8],
    signature_id: Vec<u8>,
}

/// The ways tried, in this order. Ed25519 (RFC 8419) is not among them: what verifies profiles mostly cannot read it.
fn ways() -> [Way; 3] {
    let way = |scheme, digest, digest_id, signature_id| Way { scheme, digest, digest_id, signature_id };
    [
        way(SignatureScheme::RSA_PKCS1_SHA256, &digest::SHA256, SHA_256, sequence(&[&object(RSA), NULL])),
        way(SignatureScheme::ECDSA_NISTP256_SHA256, &digest::SHA256, SHA_256, sequence(&[&object(ECDSA_SHA_256)])),
        way(SignatureScheme::ECDSA_NISTP384_SHA384, &digest::SHA384, SHA_384, sequence(&[&object(ECDSA_SHA_384)])),
    ]
}

/// `content` with its signature and the chain that lets others verify it. `at_s`: the time of signing, Unix seconds.
pub fn signed(content: &[u8], by: &Certificate, at_s: i64) -> Result<Vec<u8>, NoSignature> {
    let end = by.chain.first().ok_or(NoSignature::Certificate)?;
    let signer = issuer_and_serial(end).ok_or(NoSignature::Certificate)?;
    let key = any_supported_type(&by.key).map_err(|_| NoSignature::Key)?;
    let (way, with) = ways()
        .into_iter()
        .find_map(|way| key.choose_scheme(&[way.scheme]).map(|with| (way, with)))
        .ok_or(NoSignature::Key)?;
    let digest_id = sequence(&[&object(way.digest_id)]);
    let attribute = |name: &[u8], held: Vec<u8>| sequence(&[&object(name), &value(SET, &held)]);
    let attributes = vec![
        attribute(CONTENT_TYPE, object(DATA)),
        attribute(MESSAGE_DIGEST, value(OCTETS, digest::digest(way.digest, content).as_ref())),
        attribute(SIGNING_TIME, time(at_s)),
    ];
    // What is signed has the tag of a set (RFC 5652 5.4).
    let signature = with.sign(&set(SET, attributes.clone())).map_err(|_| NoSignature::Key)?;
    let info = sequence(&[
        VERSION_1,
        &signer,
        &digest_id,
        &set(FIRST, attributes),
        &way.signature_id,
        &value(OCTETS, &signature),
    ]);
    let chain = by.chain.iter().map(|certificate| certificate.to_vec()).collect();
    let document = sequence(&[
        VERSION_1,
        &value(SET, &digest_id),
        &sequence(&[&object(DATA), &value(FIRST, &value(OCTETS, content))]),
        &set(FIRST, chain),
        &value(SET, &info),
    ]);
    Ok(sequence(&[&object(SIGNED_DATA), &value(FIRST, &document)]))
}

/// Two digits of the year until 2049, four from then on (RFC 5652 11.3).
fn time(at_s: i64) -> Vec<u8> {
    let at = Timestamp::from_second(at_s).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC);
    let text = at.strftime("%Y%m%d%H%M%SZ").to_string();
    match text.get(2..) {
        Some(short) if (1950..2050).contains(&at.year()) => value(UTC_TIME, short.as_bytes()),
        _ => value(GENERALIZED_TIME, text.as_bytes()),
    }
}
