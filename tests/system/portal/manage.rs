//! Pages of correspondents and managers: who sees which, for whom, from where, and that what they do is done.

use tests::{Browser, Outcome, Smtp};

use super::serve;

const PAGES: [&str; 10] = [
    "/manage",
    "/manage/people",
    "/manage/redirects",
    "/manage/compromise",
    "/manage/quarantine",
    "/manage/spam",
    "/manage/recall",
    "/manage/blocks",
    "/manage/decision",
    "/manage/audit",
];
/// Pages of a correspondent who is nothing else.
const OF_CORRESPONDENTS: [&str; 4] = ["/manage", "/manage/people", "/manage/redirects", "/manage/decision"];

#[test]
fn each_role_sees_its_pages_and_nobody_sees_them_from_elsewhere() -> Outcome {
    let server = serve();
    let person = |login: &str| server.describe.person(login).clone();
    let mut user = Browser::signed_in(&server, "inside", &person("toto-j"));
    assert!(!user.get("/")?.body.contains("/manage"), "no link leads there");
    let mut correspondent = Browser::signed_in(&server, "inside", &person("leguennec-m"));
    assert!(correspondent.get("/")?.body.contains("href=\"/manage\""));
    let mut manager = Browser::signed_in(&server, "inside", &person("dupont-p"));
    let mut outside = Browser::signed_in(&server, "outside", &person("dupont-p"));
    let mut stranger = Browser::new(&server, "inside");
    for path in PAGES {
        assert_eq!(user.get(path)?.status, 403, "{path}");
        let expected = if OF_CORRESPONDENTS.contains(&path) { 200 } else { 403 };
        assert_eq!(correspondent.get(path)?.status, expected, "{path}");
        assert_eq!(outside.get(path)?.status, 403, "{path}");
        assert_eq!(stranger.get(path)?.status, 303, "{path}");
        for language in ["en", "fr"] {
            manager.language = language;
            let page = manager.get(path)?;
            assert_eq!(page.status, 200, "{path}: {}", page.body);
        }
    }
    Ok(())
}

#[test]
fn a_correspondent_sees_people_of_the_unit_and_hands_out_letters_for_them_alone() -> Outcome {
    let server = serve();
    let person = |login: &str| server.describe.person(login).clone();
    let mut correspondent = Browser::signed_in(&server, "inside", &person("leguennec-m"));
    let people = correspondent.get("/manage/people")?.body;
    assert!(people.contains("/manage/people/toto-j\"") && !people.contains("toto-jp"), "{people}");
    assert!(!correspondent.get("/manage/people?q=toto")?.body.contains("/manage/people/toto-jp"));
    for path in ["/manage/people/toto-jp", "/manage/people/nobody-x", "/manage/people/..%2Faudit"] {
        let page = correspondent.get(path)?;
        assert!([403, 404].contains(&page.status) && !page.body.contains("letter\""), "{path}: {}", page.status);
    }
    let at = "/manage/people/toto-j";
    let shown = correspondent.get(at)?;
    assert!(shown.body.contains("Jean Toto") && !shown.body.contains("quota/end"), "{}", shown.body);
    // Nothing about herself is hers to decide.
    let own = correspondent.get("/manage/people/leguennec-m")?.body;
    assert!(!own.contains("/letter") && !own.contains("leguennec-m/quota") && !own.contains("/contain"), "{own}");
    let page = correspondent.send(&shown, &format!("{at}/letter"), &[])?;
    assert_eq!(page.status, 200, "{}", page.body);
    let is_one = |word: &&str| word.len() == 23 && word.matches('-').count() == 4;
    let password = page.body.split_whitespace().find(is_one).unwrap_or_else(|| panic!("{}", page.body));
    let mut browser = Browser::new(&server, "inside");
    assert_eq!(browser.sign_in("toto-j", &person("toto-j").password)?.status, 422, "the old one opens nothing");
    assert_eq!(browser.sign_in("toto-j", password)?.status, 303);
    let audit = Browser::signed_in(&server, "inside", &person("dupont-p")).get("/manage/audit?about=toto-j")?.body;
    assert!(audit.contains("password of toto-j drawn for a letter") && audit.contains("leguennec-m from"), "{audit}");
    Ok(())
}

