//! Guessing passwords: it is slowed down and stopped, and keeps nobody else out.

use tests::describe::Person;
use tests::scratch::Scratch;
use tests::{Facteur, Imap, Options, Outcome, Smtp, policy_copy};

use crate::quarantine::House;

const GUESSES: usize = 10_000;
const AT_ONCE: usize = 50;
/// Answers wait no longer than a second.
const QUICK: &[(&str, &str)] = &[(
    "when_over: TryLater,\n    ),\n    strangers",
    "when_over: TryLater, delay: (after: 3, at_most: \"1 s\"),\n    ),\n    strangers",
)];

/// The answer to a login over IMAP, without its tag.
fn answer(server: &Facteur, network: &str, login: &str, password: &str) -> std::io::Result<String> {
    let mut imap = Imap::connect(server, "imaps", network)?;
    let response = imap.command(&format!("LOGIN {login} {password}"))?;
    Ok(format!("{} {}", response.status, response.text))
}

/// Wrong passwords, all different, over many connections at once; how many were answered as wrong.
fn guessed(server: &Facteur, network: &str, login: &str, many: usize) -> usize {
    let guess = |from: usize| {
        (from..many).step_by(AT_ONCE).filter(|number| {
            let answer = answer(server, network, login, &format!("guess{number}"));
            answer.is_ok_and(|answer| answer.contains("AUTHENTICATIONFAILED"))
        })
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|from| scope.spawn(move || guess(from).count())).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).sum()
    })
}

fn log_in(server: &Facteur, network: &str, who: &Person) -> Outcome {
    Imap::person(server, network, who)?;
    Smtp::person(server, "subs", network, who)?;
    Ok(())
}

#[test]
fn ten_thousand_guesses_from_outside_keep_no_colleague_out_inside() -> Outcome {
    tests::wire::many_files();
    let scratch = Scratch::new("guesses");
    let server = Facteur::start_with(&policy_copy::changed(&scratch, "nantes", QUICK), Options::default());
    let colleague = server.describe.person("toto-j").clone();
    let looked_at = guessed(&server, "outside", &colleague.login, GUESSES);
    // All that were under way at once may have been let through together, and no more.
    assert!((10..10 + AT_ONCE).contains(&looked_at), "{looked_at} guesses were looked at");
    let refused = answer(&server, "outside", &colleague.login, &colleague.password)?;
    assert!(refused.contains("UNAVAILABLE"), "{refused}");
    log_in(&server, "inside", &colleague)?;
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn who_was_here_lately_is_not_kept_out_by_guesses_from_elsewhere_and_an_unlock_lets_the_others_in() -> Outcome {
    let house = House::new("unlock", "nantes", QUICK, "");
    let server = house.serve(0);
    let who = server.describe.person("toto-j").clone();
    log_in(&server, "inside", &who)?;
    assert!(guessed(&server, "inside", "nobody-x", 12) >= 10);
    // Ten wrong passwords from where the account was never used before.
    let other = server.describe.person("dupont-a").clone();
    assert!(guessed(&server, "private", &other.login, 12) >= 10);
    let locked = answer(&server, "private", &other.login, &other.password)?;
    assert!(locked.contains("UNAVAILABLE"), "{locked}");
    house.run(&["person", "unlock", &other.login]).ends(0);
    let opened = answer(&server, "private", &other.login, &other.password)?;
    assert!(opened.starts_with("OK"), "{opened}");
    house.run(&["person", "unlock", "no-such-login"]).ends(2);
    let audit = |server: Facteur| {
        server.stop();
        crate::outbound::site::open(&house.data()).audit(100)
    };
    let entries = audit(server)?;
    assert!(entries.iter().any(|entry| format!("{entry:?}").contains("unlocked dupont-a")), "{entries:?}");
    Ok(())
}
