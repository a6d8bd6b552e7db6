//! What the pages do: passwords, archives, corrections, redirects, the address book.

use std::time::Duration;

use tests::describe::Person;
use tests::{Browser, Imap, Outcome, wait};

use super::{deliver, person, serve};

#[test]
fn a_password_is_changed_from_inside_and_a_weak_one_is_refused_with_useful_words() -> Outcome {
    let server = serve();
    let alice = person(&server, 0);
    let mut outside = Browser::signed_in(&server, "outside", &alice);
    let page = outside.get("/password")?;
    assert!(page.body.contains("From outside the password cannot be changed."), "{}", page.body);
    assert!(!page.body.contains("action=\"/password\""));
    let mut browser = Browser::signed_in(&server, "inside", &alice);
    let new = "quatre chevaux bleus dorment";
    let mut change = |old: &str, new: &str, again: &str| {
        browser.fill("/password", "/password", &[("old", old), ("new", new), ("again", again)])
    };
    for (old, new, again, said) in [
        (alice.password.as_str(), "azerty", "azerty", "at least"),
        (&alice.password, "universite", "universite", "everybody knows"),
        (&alice.password, new, "another", "not typed the same twice"),
        ("wrong", new, new, "not your current password"),
    ] {
        let page = change(old, new, again)?;
        assert_eq!(page.status, 422, "{new}");
        assert!(page.body.contains("There is a problem") && page.body.contains(said), "{new}: {}", page.body);
        assert!(!page.body.contains(&format!("value=\"{new}\"")), "a secret is not sent back");
    }
    let before = browser.cookies.clone();
    let page = browser.fill("/password", "/password", &[("old", &alice.password), ("new", new), ("again", new)])?;
    assert_eq!((page.status, page.field("location")), (303, "/"), "{}", page.body);
    assert!(browser.get("/")?.body.contains("Your password is changed."));
    assert_eq!(outside.get("/")?.status, 303, "other sessions are over");
    let mut old = Browser::new(&server, "inside");
    old.cookies = before;
    assert_eq!(old.get("/")?.status, 303, "the secret of before opens nothing");
    let renewed = Person { password: new.to_owned(), ..alice };
    let mut imap = Imap::connect(&server, "imaps", "inside")?;
    imap.command(&format!("LOGIN {} \"{}\"", renewed.login, renewed.password))?.ok()?;
    Ok(())
}

#[test]
fn an_archive_holds_the_messages_of_a_folder_of_ones_own() -> Outcome {
    let server = serve();
    let (alice, bob) = (person(&server, 0), person(&server, 1));
    deliver(&server, "ami@elsewhere.example", &alice, "Lettre un")?;
    deliver(&server, "ami@elsewhere.example", &alice, "Lettre deux")?;
    let mut browser = Browser::signed_in(&server, "inside", &alice);
    let page = browser.get("/storage")?;
    assert!(page.body.contains("/storage/archive?folder=INBOX\""), "{}", page.body);
    let archive = browser.get("/storage/archive?folder=INBOX")?;
    assert_eq!((archive.status, archive.field("content-type")), (200, "application/mbox"));
    assert!(archive.field("content-disposition").starts_with("attachment; filename=\"mail-20"));
    assert_eq!(archive.body.matches("\nSubject: ").count(), 2, "{}", archive.body);
    assert!(archive.body.starts_with("From ") && archive.body.contains("Lettre deux"));
    let old = browser.get("/storage/archive?folder=INBOX&old=1")?;
    assert_eq!((old.status, old.body.as_str()), (200, ""), "nothing is that old");
    let his = Browser::signed_in(&server, "inside", &bob).get("/storage/archive?folder=INBOX")?;
    assert_eq!((his.status, his.body.as_str()), (200, ""));
    Ok(())
}

