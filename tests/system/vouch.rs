//! Sign-in at the portal by the word of others: OpenID Connect and CAS, and issuers that say what they should not.

mod issuer;

use std::io;

use tests::browser::Page;
use tests::{Browser, Outcome};

use self::issuer::{CLIENT, Issuer, SECRET, Script, Sign, query};
use crate::wire::site::{Serving, Site};

const HOST: &str = "mail.example.org";
const SESSION: &str = "__Host-session";
const NOBODY: &str = "No account of this mail service can be opened this way";
const AGAIN: &str = "This sign-in began too long ago";
const LATER: &str = "The sign-in service does not answer";
const OIDC: u32 = 0;
const CAS: u32 = 1;

/// A portal with both ways in.
struct House {
    issuer: Issuer,
    serving: Serving,
    site: Site,
}

impl House {
    #[track_caller]
    fn new(changes: &[(&str, &str)]) -> House {
        let issuer = Issuer::start();
        let portal = format!("    antispam: None,\n    portal: (at: \"https://{HOST}\"),");
        let changes = [&[("    antispam: None,", portal.as_str())], changes].concat();
        let ways = format!(
            "sign_in: [\n            Oidc(\n                issuer: {0:?},\n                client_id: {CLIENT:?},\n                \
             secret: \"oidc\",\n                login_claim: \"uid\",\n            ),\n            \
             Cas(at: \"{0}/cas/\"),\n        ],",
            issuer.url
        );
        let secrets = tests::scratch::Scratch::new("vouch");
        let write =
            |name: &str, text: &str| std::fs::write(secrets.join(name), text).expect("the scratch folder is ours");
        write("oidc", SECRET);
        write("authority.pem", &issuer.authority.pem());
        let more = format!(
            ", portal: [\"127.0.0.1:0\"], secrets: Folder({:?}), authorities: [{:?}]",
            secrets.path(),
            secrets.join("authority.pem")
        );
        let site = Site::new(&changes, &[("sign_in: [],", &ways)], &[], &more);
        let serving = site.serve();
        House { issuer, serving, site }
    }

    fn browser(&self) -> Browser {
        Browser::at(self.serving.address("portal").expect("the portal listens"), HOST, self.site.tls.clone())
    }

    fn login(&self) -> &str {
        &self.site.people[0].login
    }

    /// The path a browser is led back to, after `login` was let in.
    #[track_caller]
    fn out(&self, browser: &mut Browser, way: u32, next: &str, login: &str) -> String {
        let page = browser.get(&format!("/sign-in/elsewhere?way={way}&next={next}")).expect("the portal answers");
        assert_eq!(page.status, 303, "{}", page.body);
        let location = page.field("location").to_owned();
        assert!(location.starts_with(&self.issuer.url), "{location}");
        let (_, back) = self.issuer.lets_in(login, &location);
        back.strip_prefix(&format!("https://{HOST}")).unwrap_or_else(|| panic!("{back} is ours")).to_owned()
    }

    /// All of it.
    #[track_caller]
    fn sign_in(&self, browser: &mut Browser, way: u32, login: &str) -> Page {
        let back = self.out(browser, way, "/storage", login);
        browser.get(&back).expect("the portal answers")
    }
}

#[track_caller]
fn is_refused(browser: &mut Browser, page: &Page, words: &str, why: &str) {
    assert_eq!(page.status, 422, "{why}: {}", page.body);
    assert!(page.body.contains(words), "{why}: {}", page.body);
    assert!(!browser.cookies.contains_key(SESSION), "{why}");
    assert_eq!(browser.get("/").map(|page| page.status).ok(), Some(303), "{why}");
}

