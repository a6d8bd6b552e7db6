//! The table of the guide's 2.1, row by row, with swaks from each network: every limit at N and at N + 1. And one stolen
//! password on three accesses at once, paced so that nothing is refused before the sum the compiler proved.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tests::describe::Person;
use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Options, Outcome, Smtp, policy_copy, wait};

use crate::clients::found;

/// A row of the table, and how a client comes to it.
struct Access {
    block: &'static str,
    listener: &'static str,
    network: &'static str,
    recipients_in_one_message: usize,
    messages_in_an_hour: usize,
    recipients_in_a_quarter: Option<usize>,
}

const TABLE: [Access; 4] = [
    Access {
        block: "person-webmail",
        listener: "subm",
        network: "webmail-hosts",
        recipients_in_one_message: 50,
        messages_in_an_hour: 100,
        recipients_in_a_quarter: Some(500),
    },
    Access {
        block: "person-inside",
        listener: "subm",
        network: "inside",
        recipients_in_one_message: 100,
        messages_in_an_hour: 200,
        recipients_in_a_quarter: Some(500),
    },
    Access {
        block: "person-outside",
        listener: "subm",
        network: "outside",
        recipients_in_one_message: 50,
        messages_in_an_hour: 50,
        recipients_in_a_quarter: Some(250),
    },
    Access {
        block: "machine",
        listener: "relay",
        network: "private",
        recipients_in_one_message: 50,
        messages_in_an_hour: 100,
        recipients_in_a_quarter: None,
    },
];

impl Access {
    fn needs_login(&self) -> bool {
        self.block != "machine"
    }

    /// A connection that may send.
    fn connect(&self, server: &Facteur, who: &Person) -> std::io::Result<Smtp> {
        if self.needs_login() {
            return Smtp::person(server, self.listener, self.network, who);
        }
        Smtp::stranger(server, self.listener, self.network)
    }

    /// One message of `who` to `recipients`, by swaks.
    fn swaks(&self, swaks: &PathBuf, server: &Facteur, who: &Person, recipients: &[String]) -> Ran {
        let mut command = Command::new(swaks);
        command.arg("--server").arg(server.describe.listener(self.listener).addr.to_string());
        command.arg("--local-interface").arg(server.describe.network(self.network).source.to_string());
        command.args(["--helo", "client.example", "--timeout", "60s", "--from", &who.address]);
        command.args(["--to", &recipients.join(",")]);
        if self.needs_login() {
            command.args(["--tls", "--auth", "PLAIN", "--auth-user", &who.login, "--auth-password", &who.password]);
        }
        program::run(&mut command)
    }

    /// `messages` of `each` recipients, all of them accepted.
    fn fill(&self, server: &Facteur, who: &Person, messages: usize, each: usize) -> Outcome {
        let mut smtp = self.connect(server, who)?;
        for message in 0..messages {
            smtp.mail(&who.address)?.expect(250)?;
            for number in 0..each {
                smtp.rcpt(&elsewhere(message * each + number))?.expect(250)?;
            }
            smtp.data(&letter(&who.address, "reader@elsewhere.example", "fill"))?.expect(250)?;
        }
        Ok(())
    }
}

fn elsewhere(number: usize) -> String {
    format!("reader{number}@elsewhere.example")
}

fn count(ran: &Ran, needle: &str) -> usize {
    ran.out.lines().filter(|line| line.starts_with('<') && line.contains(needle)).count()
}

#[test]
fn each_access_takes_as_many_recipients_in_one_message_as_the_guide_says_and_the_next_one_waits() -> Outcome {
    let Some(swaks) = found("each_access_takes_as_many", "swaks") else { return Ok(()) };
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    for access in &TABLE {
        let most = access.recipients_in_one_message;
        let recipients: Vec<String> = (0..=most).map(elsewhere).collect();
        let all = access.swaks(&swaks, &server, &who, &recipients[..most]).ends(0);
        assert_eq!((count(&all, "250 2.1.5"), count(&all, "452 4.5.3")), (most, 0), "{}", access.block);
        let more = access.swaks(&swaks, &server, &who, &recipients);
        assert_eq!((count(&more, "250 2.1.5"), count(&more, "452 4.5.3")), (most, 1), "{}: {}", access.block, more.out);
        let kept = more.out.lines().filter(|line| line.contains("250 2.6.0 OK, kept as")).count();
        assert_eq!(kept, 1, "those that were accepted stand: {}", more.out);
    }
    Ok(())
}

#[test]
fn each_access_takes_as_many_messages_in_an_hour_as_the_guide_says_and_the_next_one_waits() -> Outcome {
    let Some(swaks) = found("each_access_takes_as_many", "swaks") else { return Ok(()) };
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-jp").clone();
    for access in &TABLE {
        access.fill(&server, &who, access.messages_in_an_hour - 1, 1)?;
        access.swaks(&swaks, &server, &who, &[elsewhere(0)]).ends(0);
        let over = access.swaks(&swaks, &server, &who, &[elsewhere(0)]);
        let rule = format!("[may_send.{}.messages_accepted/1h ", access.block);
        let shown = if access.needs_login() { rule.as_str() } else { "[message-window " };
        assert_eq!(count(&over, "451 4.7.1"), 1, "{}", over.out);
        assert_eq!(count(&over, shown), 1, "{shown}: {}", over.out);
    }
    Ok(())
}

