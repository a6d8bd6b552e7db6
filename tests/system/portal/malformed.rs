//! Requests no page of ours sends: each is answered by a page, in the language of who reads it, with a code that is true.

use tests::browser::{Browser, Page, form};
use tests::{Facteur, Outcome};

use super::{person, serve};

/// Titles in French and English.
const FORM: (&str, &str) = ("Formulaire illisible", "Unreadable form");
const STALE: (&str, &str) = ("Formulaire périmé", "The form is no longer valid");
const LARGE: (&str, &str) = ("Formulaire trop long", "The form is too large");
const LINK: (&str, &str) = ("Lien illisible", "Unreadable link");
const NOWHERE: (&str, &str) = ("Page introuvable", "Page not found");
const METHOD: (&str, &str) = ("Demande impossible", "This cannot be asked for");
const NOT_YOURS: (&str, &str) = ("Page réservée", "This page is not yours to see");

/// A whole page of the portal in this language, with this title.
#[track_caller]
fn is_a_page(page: &Page, language: &str, status: u16, (french, english): (&str, &str), what: &str) {
    let (title, other) = if language == "fr" { (french, english) } else { (english, french) };
    assert_eq!(page.status, status, "{language} {what}: {}", page.body);
    assert_eq!(page.field("content-type"), "text/html; charset=utf-8", "{language} {what}");
    for part in ["<!DOCTYPE html>", "<main id=\"content\"", "class=\"brand\"", "<footer>", "rel=\"stylesheet\""] {
        assert!(page.body.contains(part), "{language} {what}: no {part} in {}", page.body);
    }
    assert!(page.body.contains(&format!("<html lang=\"{language}\">")), "{language} {what}: {}", page.body);
    assert!(page.body.contains(&format!("<h1>{title}</h1>")), "{language} {what}: {}", page.body);
    assert!(!page.body.contains(other), "{language} {what}: {}", page.body);
    assert!(!page.field("content-security-policy").is_empty(), "{language} {what}");
}

/// Somebody signed in, and nobody, in one language.
fn both(server: &Facteur, language: &'static str) -> [Browser; 2] {
    let mut nobody = Browser::new(server, "inside");
    let mut signed_in = Browser::signed_in(server, "inside", &person(server, 0));
    (nobody.language, signed_in.language) = (language, language);
    [signed_in, nobody]
}

