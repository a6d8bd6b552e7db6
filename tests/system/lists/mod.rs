//! Debian's Sympa as the list server of a house: its lists are a domain that is passed on, it is a registered application
//! with a block and figures of its own, and its bounces find back to it. `tests/run --long lists` runs it.

mod sympa;

use std::io;

use tests::dns::Dns;
use tests::scratch::Scratch;
use tests::smtp::{Reply, letter, read_reply};
use tests::{Outcome, wait};

use self::sympa::{DOMAIN, Sympa};
use crate::clients::found;
use crate::exchange::house::{House, Plan, Relay, WITHIN};
use crate::exchange::net::Net;
use crate::outbound::smart_host::SmartHost;
use crate::world::authority::Authority;

const RESOLVER: &str = "127.0.0.53";
const LIST: &str = "annonces@listes.univ.example";
const OWNER: &str = "annonces-owner@listes.univ.example";
const ANNE: &str = "Anne.Alpha@univ.example";
const BERT: &str = "Bert.Beta@univ.example";
const RITA: &str = "rita@remote.example";
const DEAD: &str = "dead@remote.example";

/// Copies of a message to the list: two people here, two elsewhere.
const COPIES: usize = 4;
/// Messages the figures of Sympa have room for; those of a person have room for one more.
const POSTS: usize = 2;

fn sections() -> String {
    let (copies, posts) = (COPIES * POSTS, POSTS + 1);
    format!(
        "domains: {{\n        \"univ.example\": Held(),\n        \
         \"{DOMAIN}\": PassOn(next_hop: Smtp(\"sympa.univ.example:25\"), recipients: AskThere(cache: \"10 min\")),\n    }},\n    \
         never_reachable_beyond: {{ Imaps: Everywhere, Submission: Everywhere, Mx: Everywhere, Relay: [\"servers\"] }},\n    \
         may_send: {{\n        \"person\": (\n            \
         connecting_to: [\"subs\"], from: [\"inside\", \"outside\"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,\n            \
         each_account: (recipients_in_one_message: 1, messages_accepted: Unlimited, recipients_attempted: [\"{posts} / 1 h\"]),\n        ),\n        \
         \"lists\": (\n            \
         connecting_to: [\"relay\"], from: [\"servers\"], to: Anyone, as: OwnAddresses, header_from: AnyAddress, empty_sender: ReportsOnly,\n            \
         each_client_address: (recipients_in_one_message: 1, messages_accepted: [\"1 / 1 h\"], recipients_attempted: [\"1 / 1 h\"]),\n        ),\n    }},\n    \
         senders: (of: [\"lists\"], unknown: Refuse, known: {{\n        \
         \"sympa\": (from: [\"127.0.1.4/32\"], as: [\"{OWNER}\", \"sympa@{DOMAIN}\", \"sympa-owner@{DOMAIN}\", \"sympa-request@{DOMAIN}\"],\n            \
         owner: \"{ANNE}\", until: \"2099-12-31\",\n            \
         limits: (recipients_in_one_message: {COPIES}, messages_accepted: Unlimited, recipients_attempted: [\"{copies} / 1 h\"])),\n    }}),"
    )
}

/// What is told of the world, and who is there.
struct Town<'n> {
    net: &'n Net,
    house: House,
    sympa: Sympa<'n>,
    remote: SmartHost,
}

