//! A walk over all pages that are linked, and over all their forms.

use std::collections::{BTreeMap, BTreeSet};

use tests::browser::{Browser, Page};
use tests::{Facteur, Outcome};

use super::{deliver, person, serve};

const HEADER: [(&str, &str); 9] = [
    ("strict-transport-security", "max-age=31536000"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("cache-control", "no-store"),
];

#[track_caller]
fn has_the_header(path: &str, page: &Page) {
    for (name, value) in HEADER {
        // A style sheet is no secret, and its address changes with it.
        if name == "cache-control" && path.starts_with("/style/") {
            assert_eq!(page.field(name), "public, max-age=31536000, immutable");
            continue;
        }
        // Nor is what mail programs are set up with.
        if name == "cache-control" && path.starts_with("/mail/") {
            continue;
        }
        assert_eq!(page.field(name), value, "{name} of {path}");
    }
}

/// Values of an attribute, as a browser reads them.
fn values(page: &Page, attribute: &str) -> BTreeSet<String> {
    let beginning = format!(" {attribute}=\"");
    let parts = page.body.split(&beginning).skip(1);
    parts.filter_map(|part| part.split('"').next()).map(|value| value.replace("&amp;", "&")).collect()
}

/// All that is linked from `/`, and all places forms go to with a page that has them.
#[track_caller]
fn walked(browser: &mut Browser) -> (BTreeMap<String, Page>, BTreeMap<String, Page>) {
    let (mut pages, mut forms) = (BTreeMap::new(), BTreeMap::new());
    let mut next = vec!["/".to_owned(), "/sign-in".to_owned()];
    while let Some(path) = next.pop() {
        if pages.contains_key(&path) {
            continue;
        }
        let page = browser.get(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        next.extend(values(&page, "href").into_iter().filter(|to| to.starts_with('/')));
        for action in values(&page, "action") {
            forms.insert(action, page.clone());
        }
        pages.insert(path, page);
    }
    (pages, forms)
}

#[test]
fn every_page_has_the_header_and_no_link_is_broken_and_no_script_is_anywhere() -> Outcome {
    let server = serve();
    let alice = person(&server, 0);
    deliver(&server, "ami@elsewhere.example", &alice, "Bonjour")?;
    for language in ["fr", "en"] {
        let mut browser = Browser::signed_in(&server, "inside", &alice);
        browser.language = language;
        let (pages, _) = walked(&mut browser);
        for wanted in ["/password", "/storage", "/app-passwords", "/second-factor", "/activity", "/redirect"] {
            assert!(pages.contains_key(wanted), "{wanted} is linked");
        }
        for wanted in ["/corrections?junk=1", "/address-book", "/sharing", "/setup/iphone", "/accessibility"] {
            assert!(pages.contains_key(wanted), "{wanted} is linked");
        }
        for (path, page) in &pages {
            has_the_header(path, page);
            let is_profile = path.starts_with("/mail/");
            assert!(matches!(page.status, 200 | 303) || is_profile, "{path}: {}", page.status);
            for never in ["<script", "javascript:", " onclick", " style=\"", "<style"] {
                assert!(!page.body.contains(never), "{never} in {path}");
            }
            if page.field("content-type").starts_with("text/html") {
                assert!(page.body.contains(&format!("<html lang=\"{language}\">")), "{path}");
                assert_eq!(page.body.matches("<h1>").count(), 1, "{path}");
                assert!(
                    page.body.contains("href=\"#content\"") && page.body.contains("<main id=\"content\""),
                    "{path}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn nothing_is_shown_and_nothing_changed_before_a_sign_in() -> Outcome {
    let server = serve();
    let (pages, forms) = walked(&mut Browser::signed_in(&server, "inside", &person(&server, 0)));
    let public = ["/sign-in", "/accessibility"];
    let is_public = |path: &str| public.contains(&path) || path.starts_with("/style/") || path.starts_with("/mail/");
    for path in pages.keys().filter(|path| !is_public(path)) {
        let page = Browser::new(&server, "inside").get(path)?;
        has_the_header(path, &page);
        assert_eq!(page.status, 303, "{path}");
        assert!(page.field("location").starts_with("/sign-in"), "{path}: {}", page.field("location"));
    }
    for action in forms
        .keys()
        .filter(|action| !["/sign-in", "/language", "/sign-out", "/address-book"].contains(&action.as_str()))
    {
        // With a form's token of a visitor nobody knows, that is.
        let mut stranger = Browser::new(&server, "inside");
        let token = stranger.get("/sign-in")?.token("/sign-in");
        let page = stranger.post(action, &[("token", &token)])?;
        assert_eq!(page.status, 403, "{action}: the token is of another form");
    }
    Ok(())
}

#[test]
fn forms_are_taken_from_pages_of_the_portal_alone() -> Outcome {
    let server = serve();
    let (alice, bob) = (person(&server, 0), person(&server, 1));
    let mut browser = Browser::signed_in(&server, "inside", &alice);
    let (_, forms) = walked(&mut browser);
    let own = format!("https://{}", browser.host());
    let mut other = Browser::signed_in(&server, "inside", &bob);
    for (action, page) in forms.iter().filter(|(action, _)| *action != "/address-book") {
        let token = page.token(action);
        let elsewhere = page.token(if action == "/sign-out" { "/language" } else { "/sign-out" });
        let good = tests::browser::form(&[("token", &token)]);
        let of_other_form = tests::browser::form(&[("token", &elsewhere)]);
        let of_bob = tests::browser::form(&[("token", &other.get("/")?.token("/sign-out"))]);
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, u16);
        let cases: [Case<'_>; 9] = [
            ("no token", &[("Origin", &own)], "", 403),
            ("an empty token", &[("Origin", &own)], "token=", 403),
            ("a token that is none", &[("Origin", &own)], "token=AAAA", 403),
            ("the token of another form", &[("Origin", &own)], &of_other_form, 403),
            ("the token of somebody else", &[("Origin", &own)], &of_bob, 403),
            ("another origin", &[("Origin", "https://evil.example")], &good, 403),
            ("no origin", &[], &good, 403),
            ("another site", &[("Origin", &own), ("Sec-Fetch-Site", "cross-site")], &good, 403),
            ("no form", &[("Origin", &own), ("Content-Type", "text/plain")], &good, 415),
        ];
        for (what, header, body, status) in cases {
            let page = browser.request("POST", action, header, body)?;
            assert_eq!(page.status, status, "{what} at {action}");
            has_the_header(action, &page);
        }
    }
    assert_eq!(browser.get("/")?.status, 200, "nothing of it signed anybody out");
    Ok(())
}

#[test]
fn a_method_means_what_it_says() -> Outcome {
    let server: Facteur = serve();
    let mut browser = Browser::signed_in(&server, "inside", &person(&server, 0));
    for (method, path, status) in [
        ("GET", "/sign-out", 405),
        ("GET", "/app-passwords/remove", 405),
        ("GET", "/activity/end-all", 405),
        ("PUT", "/password", 405),
        ("DELETE", "/app-passwords", 405),
        ("TRACE", "/", 405),
        ("OPTIONS", "/", 405),
        ("HEAD", "/", 200),
        ("GET", "/nothing", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/style/..%2f..%2fseal.key", 200),
        ("GET", "/%2e%2e/seal.key", 404),
        ("GET", "/storage/archive?folder=..%2f..%2fseal.key", 404),
        ("GET", "/storage/archive?folder=Other%20Users%2Ftoto-jp%2FINBOX", 404),
    ] {
        let page = browser.request(method, path, &[], "")?;
        assert_eq!(page.status, status, "{method} {path}");
        has_the_header(path, &page);
        assert!(!page.body.contains("root:"), "{path}");
    }
    assert_eq!(browser.get("/")?.status, 200, "still signed in");
    Ok(())
}
