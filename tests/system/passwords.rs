//! Passwords of people who come from elsewhere, of letters, and old ones, over real logins.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tests::describe::Person;
use tests::program;
use tests::scratch::Scratch;
use tests::{Facteur, Imap, Options, Outcome, Smtp, wait};

/// Flushes come every few seconds; a loaded machine is slow.
const FLUSHED_WITHIN: Duration = Duration::from_secs(60);
const PHRASE: &str = "correct-horse-battery";

struct House {
    _scratch: Scratch,
    data: PathBuf,
}

/// Exit code, standard output and error of a command.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl House {
    fn new(name: &str) -> House {
        let scratch = Scratch::new(name);
        let data = scratch.join("data");
        House { _scratch: scratch, data }
    }

    #[track_caller]
    fn serve(&self, policy: &str) -> Facteur {
        let options = Options { data: Some(self.data.clone()), ..Options::default() };
        Facteur::start_with(&program::top().join("policies").join(policy), options)
    }

    /// `facteur person WORDS --data …` with a line on its input.
    #[track_caller]
    fn person(&self, words: &[&str], line: &str) -> Said {
        let mut command = Command::new(program::facteur());
        command.arg("person").args(words).arg("--data").arg(&self.data);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("facteur is built");
        let mut input = child.stdin.take().expect("its input is ours");
        // A command that needs no line may have ended.
        let _ = input.write_all(format!("{line}\n").as_bytes());
        drop(input);
        let ended = child.wait_with_output().expect("the child is ours");
        let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
        Said { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) }
    }

    #[track_caller]
    fn import(&self, who: &Person, hash: &str, more: &[&str]) {
        let said = self.person(&[&["password", who.login.as_str(), "--hash"], more].concat(), hash);
        assert_eq!(said.code, Some(0), "{hash}: {}", said.err);
    }

    /// How many have a password of this scheme.
    #[track_caller]
    fn weak(&self, scheme: &str) -> u64 {
        let said = self.person(&["weak", "--format", "json"], "");
        let told: serde_json::Value = serde_json::from_str(said.out.trim()).unwrap_or_else(|_| panic!("{}", said.out));
        told["weak"][scheme]["count"].as_u64().unwrap_or(0)
    }
}

fn with(who: &Person, password: &str) -> Person {
    Person { password: password.to_owned(), ..who.clone() }
}

/// The tagged answer to a login.
fn answer(server: &Facteur, network: &str, who: &Person) -> std::io::Result<String> {
    let mut imap = Imap::connect(server, "imaps", network)?;
    let response = imap.command(&format!("LOGIN {} {}", who.login, who.password))?;
    Ok(format!("{} {}", response.status, response.text))
}

/// Hashes of [`PHRASE`] by openssl passwd, glibc's crypt(3) and Python's hashlib, with the word they are counted under.
const HASHES: [(&str, &str); 8] = [
    ("SSHA", "{SSHA}B4g2XJDGuQ+JSbM+X1l65fO/32NzYWx0c2FsdA=="),
    ("SHA", "{SHA}+Xl5/0SpoaQQX0uub+gJcV4KCoQ="),
    ("SSHA256", "{SSHA256}vo80gOtrWBtJzLJP68kSTALwKQNqd79hm08K+PNA3QFzYWx0c2FsdA=="),
    (
        "SSHA512",
        "{SSHA512}MOrTbX5IV/aLX2DxP29LzlOMNcszMl1yFZYjVUrczwZlX/ThAIvtSLrWR5c9XlHwHoF161bJhGivsU5qCQOgC3NhbHRzYWx0",
    ),
    ("md5-crypt", "{CRYPT}$1$saltsalt$P.nxGaP.sFWtBc3qN.PPP1"),
    (
        "sha-crypt",
        "{CRYPT}$6$saltsalt$jKJLpBbbekCckUVga/LGkt0FkqoO4g5Hwy2vW6lD8eoI/9jQwfogyqh4ANlnOUBzAZS/8L1MDwO6tpeKUOjtF/",
    ),
    ("bcrypt", "$2y$04$abcdefghijklmnopqrstuupOWRSKKNe562z1DsLEArFuJDHVyRIMa"),
    ("PBKDF2", "{PBKDF2-SHA256}1000$MDEyMzQ1Njc4OWFiY2RlZg$qGrhjrs6wActDPwpOlnw4lroZ4XBvcNCt5G.rUZmq40"),
];

