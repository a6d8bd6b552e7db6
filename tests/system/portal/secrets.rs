//! Secrets beside the password: app passwords, and the second factor.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tests::describe::Person;
use tests::{Browser, Imap, Outcome, wait};

use super::{person, serve};

/// The first text between two others.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

#[test]
fn an_app_password_is_shown_once_opens_mail_and_not_the_portal() -> Outcome {
    let server = serve();
    let alice = person(&server, 0);
    let mut browser = Browser::signed_in(&server, "inside", &alice);
    let page = browser.fill("/app-passwords", "/app-passwords", &[("name", "phone")])?;
    let secret = between(&page.body, "<code class=\"secret\">", "</code>").expect("it is shown").to_owned();
    let page = browser.get("/app-passwords")?;
    assert!(page.body.contains("phone") && page.body.contains("Never used.") && !page.body.contains(&secret));
    let with = Person { password: secret.clone(), ..alice.clone() };
    Imap::person(&server, "outside", &with)?;
    let refused = Browser::new(&server, "inside").sign_in(&alice.login, &secret)?;
    assert_eq!((refused.status, refused.field("location")), (422, ""));
    assert_eq!(
        browser.fill("/app-passwords", "/app-passwords", &[("name", "phone")])?.status,
        422,
        "a name is used once"
    );
    assert_eq!(browser.fill("/app-passwords", "/app-passwords/remove", &[("name", "phone")])?.status, 303);
    assert!(Imap::person(&server, "outside", &with).is_err(), "it opens nothing any more");
    Ok(())
}

/// RFC 4648 6.
fn base32(text: &str) -> Vec<u8> {
    let (mut octets, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(|letter| !letter.is_ascii_whitespace()) {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => continue,
        };
        bits = bits << 5 | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
        }
    }
    octets
}

fn step() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() / 30
}

/// RFC 6238 with the figures of RFC 4226.
fn code(secret: &str, step: u64) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &base32(secret));
    let tag = ring::hmac::sign(&key, &step.to_be_bytes());
    let octets = tag.as_ref();
    let at = usize::from(octets[19] & 15);
    let whole = octets[at..at + 4].iter().fold(0_u32, |sum, octet| sum << 8 | u32::from(*octet)) & 0x7fff_ffff;
    format!("{:06}", whole % 1_000_000)
}

#[test]
fn a_second_factor_is_set_up_asked_for_and_each_code_works_once() -> Outcome {
    let server = serve();
    let alice = person(&server, 0);
    let mut browser = Browser::signed_in(&server, "inside", &alice);
    let page = browser.fill("/second-factor", "/second-factor", &[])?;
    assert!(page.body.contains("<svg"), "a QR code");
    let secret = between(&page.body, "<code class=\"secret\">", "</code>").expect("the key").to_owned();
    let wrong = browser.send(&page, "/second-factor/confirm", &[("code", "000000")])?;
    assert_eq!(wrong.status, 422);
    let used = step();
    let page = browser.send(&page, "/second-factor/confirm", &[("code", &code(&secret, used))])?;
    let recovery = between(&page.body, "<ul class=\"codes\"><li><code>", "</code>").expect("recovery codes").to_owned();
    let mut other = Browser::new(&server, "outside");
    let page = other.sign_in(&alice.login, &alice.password)?;
    assert_eq!((page.status, page.field("location")), (303, "/sign-in/code?next=/"));
    let half = other.cookies.clone();
    assert_eq!(other.get("/")?.status, 303, "the password alone opens nothing");
    let page = other.fill("/sign-in/code", "/sign-in/code", &[("code", &code(&secret, used)), ("next", "/storage")])?;
    assert_eq!(page.status, 422, "that code was used");
    let fresh = wait::until(Duration::from_secs(60), "the next code", || Some(step()).filter(|now| *now > used));
    let page =
        other.fill("/sign-in/code", "/sign-in/code", &[("code", &code(&secret, fresh)), ("next", "/storage")])?;
    assert_eq!((page.status, page.field("location")), (303, "/storage"), "{}", page.body);
    assert_eq!(other.get("/storage")?.status, 200);
    assert_ne!(half, other.cookies, "a new secret after the code");
    let mut third = Browser::new(&server, "outside");
    third.sign_in(&alice.login, &alice.password)?;
    assert_eq!(third.fill("/sign-in/code", "/sign-in/code", &[("code", &recovery)])?.status, 303);
    assert!(third.get("/second-factor")?.body.contains("Recovery codes left: 9"));
    let mut guesser = Browser::new(&server, "outside");
    guesser.sign_in(&alice.login, &alice.password)?;
    let mut last = guesser.get("/sign-in/code")?;
    for at in 0..5 {
        last = guesser.send(&last, "/sign-in/code", &[("code", &format!("00000{at}"))])?;
    }
    assert!(last.body.contains("Too many wrong codes."), "{}", last.body);
    Ok(())
}