#[test]
fn somebody_others_vouch_for_is_signed_in_and_led_on() -> Outcome {
    let house = House::new(&[]);
    let front = house.browser().get("/sign-in?next=/storage")?;
    for way in [OIDC, CAS] {
        assert!(front.body.contains(&format!("/sign-in/elsewhere?way={way}&amp;next=/storage")), "{}", front.body);
        let mut browser = house.browser();
        let page = house.sign_in(&mut browser, way, &house.login().to_uppercase());
        assert_eq!((page.status, page.field("refresh")), (200, "0; url=/storage"), "{}", page.body);
        let cookies: Vec<&str> =
            page.header.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str()).collect();
        let session = cookies.iter().find(|cookie| cookie.starts_with(SESSION)).expect("a session");
        assert!(session.ends_with("Path=/; Secure; HttpOnly; SameSite=Strict"), "{session}");
        assert!(!browser.cookies.contains_key("__Host-outing"), "what went out is spent");
        let home = browser.get("/")?;
        assert_eq!(home.status, 200);
        assert!(home.body.contains(&house.site.people[0].address), "{}", home.body);
        // A password is changed by who knows it, however they signed in.
        let fields = [("old", "wrong"), ("new", "Xk4-unlikely-words-9"), ("again", "Xk4-unlikely-words-9")];
        let refused = browser.fill("/password", "/password", &fields)?;
        assert_eq!(refused.status, 422, "{}", refused.body);
    }
    let log = house.serving.log();
    assert!(log.contains("OpenID Connect") && log.contains("CAS"), "{log}");
    assert!(!log.contains(SECRET) && !log.contains("ST-"), "no secret is in the log");
    assert_eq!(house.browser().sign_in(house.login(), &house.site.people[0].password)?.status, 303, "passwords stay");
    let accesses = house.site.run(&["person", "accesses", house.login()]).ends(0).out;
    assert!(accesses.contains("OpenID Connect") && accesses.contains("CAS"), "{accesses}");
    Ok(())
}

/// A script with something else in its claims.
fn claims(was: &str, becomes: &str) -> Script {
    let script = Script::default();
    assert!(script.claims.contains(was), "{was}");
    Script { claims: script.claims.replacen(was, becomes, 1), ..script }
}