#[test]
fn a_form_that_cannot_be_read_is_answered_by_a_page_in_the_readers_language() -> Outcome {
    let server = serve();
    // The page with the form, and where it goes.
    let forms = [
        ("/password", "/password"),
        ("/redirect", "/redirect"),
        ("/app-passwords", "/app-passwords"),
        ("/activity", "/language"),
        ("/sign-in", "/sign-in"),
    ];
    for language in ["fr", "en"] {
        let [mut signed_in, mut nobody] = both(&server, language);
        for (at, action) in forms {
            let browser = if at == "/sign-in" { &mut nobody } else { &mut signed_in };
            let token = browser.get(at)?.token(action);
            let own = format!("https://{}", browser.host());
            let ours = [("Origin", own.as_str())];
            let with = |kind| [("Origin", own.as_str()), ("Content-Type", kind)];
            let good = form(&[("token", &token)]);
            let mut post = |header: &[(&str, &str)], body: &str| browser.request("POST", action, header, body);
            is_a_page(&post(&ours, &good)?, language, 400, FORM, &format!("{action} without fields"));
            let strange = format!("{good}&login[]=x&%zz=%ff&=&&&\u{0}");
            is_a_page(&post(&ours, &strange)?, language, 400, FORM, &format!("{action} with strange fields"));
            for body in ["", "token=", "token=%00", "token=é", "no form at all"] {
                is_a_page(&post(&ours, body)?, language, 403, STALE, &format!("{action} {body:?}"));
            }
            let elsewhere = [("Origin", "https://evil.example")];
            is_a_page(&post(&elsewhere, &good)?, language, 403, STALE, &format!("{action} from elsewhere"));
            for kind in ["text/plain", "application/json", "multipart/form-data; boundary=x", "", "x"] {
                is_a_page(&post(&with(kind), &good)?, language, 415, FORM, &format!("{action} as {kind:?}"));
            }
            let long = format!("{good}&x={}", "y".repeat(70_000));
            is_a_page(&post(&ours, &long)?, language, 413, LARGE, &format!("{action} too long"));
        }
        assert_eq!(signed_in.get("/")?.status, 200, "still signed in");
    }
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn an_address_that_cannot_be_read_is_answered_by_a_page_in_the_readers_language() -> Outcome {
    let server = serve();
    for language in ["fr", "en"] {
        let [mut signed_in, mut nobody] = both(&server, language);
        let mut manager = Browser::signed_in(&server, "inside", server.describe.person("dupont-p"));
        manager.language = language;
        for (who, method, path, status, title) in [
            ("person", "GET", "/nothing", 404, NOWHERE),
            ("nobody", "GET", "/nothing/%ff", 404, NOWHERE),
            ("manager", "GET", "/manage/people/%ff%fe", 404, NOWHERE),
            ("manager", "GET", "/manage/quarantine/%c3%28", 404, NOWHERE),
            ("person", "GET", "/manage/audit", 403, NOT_YOURS),
            ("person", "GET", "/storage/archive?folder=a&folder=b", 400, LINK),
            ("person", "GET", "/corrections?junk=1&junk=2", 400, LINK),
            ("person", "GET", "/address-book?name=a&name=b", 400, LINK),
            ("nobody", "GET", "/sign-in?next=/&next=/", 400, LINK),
            ("manager", "GET", "/manage/people?q=a&q=b", 400, LINK),
            ("manager", "GET", "/manage/audit?about=a&about=b", 400, LINK),
            ("person", "PUT", "/password", 405, METHOD),
            ("person", "DELETE", "/", 405, METHOD),
            ("person", "GET", "/sign-out", 405, METHOD),
            ("nobody", "PATCH", "/sign-in", 405, METHOD),
            ("nobody", "BREW", "/sign-in", 405, METHOD),
        ] {
            let browser = match who {
                "person" => &mut signed_in,
                "manager" => &mut manager,
                _ => &mut nobody,
            };
            let page = browser.request(method, path, &[], "")?;
            is_a_page(&page, language, status, title, &format!("{method} {path}"));
            // RFC 9110 15.5.6.
            assert_eq!(page.field("allow").is_empty(), status != 405, "{method} {path}: {:?}", page.header);
        }
    }
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn what_people_write_begins_no_line_of_a_header() -> Outcome {
    let server = serve();
    let person = |login: &str| server.describe.person(login).clone();
    let mut browser = Browser::signed_in(&server, "inside", &person("toto-j"));
    let evil = "please\r\nBcc: evil@elsewhere.example\r\nX-Evil: 1\r\n\r\n<b>body</b>";
    let home = "uni-bonn.example";
    let fields = [("to", "t@uni-bonn.example"), ("because", evil), ("home", home)];
    let page = browser.fill("/redirect", "/redirect", &fields)?;
    assert!(page.field("x-evil").is_empty() && page.field("bcc").is_empty(), "{:?}", page.header);
    // Whoever approves it hears of it by mail.
    let mut imap = tests::Imap::person(&server, "inside", &person("leguennec-m"))?;
    let within = std::time::Duration::from_secs(60);
    let header = tests::wait::until(within, "the correspondent hears of it", || {
        imap.command("SELECT INBOX").ok()?.ok().ok()?;
        let found = imap.command("UID FETCH 1:* (BODY.PEEK[HEADER])").ok()?.ok().ok()?;
        let mut texts = found.untagged.iter().map(|octets| String::from_utf8_lossy(octets).into_owned());
        texts.rfind(|text| text.contains("Subject: "))
    });
    assert!(!header.contains("evil@") && !header.contains("X-Evil"), "{header}");
    for name in ["a\r\nSet-Cookie: x=y", "a\nb", "a\u{0}b"] {
        let page = browser.fill("/app-passwords", "/app-passwords", &[("name", name)])?;
        assert!(page.field("set-cookie").is_empty() && page.status == 422, "{name:?}: {} {}", page.status, page.body);
    }
    let page = browser.get("/storage/archive?folder=INBOX%0d%0aX-Evil:1")?;
    assert!(page.field("x-evil").is_empty() && page.status >= 400, "{:?}", page.header);
    Ok(())
}