#[test]
fn names_and_subjects_are_text_wherever_they_come_from() -> Outcome {
    let server = serve();
    let alice = person(&server, 0);
    let evil = "<script>alert(1)</script><img src=x onerror=\"alert(2)\">";
    deliver(&server, "ami@elsewhere.example", &alice, evil)?;
    let mut browser = Browser::signed_in(&server, "inside", &alice);
    browser.fill("/app-passwords", "/app-passwords", &[("name", "\"><script>x")])?;
    let fields = [("to", "x@univ-rennes.fr"), ("because", evil), ("home", evil), ("until", "\"><b>")];
    let page = browser.fill("/redirect", "/redirect", &fields)?;
    assert_eq!(page.status, 422);
    let mut pages = vec![page, Browser::new(&server, "inside").sign_in(evil, "x")?];
    let coded = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22";
    for path in ["/corrections", "/app-passwords", "/activity", &format!("/address-book?name={coded}")] {
        pages.push(browser.request("GET", path, &[("User-Agent", evil)], "")?);
    }
    pages.push(Browser::new(&server, "inside").get(&format!("/sign-in?next={coded}"))?);
    for page in &pages {
        assert!(!page.body.contains("<script") && !page.body.contains("<img"), "{}", page.body);
    }
    assert!(pages.iter().any(|page| page.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;")), "they are shown");
    Ok(())
}

#[test]
fn what_the_filter_judged_wrongly_becomes_a_proposal() -> Outcome {
    let server = serve();
    let alice = person(&server, 0);
    deliver(&server, "ami@elsewhere.example", &alice, "Gagnez vite")?;
    let mut browser = Browser::signed_in(&server, "inside", &alice);
    let page = browser.get("/corrections")?;
    assert!(page.body.contains("Gagnez vite"), "{}", page.body);
    let nothing = browser.send(&page, "/corrections", &[])?;
    assert_eq!(nothing.status, 422);
    assert!(nothing.body.contains("Tick at least one message."));
    assert_eq!(browser.send(&page, "/corrections", &[("m1", "1")])?.status, 303);
    wait::until(Duration::from_secs(60), "a proposal waits", || {
        (server.metric("facteur_spam_proposals") == 1.0).then_some(())
    });
    let page = browser.get("/corrections")?;
    assert!(page.body.contains("reported already"), "{}", page.body);
    Ok(())
}

#[test]
fn a_redirect_is_refused_allowed_or_waits_and_the_page_says_which() -> Outcome {
    let server = serve();
    let mut browser = Browser::signed_in(&server, "inside", &person(&server, 0));
    assert!(browser.get("/redirect")?.body.contains("Your mail stays here."));
    let fields = |to| [("to", to), ("because", "I work there"), ("copy", "1")];
    let page = browser.fill("/redirect", "/redirect", &fields("toto@gmail.com"))?;
    let told = if page.status == 303 { browser.get("/redirect")? } else { page };
    assert!(told.body.contains("Refused by the rules") || told.body.contains("do not allow it"), "{}", told.body);
    assert!(browser.get("/redirect")?.body.contains("Your mail stays here."));
    assert_eq!(browser.fill("/redirect", "/redirect", &[("to", "no address"), ("because", "x")])?.status, 422);
    Ok(())
}

#[test]
fn the_address_book_finds_people_and_nobody_carries_it_away() -> Outcome {
    let server = serve();
    let (alice, bob) = (person(&server, 0), person(&server, 1));
    let mut browser = Browser::signed_in(&server, "inside", &alice);
    let page = browser.get(&format!("/address-book?name={}", bob.login))?;
    assert!(page.body.contains(&format!("mailto:{}", bob.address)), "{}", page.body);
    for never in [bob.password.as_str(), &format!("quota of {}", bob.login)] {
        assert!(!page.body.contains(never));
    }
    assert_eq!(browser.get("/address-book?name=a")?.status, 422);
    let mut refused = 0;
    for at in 0..70 {
        let status = browser.get(&format!("/address-book?name=aa{at}"))?.status;
        assert!(matches!(status, 200 | 429), "{status}");
        refused += usize::from(status == 429);
    }
    // A minute may end in between.
    assert!(refused >= 5, "{refused} of 70");
    Ok(())
}