#[test]
fn a_stolen_account_is_contained_and_opened_again() -> Outcome {
    let server = serve();
    let person = |login: &str| server.describe.person(login).clone();
    let mut manager = Browser::signed_in(&server, "inside", &person("durand-e"));
    let at = "/manage/people/toto-j";
    let contain = format!("{at}/contain");
    assert_ne!(manager.fill(at, &contain, &[("because", " ")])?.status, 200, "a reason is needed");
    let page = manager.fill(at, &contain, &[("because", "stolen")])?;
    assert!(page.status == 200 && page.body.contains("is contained"), "{}", page.body);
    assert_eq!(Browser::new(&server, "inside").sign_in("toto-j", &person("toto-j").password)?.status, 422);
    let shown = manager.get(at)?;
    assert!(shown.body.contains("Account contained") && !shown.body.contains(&contain), "{}", shown.body);
    assert_eq!(manager.send(&shown, &format!("{at}/undo"), &[])?.status, 303);
    assert!(!manager.get(at)?.body.contains("Account contained"));
    // Another manager is not hers to close.
    assert!(!manager.get("/manage/people/dupont-p")?.body.contains("/contain"));
    Ok(())
}

#[test]
fn a_redirect_a_person_asks_for_is_approved_by_the_correspondent() -> Outcome {
    let server = serve();
    let person = |login: &str| server.describe.person(login).clone();
    let mut user = Browser::signed_in(&server, "inside", &person("toto-j"));
    for (to, said) in [("t@gmail.com", "redirects.refused_examples"), ("t@nowhere.example", "redirects.otherwise")] {
        user.fill("/redirect", "/redirect", &[("to", to), ("because", "please"), ("home", "gmail.com")])?;
        let page = user.get("/redirect")?.body;
        assert!(page.contains(said), "{page}");
    }
    let home = "uni-bonn.example";
    let to = format!("t@{home}");
    user.fill("/redirect", "/redirect", &[("to", &to), ("because", "<b>guest</b>"), ("home", home)])?;
    let mut correspondent = Browser::signed_in(&server, "inside", &person("leguennec-m"));
    let page = correspondent.get("/manage/redirects")?;
    assert!(page.body.contains(&to) && page.body.contains("&lt;b&gt;guest&lt;/b&gt;"), "{}", page.body);
    let action = "/manage/redirects/toto-j/approve";
    let fields = [("to", to.as_str()), ("because", "guest"), ("until", ""), ("home", home)];
    let refused = correspondent.send(&page, action, &fields)?;
    assert!(refused.status == 422 && refused.body.contains("an end date"), "{}", refused.body);
    // An approval that is over before it begins, and an institution that is a mailbox provider.
    for (until, home) in [("2020-01-01", home), ("2099-06-30", "elsewhere.example"), ("2099-06-30", "gmail.com")] {
        let fields = [("to", to.as_str()), ("because", "guest"), ("until", until), ("home", home)];
        let refused = correspondent.send(&page, action, &fields)?;
        assert_eq!(refused.status, 422, "{until} {home}: {}", refused.body);
        assert!(!user.get("/redirect")?.body.contains(&format!("goes on to {to}")), "{until} {home}");
    }
    let fields = [("to", to.as_str()), ("because", "guest"), ("until", "2099-06-30"), ("home", home)];
    assert_eq!(correspondent.send(&page, action, &fields)?.status, 303);
    assert!(user.get("/redirect")?.body.contains(&to));
    // A correspondent of another unit found nothing to decide.
    let mut other = Browser::signed_in(&server, "inside", &person("durand-e"));
    assert!(!other.get("/manage/redirects")?.body.contains(&to));
    Ok(())
}

#[test]
fn a_manager_learns_why_something_was_refused() -> Outcome {
    let server = serve();
    let person = |login: &str| server.describe.person(login).clone();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    smtp.mail("a@client.example")?.expect(250)?;
    let reply = smtp.rcpt("nobody.here@univ-nantes.fr")?.expect(550)?.text();
    let mut manager = Browser::signed_in(&server, "inside", &person("dupont-p"));
    let query = |name: &str, text: &str| format!("/manage/decision?{}", tests::browser::form(&[(name, text)]));
    let page = manager.get(&query("reply", &reply))?.body;
    assert!(page.contains("What to do") && page.contains("unknown-recipient"), "{page}");
    assert!(manager.get(&query("reply", "550 no"))?.body.contains("no brackets"));
    tests::wait::until(std::time::Duration::from_secs(30), "the decision is kept", || {
        let page = manager.get(&query("address", "nobody.here@univ-nantes.fr")).ok()?;
        page.body.contains("reception.KnownRecipient").then_some(())
    });
    // A correspondent asks about people of the unit, and about no address.
    let mut correspondent = Browser::signed_in(&server, "inside", &person("leguennec-m"));
    assert_eq!(correspondent.get(&query("login", "toto-j"))?.status, 200);
    for (name, text) in [("login", "toto-jp"), ("address", "nobody.here@univ-nantes.fr"), ("message", "07")] {
        assert_eq!(correspondent.get(&query(name, text))?.status, 403, "{name}");
    }
    let both = format!("{}&login=toto-j", query("address", "nobody.here@univ-nantes.fr"));
    assert_eq!(correspondent.get(&both)?.status, 403);
    Ok(())
}
