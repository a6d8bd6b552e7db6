//! A signed message under the tag, as dkimpy sees it.

use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use tests::smtp::base64;

use super::*;

#[test]
fn the_body_under_the_tag_has_the_hash_its_signature_says_and_without_the_tag_it_verifies() -> Outcome {
    const TEST: &str = "the_body_under_the_tag_has_the_hash_its_signature_says";
    let Some(python) = crate::signing::python_with_dkim(TEST) else { return Ok(()) };
    let server = Facteur::start("nantes");
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key can be made");
    let record = format!("v=DKIM1; k=ed25519; p={}", base64(pair.public_key_raw()));
    let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(&pair.serialize_der()).expect("the key is one of Ed25519");
    let signer = DkimSigner::from_key(key).domain("client.example").selector("s").headers(["From", "To", "Subject"]);
    let letter = message("Subject: =?utf-8?q?=C3=89t=C3=A9?=\r\n", &format!("{}  \r\n\r\n a\tb \r\n\r\n", gtube()));
    let sent = signer.sign(letter.as_bytes()).expect("a message can be signed").to_header() + &letter;
    send(&server, &[JEAN], &sent)?;
    let stored = Reader::of(&server, "toto-j")?.newest()?;
    let scratch = Scratch::new("signed");
    std::fs::write(scratch.join("stored"), &stored)?;
    std::fs::write(scratch.join("came"), tag::as_it_came(&stored).expect("it has our Received").concat())?;
    let script = program::top().join("tests/clients/dkim_tagged.py");
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(script).arg(&record);
    program::run(command.arg(scratch.join("stored")).arg(scratch.join("came"))).ends(0);
    Ok(())
}