impl Town<'_> {
    /// How many messages of this subject a person here has.
    fn copies_here(&self, login: &str, subject: &str) -> usize {
        let inbox = self.house.inbox(self.net, login).unwrap_or_default();
        inbox.lines().filter(|line| subject_of(line) == Some(subject)).count()
    }

    /// The messages of this subject that were taken for Rita.
    fn copies_of_rita(&self, subject: &str) -> Vec<String> {
        let seen = self.remote.seen().into_iter().filter(|one| one.recipients.iter().any(|to| to == RITA));
        let texts = seen.map(|one| String::from_utf8_lossy(&one.content()).into_owned());
        texts.filter(|text| text.lines().any(|line| subject_of(line) == Some(subject))).collect()
    }

    /// The copies of a subject for Anne, Bert and Rita.
    fn copies(&self, subject: &str) -> [usize; 3] {
        [self.copies_here("alpha-a", subject), self.copies_here("beta-b", subject), self.copies_of_rita(subject).len()]
    }

    #[track_caller]
    fn until_distributed(&self, subject: &str) {
        until("a subscriber elsewhere has it", || !self.copies_of_rita(subject).is_empty());
        until("every subscriber has it", || self.copies(subject) == [1, 1, 1]);
    }

    /// What a stranger, or another server, hears who hands a message over at the MX: the reply to RCPT, or to the content.
    fn hand(&self, from: &str, to: &str, message: &str) -> io::Result<Reply> {
        self.net.inside(|| {
            let mut wire = self.house.plain(25)?;
            read_reply(&mut wire)?.expect(220)?;
            for (line, code) in [("EHLO mx.remote.example".to_owned(), 250), (format!("MAIL FROM:<{from}>"), 250)] {
                wire.send(format!("{line}\r\n").as_bytes())?;
                read_reply(&mut wire)?.expect(code)?;
            }
            wire.send(format!("RCPT TO:<{to}>\r\n").as_bytes())?;
            let reply = read_reply(&mut wire)?;
            if !reply.is_ok() {
                return Ok(reply);
            }
            wire.send(b"DATA\r\n")?;
            read_reply(&mut wire)?.expect(354)?;
            wire.send(format!("{message}\r\n.\r\n").as_bytes())?;
            read_reply(&mut wire)
        })
    }

    /// How often something was delivered to the next hop for `address`.
    fn handed_on(&self, address: &str) -> usize {
        let log = self.house.log();
        let about = format!("about=\"{address}\"");
        log.lines().filter(|line| line.contains(" delivered queue_id=") && line.contains(&about)).count()
    }
}

/// Sympa puts the list's name in front.
fn subject_of(line: &str) -> Option<&str> {
    let subject = line.strip_prefix("Subject: ")?;
    Some(subject.strip_prefix("[annonces] ").unwrap_or(subject))
}

#[track_caller]
fn until(what: &str, mut look: impl FnMut() -> bool) {
    wait::until(WITHIN, what, || look().then_some(()));
}

#[test]
fn a_list_of_sympa_reaches_each_subscriber_once_within_figures_of_its_own_and_its_bounces_come_back() -> Outcome {
    if std::env::var_os("FACTEUR_LONG").is_none() {
        eprintln!("not run: only `tests/run --long lists` asks for it");
        return Ok(());
    }
    let test = "a_list_of_sympa";
    for program in ["postfix", "sqlite3", "/usr/lib/sympa/bin/sympa"] {
        if found(test, program).is_none() {
            return Ok(());
        }
    }
    let Some(net) = Net::new(test, RESOLVER) else { return Ok(()) };
    let scratch = Scratch::new("lists");
    let town = town(&net, &scratch);

    distributed(&town)?;
    bounced(&town);
    looped(&town)?;
    unknown(&town)?;
    limited(&town)?;
    assert!(!town.house.log().contains("panicked"));
    Ok(())
}

#[track_caller]
fn town<'n>(net: &'n Net, scratch: &Scratch) -> Town<'n> {
    let authority = Authority::new();
    let dns = net.inside(|| Dns::start_at(&format!("{RESOLVER}:53"), ""));
    std::fs::write(scratch.join("anchors"), &dns.anchors).expect("the scratch folder is ours");
    let remote = net.inside(|| SmartHost::willing(&[]));
    remote.script().refused.insert(DEAD, "550 5.1.1 nobody of this name");
    dns.set(
        "univ.example MX 10 mx.univ.example\nmx.univ.example A 127.0.1.1\nsympa.univ.example A 127.0.1.4\n\
         relay.univ.example A 127.0.1.2\nremote.example MX 10 mx.remote.example\nmx.remote.example A 127.0.1.3\n",
    );
    let site = format!(
        "dns: (servers: [\"{RESOLVER}:53\"], anchors: Some({:?})), hosts: {{\"mx.remote.example:25\": \"127.0.0.1:{}\"}},",
        scratch.join("anchors"),
        remote.port
    );
    let plan = Plan {
        domain: "univ.example",
        host: "mx.univ.example",
        address: "127.0.1.1",
        sections: sections(),
        people: &[("Anne", "Alpha"), ("Bert", "Beta")],
        keeps: true,
    };
    let relay = Relay { address: "127.0.1.2", servers: "127.0.1.4/32" };
    let house = House::start_with(net, scratch, (&plan, Some(&relay)), &authority, &site);
    let mut sympa = Sympa::new(net, scratch, "127.0.1.4", "127.0.1.2");
    sympa.create("annonces", ANNE, &[ANNE, BERT, RITA, DEAD]);
    sympa.start();
    Town { net, house, sympa, remote }
}

