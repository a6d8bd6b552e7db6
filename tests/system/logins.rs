//! Logins at scale: what a restart remembers, what a changed password ends, app passwords, and many at once.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tests::describe::Person;
use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::storm::{self, Storm};
use tests::{Facteur, Imap, Options, Outcome, Smtp, wait};

/// Flushes come every few seconds; a loaded machine is slow.
const FLUSHED_WITHIN: Duration = Duration::from_secs(60);

struct House {
    _scratch: Scratch,
    data: PathBuf,
}

impl House {
    fn new() -> House {
        let scratch = Scratch::new("logins");
        let data = scratch.join("data");
        House { _scratch: scratch, data }
    }

    #[track_caller]
    fn serve(&self) -> Facteur {
        let options = Options { data: Some(self.data.clone()), ..Options::default() };
        Facteur::start_with(&program::top().join("policies/bench"), options)
    }

    /// `facteur person WORDS --data …`.
    fn person(&self, words: &[&str]) -> Ran {
        program::run(Command::new(program::facteur()).arg("person").args(words).arg("--data").arg(&self.data))
    }

    #[track_caller]
    fn set_password(&self, who: &Person, password: &str) {
        let mut command = Command::new(program::facteur());
        command.args(["person", "password", &who.login]).arg("--data").arg(&self.data);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("facteur is built");
        let mut input = child.stdin.take().expect("its input is ours");
        std::io::Write::write_all(&mut input, format!("{password}\n").as_bytes()).expect("it reads");
        drop(input);
        assert!(child.wait().expect("the child is ours").success());
    }
}

/// Checks of passwords that ended so.
fn checks(server: &Facteur, how: &str) -> f64 {
    let line = format!("facteur_password_checks_total{{how=\"{how}\"}} ");
    let page = server.metrics();
    page.lines().find_map(|found| found.strip_prefix(&line)?.parse().ok()).unwrap_or(0.0)
}

fn with(who: &Person, password: &str) -> Person {
    Person { password: password.to_owned(), ..who.clone() }
}

/// The tagged answer to a login.
fn answer(server: &Facteur, who: &Person) -> std::io::Result<String> {
    let mut imap = Imap::connect(server, "imaps", "outside")?;
    let response = imap.command(&format!("LOGIN {} {}", who.login, who.password))?;
    Ok(format!("{} {}", response.status, response.text))
}

#[test]
fn a_restart_hashes_nobody_again_and_a_changed_password_ends_the_old_one() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let alice = server.describe.people[0].clone();
    Imap::person(&server, "outside", &alice)?;
    Smtp::person(&server, "subm", "outside", &alice)?;
    assert_eq!((checks(&server, "hashed"), checks(&server, "remembered")), (1.0, 1.0));
    wait::until(FLUSHED_WITHIN, "the login is kept", || (server.metric("facteur_logins_kept") == 1.0).then_some(()));
    server.kill();

    let server = house.serve();
    Imap::person(&server, "outside", &alice)?;
    assert_eq!((checks(&server, "hashed"), checks(&server, "remembered")), (0.0, 1.0), "after a crash");
    let bob = server.describe.people[1].clone();
    Imap::person(&server, "outside", &bob)?;
    server.stop();

    let server = house.serve();
    Imap::person(&server, "outside", &bob)?;
    assert_eq!((checks(&server, "hashed"), checks(&server, "remembered")), (0.0, 1.0), "what the end wrote");
    house.set_password(&alice, "battery staple hinge");
    assert!(answer(&server, &alice)?.starts_with("NO [AUTHENTICATIONFAILED]"));
    assert!(answer(&server, &with(&alice, "battery-staple"))?.starts_with("NO [AUTHENTICATIONFAILED]"));
    Imap::person(&server, "outside", &with(&alice, "battery staple hinge"))?;
    server.kill();

    let server = house.serve();
    assert!(answer(&server, &alice)?.starts_with("NO [AUTHENTICATIONFAILED]"), "also after a crash");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn app_passwords_open_until_they_are_removed_and_cost_no_hash() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let alice = server.describe.people[0].clone();
    let add = ["app-password", &alice.login, "add", "phone"];
    let made = house.person(&add).ends(0);
    let phone = with(&alice, made.out.trim());
    Imap::person(&server, "outside", &phone)?;
    Smtp::person(&server, "subm", "outside", &phone)?;
    assert_eq!((checks(&server, "hashed"), checks(&server, "app_password")), (0.0, 2.0));
    let other = with(&server.describe.people[1], &phone.password);
    assert!(answer(&server, &other)?.starts_with("NO [AUTHENTICATIONFAILED]"), "it is of one account");
    let list = ["app-password", &alice.login, "list", "--format", "json"];
    wait::until(FLUSHED_WITHIN, "the last use is kept", || {
        let listed = house.person(&list).ends(0).out;
        assert!(listed.contains("\"name\":\"phone\"") && !listed.contains(&phone.password), "{listed}");
        (!listed.contains("\"used_on\":null")).then_some(())
    });
    assert_eq!(house.person(&add).code, Some(2), "a name is used once");
    server.kill();

    let server = house.serve();
    Imap::person(&server, "outside", &phone)?;
    house.person(&["app-password", &alice.login, "remove", "phone"]).ends(0);
    house.person(&["app-password", &alice.login, "remove", "phone"]).ends(4);
    assert!(answer(&server, &phone)?.starts_with("NO [AUTHENTICATIONFAILED]"));
    Imap::person(&server, "outside", &alice)?;
    server.stop();
    house.person(&["app-password", &alice.login, "add", "without a server"]).ends(0);
    let listed = house.person(&["app-password", &alice.login, "list"]).ends(0).out;
    assert!(listed.contains("without a server") && listed.contains("never used"), "{listed}");
    Ok(())
}

#[test]
fn two_hundred_people_log_in_at_once_and_mail_goes_on() -> Outcome {
    tests::wire::many_files();
    let options = Options { people: 200, ..Options::default() };
    let server = Facteur::start_with(&program::top().join("policies/bench"), options);
    let people = server.describe.people.iter().filter(|who| who.login.starts_with("user"));
    let logins: Vec<(String, String)> = people.map(|who| (who.login.clone(), who.password.clone())).collect();
    assert_eq!(logins.len(), 200);
    let storm = Storm {
        imaps: server.describe.listener("imaps").addr,
        tls: server.tls.clone(),
        logins,
        connections: 100,
        source: |number| Ipv4Addr::new(127, 1 + (number % 2) as u8, 0, 1),
    };
    let mail = || -> std::io::Result<()> {
        let mut smtp = Smtp::stranger(&server, "mx", "nearby")?;
        smtp.mail("a@client.example")?.expect(250)?;
        smtp.rcpt(&server.describe.people[0].address)?.expect(250).map(drop)
    };
    let (report, mails) = storm::beside(|| storm.run(), mail);
    assert_eq!((report.waits.len(), report.wrong), (200, 0), "{report:?}");
    assert!(!mails.is_empty() && mails.iter().all(Result::is_ok), "{mails:?}");
    assert_eq!(checks(&server, "hashed"), 200.0);
    let again = storm.run();
    assert_eq!((again.waits.len(), again.later, again.wrong), (200, 0, 0), "{again:?}");
    assert_eq!((checks(&server, "hashed"), checks(&server, "remembered")), (200.0, 200.0));
    assert_eq!(server.metric("facteur_logins_waiting"), 0.0);
    Ok(())
}