#[test]
fn hashes_of_every_scheme_open_over_imap_and_smtp_and_are_renewed_at_the_first_login() -> Outcome {
    let house = House::new("schemes");
    let server = house.serve("bench");
    let alice = with(&server.describe.people[0], PHRASE);
    for (word, hash) in HASHES {
        house.import(&alice, hash, &[]);
        assert_eq!(house.weak(word), 1, "{hash}");
        let wrong = answer(&server, "outside", &with(&alice, "correct-horse-batterz"))?;
        assert!(wrong.starts_with("NO [AUTHENTICATIONFAILED]"), "{hash}: {wrong}");
        assert_eq!(house.weak(word), 1, "a wrong password renews nothing");
        Imap::person(&server, "outside", &alice)?;
        wait::until(FLUSHED_WITHIN, "the password is renewed", || (house.weak(word) == 0).then_some(()));
        Smtp::person(&server, "subm", "outside", &alice)?;
        assert!(answer(&server, "outside", &with(&alice, "correct-horse-batterz"))?.starts_with("NO"), "{hash}");
    }
    server.kill();

    let server = house.serve("bench");
    Imap::person(&server, "outside", &alice)?;
    let refused = house.person(&["password", &alice.login, "--hash"], "{CRYPT}rl.3StKT.4T8M");
    assert!(refused.code == Some(2) && refused.err.contains("not supported"), "{}", refused.err);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn a_weak_password_is_refused_with_useful_words_and_an_old_one_does_not_come_back() -> Outcome {
    let house = House::new("weak");
    let server = house.serve("bench");
    let alice = server.describe.people[0].clone();
    for (password, says) in
        [("azertyuiop1", "eighbouring keys"), ("xq7w", "at least 10 characters"), ("", "Type a password")]
    {
        let said = house.person(&["password", &alice.login], password);
        assert!(said.code == Some(2) && said.err.contains(says), "{password}: {}", said.err);
        assert!(password.is_empty() || !said.err.contains(password), "{}", said.err);
    }
    Imap::person(&server, "outside", &alice)?;
    assert_eq!(house.person(&["password", &alice.login], "lampe-vis-tortue-brume").code, Some(0));
    let said = house.person(&["password", &alice.login], &alice.password);
    assert!(said.code == Some(2) && said.err.contains("had it before"), "{}", said.err);
    assert!(!server.log_text().contains("lampe-vis"), "no secret is in a log");
    Ok(())
}

#[test]
fn an_old_password_reads_mail_and_sends_none_and_a_new_one_sends() -> Outcome {
    let house = House::new("old");
    let server = house.serve("nantes");
    let toto = with(&server.describe.people[0], PHRASE);
    let (_, hash) = HASHES[0];
    house.import(&toto, hash, &["--changed-on", "2020-01-31"]);
    Imap::person(&server, "inside", &toto)?;
    let mut smtp = Smtp::person(&server, "subm", "inside", &toto)?;
    let reply = smtp.mail(&toto.address)?;
    let text = reply.text();
    assert_eq!(reply.code, 550, "{text}");
    for told in ["2020-07-31", "https://motdepasse.univ-nantes.fr", "identity.password.at_expiry"] {
        assert!(text.contains(told), "{text}");
    }
    assert_eq!(house.person(&["password", &toto.login], "lampe-vis-tortue-brume").code, Some(0));
    let mut smtp = Smtp::person(&server, "subm", "inside", &with(&toto, "lampe-vis-tortue-brume"))?;
    smtp.mail(&toto.address)?.expect(250)?;
    Ok(())
}

#[test]
fn a_letter_has_a_password_that_reads_and_has_to_be_changed_before_it_sends() -> Outcome {
    let house = House::new("letter");
    let server = house.serve("nantes");
    let toto = server.describe.people[0].clone();
    let said = house.person(&["letter", &toto.login, "--language", "en"], "");
    assert_eq!(said.code, Some(0), "{}", said.err);
    let line = said.out.lines().find(|line| line.contains("Password for the first time"));
    let drawn = line.and_then(|line| line.rsplit(' ').next()).expect("the letter has it");
    assert!(said.out.contains(&toto.login) && said.out.contains("https://motdepasse.univ-nantes.fr"), "{}", said.out);
    assert!(answer(&server, "inside", &toto)?.starts_with("NO"), "the old one opens nothing");
    let given = with(&toto, drawn);
    Imap::person(&server, "inside", &given)?;
    let reply = Smtp::person(&server, "subm", "inside", &given)?.mail(&toto.address)?;
    assert!(reply.code == 550 && reply.text().contains("first time only"), "{}", reply.text());
    assert!(!server.log_text().contains(drawn), "no secret is in a log");
    let said = house.person(&["totp", &toto.login], "");
    assert!(said.code == Some(0) && said.out.contains("no second factor"), "{}", said.out);
    assert_eq!(house.person(&["totp", &toto.login, "--end"], "").code, Some(4));
    Ok(())
}