/// A member's message reaches every subscriber once, as mail of a list.
fn distributed(town: &Town<'_>) -> Outcome {
    town.house.submit(town.net, "alpha-a", "", LIST, &letter(ANNE, LIST, "first"))?;
    town.until_distributed("first");
    let [text] = town.copies_of_rita("first").try_into().map_err(|all| format!("{all:?}"))?;
    for field in ["List-Id: ", "Precedence: list", "X-Loop: annonces@listes.univ.example", &format!("From: <{ANNE}>")] {
        assert!(text.lines().any(|line| line.starts_with(field)), "{field}: {text}");
    }
    let reverse_paths: Vec<String> = town.remote.seen().into_iter().map(|one| one.mail).collect();
    assert!(reverse_paths.iter().all(|mail| mail.starts_with(&format!("MAIL FROM:<{OWNER}>"))), "{reverse_paths:?}");
    Ok(())
}

/// The refusal of a dead subscriber's server comes back to Sympa as a report that Sympa reads.
fn bounced(town: &Town<'_>) {
    until("Sympa counts the bounce", || town.sympa.bounce(DEAD).is_some());
    let row = town.sympa.bounce(DEAD).unwrap_or_default();
    assert_eq!(row.split(' ').nth(2), Some("1"), "first, last, count, score: {row}");
    let filed = town.sympa.filed_bounce("annonces", DEAD).unwrap_or_default();
    for words in
        ["multipart/report", "message/delivery-status", "Action: failed", "Status: 5.1.1", "Auto-Submitted: auto-"]
    {
        assert!(filed.contains(words), "{words}: {filed}");
    }
    assert_eq!(town.sympa.bounce(RITA), None);
}

/// A subscriber's server that sends the list its own message back is not heard: in the name of one of us it is refused at
/// the door, and else Sympa knows its mark.
fn looped(town: &Town<'_>) -> Outcome {
    let back = |subject: &str| {
        let [text] = town.copies_of_rita(subject).try_into().map_err(|all| io::Error::other(format!("{all:?}")))?;
        town.hand(RITA, LIST, text.trim_end())
    };
    assert_eq!(back("first")?.codes(), "550 5.7.1");
    town.hand(RITA, LIST, &letter(RITA, LIST, "second"))?.expect(250)?;
    town.until_distributed("second");
    back("second")?.expect(250)?;
    until("Sympa knows what came back", || town.sympa.log().contains("which would cause a loop"));
    Ok(())
}

/// Whom the list server does not know is refused at RCPT while it can be asked, and put off while it cannot.
fn unknown(town: &Town<'_>) -> Outcome {
    let nobody = |name: &str| {
        let to = format!("{name}@{DOMAIN}");
        town.hand(RITA, &to, &letter(RITA, &to, name)).map(|reply| reply.codes())
    };
    assert_eq!(nobody("nothing")?, "550 5.1.1");
    town.sympa.mta("stop");
    assert_eq!(nobody("nothing")?, "550 5.1.1", "an answer is believed for a while");
    assert_eq!(nobody("absent")?.get(..3), Some("451"));
    town.sympa.mta("start");
    assert_eq!(nobody("never")?, "550 5.1.1");
    Ok(())
}

/// The copies count for the list server, and the messages for who wrote them.
fn limited(town: &Town<'_>) -> Outcome {
    let rule = "senders.sympa.recipients_attempted/1h";
    assert!(!town.house.log().contains(rule), "its figures had room for all copies of {POSTS} messages");
    for subject in ["third", "fourth"] {
        town.house.submit(town.net, "alpha-a", "", LIST, &letter(ANNE, LIST, subject))?;
    }
    until("the list server hears of its own figures", || town.house.log().contains(rule));
    let refused = town.house.submit(town.net, "alpha-a", "", LIST, &letter(ANNE, LIST, "fifth"));
    let refused = refused.err().ok_or("Anne wrote as much as she may")?.to_string();
    assert!(refused.contains("may_send.person") && refused.contains("451"), "{refused}");
    // Bert read as much, and wrote nothing.
    town.house.submit(town.net, "beta-b", "", LIST, &letter(BERT, LIST, "sixth"))?;
    until("Sympa's MTA has all of them", || town.handed_on(LIST) == 6);
    assert_eq!([town.copies("third"), town.copies("first"), town.copies("second")], [[0; 3], [1; 3], [1; 3]]);
    // One report a distributed message, and nothing else went to the list server: nobody of ours answers a list.
    until("both bounces are with Sympa", || town.handed_on(OWNER) == POSTS);
    assert_eq!(town.remote.seen().len(), POSTS, "and nothing else left for others");
    Ok(())
}