#[test]
fn each_access_takes_as_many_recipients_in_a_quarter_as_the_guide_says_and_the_next_one_waits() -> Outcome {
    let Some(swaks) = found("each_access_takes_as_many", "swaks") else { return Ok(()) };
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j-1").clone();
    for access in &TABLE {
        let Some(most) = access.recipients_in_a_quarter else { continue };
        let each = access.recipients_in_one_message;
        access.fill(&server, &who, most / each - 1, each)?;
        access.fill(&server, &who, 1, each - 1)?;
        access.swaks(&swaks, &server, &who, &[elsewhere(0)]).ends(0);
        let over = access.swaks(&swaks, &server, &who, &[elsewhere(0)]);
        let rule = format!("[may_send.{}.recipients_attempted/15min ", access.block);
        assert_eq!((count(&over, "451 4.7.1"), count(&over, &rule)), (1, 1), "{}", over.out);
    }
    Ok(())
}

// ---- one stolen password on three accesses ----------------------------------

/// Windows that pass while a test waits, in seconds, and what they take on the webmail, inside and outside.
const SHORT_S: u64 = 15;
const LONG_S: u64 = 60;
const ACCESSES: [(usize, usize, usize); 3] = [(0, 20, 40), (1, 20, 40), (2, 10, 20)];
const SUM: usize = 100;

fn paced_policy(scratch: &Scratch, at_most: usize) -> PathBuf {
    let rows = [
        (
            "recipients_in_one_message: 50, messages_accepted: [\"100 / 1 h\"], recipients_attempted: [\"500 / 15 min\", \"1000 / 1 h\"]",
            20,
            40,
        ),
        (
            "recipients_in_one_message: 100, messages_accepted: [\"200 / 1 h\"], recipients_attempted: [\"500 / 15 min\", \"1000 / 1 h\"]",
            20,
            40,
        ),
        (
            "recipients_in_one_message: 50, messages_accepted: [\"50 / 1 h\"], recipients_attempted: [\"250 / 15 min\", \"500 / 1 h\"]",
            10,
            20,
        ),
    ];
    let mut changes: Vec<(String, String)> = rows
        .iter()
        .map(|(was, short, long)| {
            let windows = format!("[\"{short} / {SHORT_S} s\", \"{long} / {LONG_S} s\"]");
            let row = format!(
                "recipients_in_one_message: {short}, messages_accepted: Unlimited, recipients_attempted: {windows}"
            );
            ((*was).to_owned(), row)
        })
        .collect();
    let promise = "AtMost(recipients: \"2500 / 1 h\", of: Account, via: AnyBlock)".to_owned();
    changes.push((promise, format!("AtMost(recipients: \"{at_most} / {LONG_S} s\", of: Account, via: AnyBlock)")));
    let changes: Vec<(&str, &str)> = changes.iter().map(|(was, becomes)| (was.as_str(), becomes.as_str())).collect();
    policy_copy::changed(scratch, "nantes", &changes)
}

/// Sends what one access takes in the longer window without being refused once, then one more: how many were accepted,
/// and whether the last was refused.
fn as_many_as_fit(
    server: &Facteur,
    who: &Person,
    access: &Access,
    short: usize,
    long: usize,
) -> std::io::Result<(usize, bool)> {
    let mut smtp = access.connect(server, who)?;
    let mut accepted = 0;
    while accepted < long {
        smtp.mail(&who.address)?.expect(250)?;
        for number in 0..short {
            smtp.rcpt(&elsewhere(number))?.expect(250)?;
            accepted += 1;
        }
        smtp.data(&letter(&who.address, "reader@elsewhere.example", "stolen"))?.expect(250)?;
        if accepted < long {
            // Until the last of them is out of the shorter window.
            let sent = Instant::now();
            let passed = || (sent.elapsed() > Duration::from_secs(SHORT_S)).then_some(());
            wait::until(Duration::from_secs(LONG_S), "the shorter window has passed", passed);
        }
    }
    smtp.mail(&who.address)?.expect(250)?;
    Ok((accepted, smtp.rcpt(&elsewhere(0))?.code == 451))
}

#[test]
fn a_stolen_password_on_three_accesses_is_good_for_exactly_the_sum_the_compiler_proved() -> Outcome {
    let scratch = Scratch::new("stolen");
    let less = Scratch::new("stolen-less");
    let check = |policy: &PathBuf| program::run(Command::new(program::facteur()).arg("check").arg(policy));
    let broken = check(&paced_policy(&less, SUM - 1));
    assert!(broken.err.contains("error[E0901]"), "one less is not what the policy allows: {}", broken.err);
    let policy = paced_policy(&scratch, SUM);
    assert!(check(&policy).ends(0).err.contains("AtMost holds"));
    let server = Facteur::start_with(&policy, Options::default());
    // A machine that stood still for longer than the window proves nothing: then with somebody else's password.
    for login in ["toto-j", "toto-jp", "toto-j-1"] {
        let who = server.describe.person(login).clone();
        let began = Instant::now();
        let fitted: Vec<_> = thread::scope(|scope| {
            let running = ACCESSES.map(|(access, short, long)| {
                let (server, who) = (&server, &who);
                scope.spawn(move || as_many_as_fit(server, who, &TABLE[access], short, long))
            });
            running.into_iter().map(|thread| thread.join().expect("no sender panics")).collect::<Result<_, _>>()
        })?;
        let accepted: usize = fitted.iter().map(|(accepted, _)| accepted).sum();
        assert_eq!(accepted, SUM);
        if began.elapsed() < Duration::from_secs(LONG_S - 5) {
            assert!(fitted.iter().all(|(_, refused)| *refused), "{fitted:?}");
            return Ok(());
        }
    }
    panic!("the machine was too slow three times");
}
