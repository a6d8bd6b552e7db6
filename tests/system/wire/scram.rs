//! A client of SCRAM-SHA-256 (RFC 5802), small and by itself.

use std::io;
use std::num::NonZeroU32;

use ring::{digest, hmac, pbkdf2};
use tests::Smtp;
use tests::smtp::{Reply, base64};

const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";

/// The first message was answered.
struct Begun {
    /// `client-first-message-bare`.
    bare: String,
    server_first: String,
}

fn begin(smtp: &mut Smtp, mechanism: &str, header: &str, login: &str) -> io::Result<Begun> {
    let bare = format!("n={login},r={NONCE}");
    let reply = smtp.command(&format!("AUTH {mechanism} {}", base64(format!("{header}{bare}").as_bytes())))?;
    Ok(Begun { bare, server_first: text(&reply.expect(334)?)? })
}

fn text(reply: &Reply) -> io::Result<String> {
    String::from_utf8(decoded(&reply.text())).map_err(io::Error::other)
}

/// The salt a login has, in base64.
pub fn salt(smtp: &mut Smtp, login: &str) -> io::Result<String> {
    Ok(field(&begin(smtp, "SCRAM-SHA-256", "n,,", login)?.server_first, "s="))
}

/// Logs in, bound to a channel by `tls-exporter` when that is given; the last reply. The server must prove that it knows the
/// password as well.
pub fn log_in(smtp: &mut Smtp, login: &str, password: &str, exported: Option<&[u8]>) -> io::Result<Reply> {
    let (mechanism, header) = match exported {
        Some(_) => ("SCRAM-SHA-256-PLUS", "p=tls-exporter,,"),
        None => ("SCRAM-SHA-256", "n,,"),
    };
    let Begun { bare, server_first } = begin(smtp, mechanism, header, login)?;
    let channel = [header.as_bytes(), exported.unwrap_or_default()].concat();
    let nonce = field(&server_first, "r=");
    assert!(nonce.len() > NONCE.len() && nonce.starts_with(NONCE), "{server_first}");
    let without = format!("c={},r={nonce}", base64(&channel));
    let auth_message = format!("{bare},{server_first},{without}");
    let passes: NonZeroU32 = field(&server_first, "i=").parse().map_err(io::Error::other)?;
    let mut salted = [0; 32];
    let salt = decoded(&field(&server_first, "s="));
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, passes, &salt, password.as_bytes(), &mut salted);
    let client = mac(&salted, "Client Key");
    let signature = mac(digest::digest(&digest::SHA256, &client).as_ref(), &auth_message);
    let proof: Vec<u8> = client.iter().zip(signature).map(|(a, b)| a ^ b).collect();
    let reply = smtp.command(&base64(format!("{without},p={}", base64(&proof)).as_bytes()))?;
    if reply.code != 334 {
        return Ok(reply);
    }
    let expected = format!("v={}", base64(&mac(&mac(&salted, "Server Key"), &auth_message)));
    assert_eq!(text(&reply)?, expected, "the server knows it");
    smtp.command("")
}

fn mac(key: &[u8], message: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes()).as_ref().to_vec()
}

fn field(message: &str, name: &str) -> String {
    message.split(',').find_map(|field| field.strip_prefix(name)).unwrap_or_default().to_owned()
}

/// RFC 4648 4.
pub fn decoded(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut octets) = (0_u32, 0, Vec::new());
    for digit in text.bytes().filter_map(|octet| ALPHABET.iter().position(|it| *it == octet)) {
        bits = bits << 6 | digit as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
        }
    }
    octets
}
