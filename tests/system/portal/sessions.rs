//! Sessions: new secrets, their ends, and nobody in those of others.

use tests::{Browser, Imap, Outcome};

use super::{person, serve};

const SESSION: &str = "__Host-session";

#[test]
fn a_session_has_a_secret_of_its_own_in_a_cookie_no_script_reads() -> Outcome {
    let server = serve();
    let alice = person(&server, 0);
    let mut browser = Browser::new(&server, "inside");
    // What somebody planted before the sign-in.
    let planted = "A".repeat(43);
    browser.cookies.insert(SESSION.to_owned(), planted.clone());
    let page = browser.get("/sign-in")?;
    let page = browser.send(&page, "/sign-in", &[("login", &alice.login), ("password", &alice.password)])?;
    let set: Vec<&str> =
        page.header.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str()).collect();
    let cookie = set.iter().find(|cookie| cookie.starts_with(SESSION)).expect("a cookie of the session");
    for flag in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.split("; ").any(|part| part == flag), "{flag} in {cookie}");
    }
    assert!(!cookie.contains("Domain") && !cookie.contains(&planted), "{cookie}");
    let mut thief = Browser::new(&server, "inside");
    thief.cookies.insert(SESSION.to_owned(), planted);
    assert_eq!(thief.get("/")?.status, 303, "what was planted opens nothing");
    Ok(())
}

#[test]
fn whoever_signs_out_is_out_and_whoever_ends_all_is_out_everywhere() -> Outcome {
    let server = serve();
    let (alice, bob) = (person(&server, 0), person(&server, 1));
    let mut browser = Browser::signed_in(&server, "inside", &alice);
    let kept = browser.cookies.clone();
    assert_eq!(browser.fill("/", "/sign-out", &[])?.field("location"), "/sign-in");
    browser.cookies = kept;
    assert_eq!(browser.get("/")?.status, 303, "the old cookie opens nothing");
    let (mut one, mut two) =
        (Browser::signed_in(&server, "inside", &alice), Browser::signed_in(&server, "outside", &alice));
    let mut other = Browser::signed_in(&server, "inside", &bob);
    let mut imap = Imap::person(&server, "inside", &alice)?;
    assert_eq!(one.fill("/activity", "/activity/end-all", &[])?.status, 303);
    assert_eq!((one.get("/")?.status, two.get("/")?.status), (303, 303));
    assert_eq!(other.get("/")?.status, 200, "others stay");
    assert!(imap.command("NOOP").is_err() || imap.command("NOOP").is_err(), "IMAP is over, too");
    Ok(())
}

#[test]
fn nobody_ends_or_takes_what_is_of_others() -> Outcome {
    let server = serve();
    let (alice, bob) = (person(&server, 0), person(&server, 1));
    let mut hers = Browser::signed_in(&server, "inside", &alice);
    hers.fill("/app-passwords", "/app-passwords", &[("name", "tablet-of-hers")])?;
    let mut second = Browser::signed_in(&server, "outside", &alice);
    let page = hers.get("/activity")?;
    let number = page.body.split("name=\"number\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let number = number.expect("her other session is listed").to_owned();
    let mut his = Browser::signed_in(&server, "inside", &bob);
    Browser::signed_in(&server, "outside", &bob);
    let page = his.fill("/activity", "/activity/end", &[("number", &number)])?;
    assert_eq!(page.status, 404, "a number of hers is none of his");
    let page = his.get("/app-passwords")?;
    assert!(!page.body.contains("tablet-of-hers"), "her app passwords are not shown");
    his.send(&page, "/app-passwords", &[("name", "laptop")])?;
    let page = his.fill("/app-passwords", "/app-passwords/remove", &[("name", "tablet-of-hers")])?;
    assert_eq!(page.status, 404);
    assert_eq!(second.get("/")?.status, 200, "her session goes on");
    assert!(hers.get("/app-passwords")?.body.contains("tablet-of-hers"));
    assert_eq!(hers.fill("/activity", "/activity/end", &[("number", &number)])?.status, 303, "she ends it herself");
    assert_eq!(second.get("/")?.status, 303);
    Ok(())
}

#[test]
fn guesses_here_and_over_imap_fill_one_window() -> Outcome {
    let server = serve();
    let alice = person(&server, 0);
    let mut browser = Browser::new(&server, "outside");
    for at in 0..10 {
        let page = browser.sign_in(&alice.login, &format!("wrong password {at}"))?;
        assert_eq!(page.status, 422, "{at}");
        assert!(page.body.contains("The login or the password is wrong."), "{at}: {}", page.body);
    }
    let page = browser.sign_in(&alice.login, &alice.password)?;
    assert!(page.body.contains("Your password was not checked"), "{}", page.body);
    let mut imap = Imap::connect(&server, "imaps", "outside")?;
    let answer = imap.command(&format!("LOGIN {} {}", alice.login, alice.password))?;
    assert!(answer.text.contains("UNAVAILABLE"), "{}", answer.text);
    Browser::signed_in(&server, "inside", &alice);
    Ok(())
}

#[test]
fn a_sign_in_leads_to_pages_of_the_portal_alone() -> Outcome {
    let server = serve();
    let alice = person(&server, 0);
    for (next, to) in [
        ("/quota?x=1", "/quota?x=1"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let mut browser = Browser::new(&server, "inside");
        let fields = [("login", alice.login.as_str()), ("password", alice.password.as_str()), ("next", next)];
        let page = browser.fill("/sign-in", "/sign-in", &fields)?;
        assert_eq!((page.status, page.field("location")), (303, to), "{next:?}");
        assert!(!browser.cookies.contains_key("x"), "{next:?}");
        let mut browser = Browser::signed_in(&server, "inside", &alice);
        let page = browser.fill("/", "/language", &[("language", "en"), ("back", next)])?;
        assert_eq!((page.status, page.field("location")), (303, to), "{next:?}");
    }
    let mut browser = Browser::new(&server, "inside");
    let page = browser.request("GET", "/storage?a=b%0d%0aX-Evil:1", &[], "")?;
    assert_eq!((page.status, page.field("x-evil")), (303, ""));
    Ok(())
}