#[test]
fn an_issuer_that_says_what_it_should_not_signs_nobody_in() -> Outcome {
    let house = House::new(&[]);
    let header = |text: &str, sign: Sign| Script { header: text.to_owned(), sign, ..Script::default() };
    let instead = |status: u16, text: String| Script { status, instead: Some(text), ..Script::default() };
    let cases = [
        ("another nonce", NOBODY, claims("{nonce}", "x{nonce}")),
        ("no nonce", NOBODY, claims("nonce", "nonse")),
        ("another issuer", NOBODY, claims("{iss}", "{iss}/")),
        ("another audience", NOBODY, claims(r#""mail""#, r#""files""#)),
        ("several audiences, for another", NOBODY, claims(r#""mail","azp":"mail""#, r#"["mail","x"],"azp":"x""#)),
        ("expired", NOBODY, claims("{now+300}", "{now-300}")),
        ("never expires", NOBODY, claims(r#""exp":{now+300},"#, "")),
        ("not yet", NOBODY, claims("{now+0}", "{now+0},\"nbf\":{now+300}")),
        ("made long ago", NOBODY, claims("{now+0}", "{now-7200}")),
        ("made in the future", NOBODY, claims("{now+0}", "{now+7200}")),
        ("a login that is a list", NOBODY, claims(r#""{login}""#, r#"["{login}"]"#)),
        ("nobody signed", NOBODY, header(r#"{"alg":"none"}"#, Sign::Nobody)),
        ("an empty signature", NOBODY, header(r#"{"alg":"EdDSA","kid":"k"}"#, Sign::Nobody)),
        ("the public key as a secret", NOBODY, header(r#"{"alg":"HS256","kid":"k"}"#, Sign::PublicKey)),
        ("another key", NOBODY, header(r#"{"alg":"EdDSA","kid":"k"}"#, Sign::AnotherKey)),
        ("an unknown key", NOBODY, header(r#"{"alg":"EdDSA","kid":"z"}"#, Sign::AnotherKey)),
        ("an access token", NOBODY, header(r#"{"alg":"EdDSA","kid":"k","typ":"at+jwt"}"#, Sign::Key)),
        ("no token", NOBODY, instead(200, "{}".to_owned())),
        ("a page", NOBODY, instead(200, "<html>".to_owned())),
        ("a long token", NOBODY, instead(200, format!(r#"{{"id_token":"{}"}}"#, "a.".repeat(60_000)))),
        ("too much", LATER, instead(200, "x".repeat(1_000_000))),
        ("another place", LATER, instead(302, String::new())),
        ("our fault", LATER, instead(401, r#"{"error":"invalid_client"}"#.to_owned())),
        ("too slow", LATER, Script { is_mute: true, ..Script::default() }),
    ];
    for (why, words, script) in cases {
        house.issuer.says(script);
        let mut browser = house.browser();
        let page = house.sign_in(&mut browser, OIDC, house.login());
        is_refused(&mut browser, &page, words, why);
    }
    house.issuer.says(Script::default());
    assert_eq!(house.sign_in(&mut house.browser(), OIDC, house.login()).status, 200, "and the good one does");
    Ok(())
}

#[test]
fn what_a_browser_brings_back_is_its_own_and_counts_once() -> Outcome {
    let house = House::new(&[]);
    for way in [OIDC, CAS] {
        let mut browser = house.browser();
        // Somebody else's browser, with what this one was given: nobody is signed in to the account of another.
        let back = house.out(&mut browser, way, "/", house.login());
        let asked = house.issuer.requests().len();
        let mut other = house.browser();
        house.out(&mut other, way, "/", house.login());
        let page = other.get(&back)?;
        is_refused(&mut other, &page, AGAIN, "the state of another browser");
        let state = query(&back)["state"].clone();
        for forged in [state.replace(&format!(".{way}."), ".7."), format!("{state}A"), String::new()] {
            let mut browser = house.browser();
            let kept = house.out(&mut browser, way, "/", house.login());
            let page = browser.get(&kept.replace(&query(&kept)["state"], &forged))?;
            is_refused(&mut browser, &page, AGAIN, &forged);
        }
        assert_eq!(house.issuer.requests().len(), asked, "nobody was asked about any of it");
        let cookies = browser.cookies.clone();
        assert_eq!(browser.get(&back)?.status, 200);
        let mut thief = house.browser();
        thief.cookies = cookies;
        let page = thief.get(&back)?;
        is_refused(&mut thief, &page, AGAIN, "the same again, with the same cookie");
        // A code or ticket that was redeemed, in a new outing.
        let mut thief = house.browser();
        let mine = house.out(&mut thief, way, "/", house.login());
        let name = if way == OIDC { "code" } else { "ticket" };
        let page = thief.get(&mine.replace(&query(&mine)[name], &query(&back)[name]))?;
        is_refused(&mut thief, &page, NOBODY, "spent");
        // And one that is not spent, but was given to another outing: its verifier, or its service, is another.
        let (mut one, mut two) = (house.browser(), house.browser());
        let (of_one, of_two) = (house.out(&mut one, way, "/", "x"), house.out(&mut two, way, "/", house.login()));
        let page = one.get(&of_one.replace(&query(&of_one)[name], &query(&of_two)[name]))?;
        is_refused(&mut one, &page, NOBODY, "of another outing");
        let mut browser = house.browser();
        let back = house.out(&mut browser, way, "/", house.login());
        let page = browser.get(&format!("{back}&iss=https://evil.example"))?;
        if way == OIDC {
            is_refused(&mut browser, &page, NOBODY, "another issuer");
        }
        let mut browser = house.browser();
        let back = house.out(&mut browser, OIDC, "/", house.login());
        let page = browser.get(&format!("{back}&error=access_denied"))?;
        is_refused(&mut browser, &page, "did not confirm who you are", "given up");
    }
    Ok(())
}

#[test]
fn only_open_accounts_of_people_here_are_opened() -> Outcome {
    let house = House::new(&[]);
    let other = house.site.people[1].login.clone();
    house.site.run(&["person", "suspend", &other, "--because", "a test asks"]).ends(0);
    for way in [OIDC, CAS] {
        for (login, words) in [
            ("ghost", NOBODY),
            ("", if way == OIDC { NOBODY } else { LATER }),
            ("a b", NOBODY),
            (other.as_str(), "This account is not open now"),
        ] {
            let mut browser = house.browser();
            let page = house.sign_in(&mut browser, way, login);
            is_refused(&mut browser, &page, words, login);
        }
    }
    Ok(())
}

#[test]
fn the_way_back_leads_to_pages_of_the_portal_alone() -> Outcome {
    let house = House::new(&[]);
    for next in
        ["//evil.example/", "https://evil.example/", "/%5Cevil.example", "/a%0d%0aX-Evil:1", "javascript:alert(1)"]
    {
        let mut browser = house.browser();
        let back = house.out(&mut browser, CAS, next, house.login());
        let page = browser.get(&back)?;
        assert_eq!((page.status, page.field("refresh"), page.field("x-evil")), (200, "0; url=/", ""), "{next}");
        assert!(!page.body.contains("evil"), "{next}: {}", page.body);
    }
    let page = house.browser().get("/sign-in/elsewhere?way=9")?;
    assert_eq!(page.status, 404, "{}", page.body);
    Ok(())
}

#[test]
fn a_cas_server_that_says_what_it_should_not_signs_nobody_in() -> Outcome {
    let house = House::new(&[]);
    let answer = |inner: &str| {
        format!(r#"<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">{inner}</cas:serviceResponse>"#)
    };
    let success = |user: &str| {
        answer(&format!("<cas:authenticationSuccess><cas:user>{user}</cas:user></cas:authenticationSuccess>"))
    };
    let login = house.login();
    let entities: String = (0..30).map(|n| format!("<!ENTITY e{n} \"&e{0};&e{0};\">", n + 1)).collect();
    let cases = [
        ("refused", NOBODY, answer("<cas:authenticationFailure code=\"INVALID_SERVICE\"/>")),
        ("a page", LATER, "<html><body>hello</body></html>".to_owned()),
        ("another namespace", LATER, success(login).replace("yale", "evil")),
        ("entities", LATER, format!("<!DOCTYPE x [{entities}<!ENTITY e30 \"{login}\">]>{}", success("&e0;"))),
        ("a file", LATER, format!("<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/hostname\">]>{}", success("&f;"))),
        ("depth", LATER, success(login).replace("<cas:user>", &format!("{}<cas:user>", "<a>".repeat(5_000)))),
        ("two users", LATER, success(&format!("x</cas:user><cas:user>{login}"))),
        ("a comment in the login", LATER, success(&format!("{login}<!-- -->x"))),
        ("size", LATER, success(&format!("{login}{}", " ".repeat(1_000_000)))),
        ("half", LATER, success(login)[..150].to_owned()),
    ];
    for (why, words, text) in cases {
        house.issuer.says(Script { instead: Some(text), ..Script::default() });
        let mut browser = house.browser();
        let page = house.sign_in(&mut browser, CAS, login);
        is_refused(&mut browser, &page, words, why);
    }
    Ok(())
}

#[test]
fn guesses_are_limited_where_they_come_from() -> io::Result<()> {
    let limit = ("each_client_address: (failed: Unlimited)", "each_client_address: (failed: [\"3 / 1 h\"])");
    let house = House::new(&[limit]);
    for _ in 0..3 {
        let mut browser = house.browser();
        let page = house.sign_in(&mut browser, OIDC, "ghost");
        is_refused(&mut browser, &page, NOBODY, "a guess");
    }
    let asked = house.issuer.requests().len();
    let mut browser = house.browser();
    let page = house.sign_in(&mut browser, OIDC, house.login());
    is_refused(&mut browser, &page, LATER, "no more of them");
    assert_eq!(house.issuer.requests().len(), asked, "the issuer is left in peace");
    Ok(())
}
