//! A name that is a script, and a correspondent of two units: people as they should not be, on every page that shows them.

use std::fs;

use tests::scratch::Scratch;
use tests::{Browser, Facteur, Options, Outcome, policy_copy};

const EVIL: &str = "<script>alert(1)</script>";
const OWN_PAGES: [&str; 12] = [
    "/",
    "/password",
    "/storage",
    "/app-passwords",
    "/second-factor",
    "/redirect",
    "/sharing",
    "/activity",
    "/corrections",
    "/setup",
    "/accessibility",
    "/address-book?name=evil",
];

/// The house of Nantes with one more person and one more function.
fn serve(scratch: &Scratch) -> Facteur {
    let policy = policy_copy::changed(scratch, "nantes", &[]);
    let file = policy.join("people.ron");
    let text = fs::read_to_string(&file).expect("the policy has people");
    let person = format!(
        "        (first: {EVIL:?}, last: \"Evil\\\"><img src=x>\", login: \"evil-x\", address: \"evil.x@univ-nantes.fr\", \
         profile: \"standard\", unit: \"droit\", registered: \"2024-01-08\"),\n    ],\n    functions: ["
    );
    let function =
        "\n        (address: \"Correspondant.Droit@univ-nantes.fr\", members: [\"leguennec-m\", \"evil-x\"]),";
    let text = text.replacen("    ],\n    functions: [", &format!("{person}{function}"), 1);
    assert!(text.contains("evil-x"), "the people of the policy have functions behind them");
    fs::write(file, text).expect("the scratch folder is ours");
    Facteur::start_with(&policy, Options::default())
}

#[test]
fn a_person_whose_name_is_a_script_runs_on_no_page() -> Outcome {
    let scratch = Scratch::new("evil-name");
    let server = serve(&scratch);
    let person = |login: &str| server.describe.person(login).clone();
    let evil = person("evil-x");
    let mut own = Browser::signed_in(&server, "inside", &evil);
    let mut manager = Browser::signed_in(&server, "inside", &person("dupont-p"));
    let fields = [("to", "x@lab.example.edu"), ("home", "example.edu"), ("because", EVIL), ("until", "2999-12-31")];
    own.fill("/redirect", "/redirect", &fields)?;
    let mut pages = Vec::new();
    for path in OWN_PAGES {
        let page = own.get(path)?;
        assert!(page.status == 200 || page.status == 404, "{path}: {}", page.status);
        pages.push((path.to_owned(), page));
    }
    let all = ["", "/people", "/people?q=evil", "/people/evil-x", "/redirects", "/compromise", "/quarantine", "/spam"];
    let more = ["/recall", "/blocks", "/decision", "/audit", "/audit?about=evil-x"];
    for path in all.into_iter().chain(more) {
        let path = format!("/manage{path}");
        let page = manager.get(&path)?;
        assert_eq!(page.status, 200, "{path}");
        pages.push((path, page));
    }
    let path = "/address-book?name=evil";
    pages.push((path.to_owned(), Browser::signed_in(&server, "inside", &person("toto-j")).get(path)?));
    let mut shown = 0;
    for (path, page) in &pages {
        assert!(!page.body.contains("<script") && !page.body.contains("<img src=x"), "{path}: {}", page.body);
        shown += usize::from(page.body.contains("&lt;script&gt;alert(1)"));
    }
    assert!(shown >= 5, "the name is on {shown} pages");
    Ok(())
}

#[test]
fn a_correspondent_of_two_units_sees_the_people_and_requests_of_both() -> Outcome {
    let scratch = Scratch::new("two-units");
    let server = serve(&scratch);
    let person = |login: &str| server.describe.person(login).clone();
    // Whose own unit is a third one.
    let mut correspondent = Browser::signed_in(&server, "inside", &person("leguennec-m"));
    let people = correspondent.get("/manage/people")?.body;
    for (login, is_there) in [("toto-j", true), ("delatour-ch", true), ("evil-x", true), ("toto-jp", false)] {
        assert_eq!(people.contains(&format!("/manage/people/{login}\"")), is_there, "{login}: {people}");
    }
    assert!(correspondent.get("/manage/people?q=tour")?.body.contains("/manage/people/delatour-ch\""));
    assert!(!correspondent.get("/manage/people?q=toto")?.body.contains("toto-jp"));
    for login in ["toto-j", "delatour-ch"] {
        let fields =
            [("to", "x@lab.example.edu"), ("home", "example.edu"), ("because", "guest"), ("until", "2999-12-31")];
        Browser::signed_in(&server, "inside", &person(login)).fill("/redirect", "/redirect", &fields)?;
    }
    let waiting = correspondent.get("/manage/redirects")?.body;
    for login in ["toto-j", "delatour-ch"] {
        assert!(waiting.contains(&format!("({login})")), "{login}: {waiting}");
    }
    Ok(())
}
