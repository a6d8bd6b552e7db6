//! What looks like spam is tagged once, delivered always, and changed nowhere else.

use std::process::Command;

use mail::{Alias, AliasKind, Login, tag};
use store::Op;
use tests::scratch::Scratch;
use tests::skip::{Missing, skip};
use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, corpus, policy_copy, program, wait};

use crate::outbound::site::{WITHIN, open};

mod signed;

const FROM: &str = "a@client.example";
const JEAN: &str = "Jean.Toto@univ-nantes.fr";
const CORRECTIONS: &str = "traitementspam@univ-nantes.fr";
const PARTNER: &str = "toto@lab.cnrs.fr";

/// <https://spamassassin.apache.org/gtube/>, split so that this file is no test message.
fn gtube() -> String {
    ["XJS*C4JDBQADN1.NSBN3*2IDNEN*", "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"].concat()
}

/// A letter with these lines as its Subject, and `body`.
fn message(subject: &str, body: &str) -> String {
    letter(FROM, JEAN, "SUBJECT").replacen("Subject: SUBJECT\r\n", subject, 1).replace("Good day.", body)
}

/// Who reads the mail of a login.
struct Reader(Imap);

impl Reader {
    fn of(server: &Facteur, login: &str) -> std::io::Result<Reader> {
        Ok(Reader(Imap::person(server, "outside", &server.describe.person(login).clone())?))
    }

    fn count(&mut self) -> std::io::Result<u32> {
        self.0.count("INBOX")
    }

    /// The newest message, whole.
    fn newest(&mut self) -> std::io::Result<Vec<u8>> {
        self.0.command("EXAMINE INBOX")?.ok()?;
        let fetched = self.0.command("FETCH * (RFC822.SIZE BODY.PEEK[])")?.ok()?;
        let answer = &fetched.untagged[0];
        let line = answer.iter().position(|octet| *octet == b'\n').expect("a literal follows") + 1;
        let head = String::from_utf8_lossy(&answer[..line]).into_owned();
        let octets = head.trim_end().trim_end_matches('}').rsplit('{').next().and_then(|octets| octets.parse().ok());
        let octets: usize = octets.expect("a literal");
        assert!(head.contains(&format!("RFC822.SIZE {octets} ")), "{head}");
        Ok(answer[line..line + octets].to_vec())
    }
}

fn send(server: &Facteur, to: &[&str], message: &str) -> Outcome {
    let mut smtp = Smtp::stranger(server, "mx", "outside")?;
    smtp.message(FROM, to, message)?.expect(250)?;
    Ok(())
}

fn value(stored: &[u8], name: &str) -> Option<String> {
    mail::header::find(stored, name).map(|field| String::from_utf8_lossy(&field.value()).into_owned())
}

/// A sent message and its Subject in the mailbox; `None` where that stays as it was.
type Case = (String, Option<&'static str>);

fn spam() -> Vec<Case> {
    let gtube = gtube();
    vec![
        (message("Subject: Offre\r\n", &gtube), Some("[SPAM] Offre")),
        (message("Subject:Offre\r\n du jour\r\n", &gtube), Some("[SPAM] Offre du jour")),
        (message("subject:\r\n\tOffre\r\n", &gtube), Some("[SPAM]\tOffre")),
        (message("", &gtube), Some("[SPAM]")),
        (message("Subject:\r\n", &gtube), Some("[SPAM]")),
        (message("Subject: =?utf-8?q?=C3=89t=C3=A9?=\r\n", &gtube), Some("[SPAM] =?utf-8?q?=C3=89t=C3=A9?=")),
        (message("Subject: a\r\nSubject: b\r\n", &gtube), Some("[SPAM] a")),
        (message("Subject: Re: [SPAM] a\r\n", &gtube), Some("[SPAM] Re: [SPAM] a")),
        (message("Subject: [spam] a\r\n", &gtube), None),
        (message("Subject: =?utf-8?b?W1NQQU1dIGE=?=\r\n", &gtube), None),
        // Too long for memory: the content is in a file.
        (
            message("Subject: long\r\n", &format!("{gtube}\r\n{}", "0123456789 abcdef\r\n".repeat(20_000))),
            Some("[SPAM] long"),
        ),
    ]
}

#[test]
fn spam_is_tagged_once_and_every_octet_that_came_is_still_there() -> Outcome {
    let server = Facteur::start("nantes");
    let mut jean = Reader::of(&server, "toto-j")?;
    for (sent, subject) in spam() {
        send(&server, &[JEAN], &sent)?;
        let stored = jean.newest()?;
        let text = String::from_utf8_lossy(&stored[..stored.len().min(2_000)]).into_owned();
        let was = value(sent.as_bytes(), "subject");
        assert_eq!(value(&stored, "subject").as_deref(), subject.or(was.as_deref()), "{text}");
        let kept = value(&stored, tag::ORIGINAL);
        assert_eq!(kept, was.filter(|_| subject.is_some()), "{text}");
        assert_eq!(value(&stored, "x-spam-flag").as_deref(), Some("YES"), "{text}");
        let status = value(&stored, "x-spam-status").unwrap_or_default();
        assert!(status.starts_with("Yes, score=-") && status.contains("by=antispam.tag_when"), "{text}");
        assert!(value(&stored, "x-spam-rules").unwrap_or_default().contains("gtube"), "{text}");
        let came = tag::as_it_came(&stored).expect("it has our Received").concat();
        assert!(came == sent.as_bytes(), "{text}");
    }
    let tagged = spam().len();
    let page = server.metrics();
    let verdicts = format!("facteur_spam_verdicts_total{{rule=\"antispam.tag_when\",verdict=\"tagged\"}} {tagged}\n");
    assert!(page.contains(&verdicts), "{page}");
    assert_eq!(server.metric("facteur_spam_scores_count"), tagged as f64);
    assert_eq!(server.metric("facteur_spam_unscored_total"), 0.0);
    // What a mailbox uses is what is in it.
    let status = jean.0.command("STATUS INBOX (MESSAGES SIZE)")?.ok()?.lines().join("\n");
    let quota = jean.0.command("GETQUOTAROOT INBOX")?.ok()?.lines().join("\n");
    let octets: u64 =
        status.rsplit("SIZE ").next().and_then(|rest| rest.split(')').next()?.parse().ok()).expect("SIZE");
    let used = quota.split("STORAGE ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
    assert_eq!(used, Some(octets.div_ceil(1024)), "{status}\n{quota}");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn ordinary_mail_is_judged_and_left_and_nobody_speaks_for_our_filter() -> Outcome {
    let server = Facteur::start("nantes");
    let mut jean = Reader::of(&server, "toto-j")?;
    let forged =
        "X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=-99\r\nX-Original-Subject: a\r\n b\r\nX-Spam-Level: *****\r\n";
    let clean = letter(FROM, JEAN, "bonjour");
    send(&server, &[JEAN], &format!("{forged}{clean}"))?;
    let stored = jean.newest()?;
    let text = String::from_utf8_lossy(&stored).into_owned();
    assert!(value(&stored, "x-spam-status").unwrap_or_default().starts_with("No, score="), "{text}");
    for name in ["x-spam-flag", "x-original-subject", "x-spam-level"] {
        assert_eq!(value(&stored, name), None, "{text}");
    }
    assert_eq!(tag::as_it_came(&stored).expect("it has our Received").concat(), clean.as_bytes());
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn reports_are_not_judged_and_the_same_message_is_tagged_for_others() -> Outcome {
    let server = Facteur::start("nantes");
    let (mut jean, mut manager) = (Reader::of(&server, "toto-j")?, Reader::of(&server, "dupont-p")?);
    let report = message("Subject: report\r\n", &gtube());
    send(&server, &[CORRECTIONS], &report)?;
    let stored = manager.newest()?;
    assert_eq!(value(&stored, "subject").as_deref(), Some("report"));
    assert_eq!(value(&stored, "x-spam-status"), None);
    send(&server, &[JEAN, CORRECTIONS], &report)?;
    assert_eq!(value(&jean.newest()?, "subject").as_deref(), Some("[SPAM] report"));
    assert_eq!(value(&manager.newest()?, "subject").as_deref(), Some("report"));
    assert_eq!((jean.count()?, manager.count()?), (1, 2));
    // Who gets it both ways gets it once, as any mail for that person.
    send(&server, &[&server.describe.person("dupont-p").address, CORRECTIONS], &report)?;
    assert_eq!(value(&manager.newest()?, "subject").as_deref(), Some("[SPAM] report"));
    assert_eq!(manager.count()?, 3);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

/// The header section of what went on to the partner.
fn went_on(server: &Facteur) -> Option<Vec<u8>> {
    let mut captor = Reader::of(server, "dupont-a").ok()?;
    (captor.count().ok()? > 0).then(|| captor.newest().ok())?
}

#[test]
fn copies_that_go_on_are_tagged_as_the_policy_says() -> Outcome {
    for (copies, tagged) in [("All", true), ("Local", false)] {
        let scratch = Scratch::new("copies");
        let address = "docmessagerie@univ-nantes.fr";
        let changes = [
            ("remote: DirectMx", &*format!("remote: Capture(\"{address}\")")),
            ("tag: (subject: \"[SPAM]\", copies: All)", &*format!("tag: (subject: \"[SPAM]\", copies: {copies})")),
        ];
        let policy = policy_copy::changed(&scratch, "nantes", &changes);
        let data = scratch.join("data");
        let server = Facteur::start_with(&policy, Options { data: Some(data.clone()), ..Options::default() });
        let who = server.describe.person("toto-jp").clone();
        let mut command = Command::new(program::facteur());
        command.args(["redirect", "set", "--login", &who.login, "--to", PARTNER]).arg("--data").arg(&data);
        program::run(&mut command).ends(0);
        send(&server, &[&who.address], &message("Subject: onward\r\n", &gtube()))?;
        let here = Reader::of(&server, &who.login)?.newest()?;
        assert_eq!(value(&here, "subject").as_deref(), Some("[SPAM] onward"), "what stays is always tagged");
        let onward = wait::until(WITHIN, "it goes on", || went_on(&server));
        let text = String::from_utf8_lossy(&onward).into_owned();
        assert_eq!(
            value(&onward, "subject").as_deref(),
            Some(if tagged { "[SPAM] onward" } else { "onward" }),
            "{text}"
        );
        assert_eq!(value(&onward, "x-spam-flag").is_some(), tagged, "{text}");
        assert_eq!(server.metric("facteur_panics_total"), 0.0);
    }
    Ok(())
}

#[test]
fn mail_for_many_is_tagged_where_it_stays_although_what_leaves_is_not() -> Outcome {
    const MANY: u32 = 66;
    let scratch = Scratch::new("many");
    let copies = ("tag: (subject: \"[SPAM]\", copies: All)", "tag: (subject: \"[SPAM]\", copies: Local)");
    let policy = policy_copy::changed(&scratch, "nantes", &[copies]);
    let data = scratch.join("data");
    let options = || Options { people: MANY, data: Some(data.clone()), ..Options::default() };
    Facteur::start_with(&policy, options()).stop();
    let store = open(&data);
    let members = (1..=MANY).filter_map(|number| Login::new(&format!("user{number:04}"))).collect();
    let everybody: mail::Address = "everybody@univ-nantes.fr".parse().expect("an address");
    let alias = Alias { address: everybody.clone(), members, kind: AliasKind::Function };
    store.commit_wait(vec![Op::UpsertAlias(Box::new(alias))]).expect("it fits");
    drop(store);
    let server = Facteur::start_with(&policy, options());
    let sent = message("Subject: to all\r\n", &gtube());
    send(&server, &[&everybody.to_string()], &sent)?;
    let mut one = Reader::of(&server, "user0066")?;
    wait::until(WITHIN, "it is spread", || (one.count().ok()? == 1).then_some(()));
    let stored = one.newest()?;
    assert_eq!(value(&stored, "subject").as_deref(), Some("[SPAM] to all"));
    assert_eq!(value(&stored, "x-spam-flag").as_deref(), Some("YES"));
    assert_eq!(tag::as_it_came(&stored).expect("it has our Received").concat(), sent.as_bytes());
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn before_accept_the_worst_is_refused_where_the_policy_refuses() -> Outcome {
    let scratch = Scratch::new("refused");
    let changes = [
        ("Authenticate, Antivirus, Accept, Antispam, Filters,", "Authenticate, Antivirus, Antispam, Accept, Filters,"),
        ("always: Deliver, ", "always: Refuse, refuse_when: ScoreBelow(-100), "),
        ("        SpamIsAlwaysDelivered,\n", ""),
    ];
    let policy = policy_copy::changed(&scratch, "nantes", &changes);
    let server = Facteur::start_with(&policy, Options::default());
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    let spam = message("Subject: spam\r\n", &gtube());
    let refused = smtp.message(FROM, &[JEAN], &spam)?;
    assert_eq!(refused.codes(), "554 5.7.1", "{refused:?}");
    assert_eq!(Reader::of(&server, "toto-j")?.count()?, 0);
    // A report among its recipients is not lost with it.
    smtp.message(FROM, &[JEAN, CORRECTIONS], &spam)?.expect(250)?;
    assert_eq!(value(&Reader::of(&server, "toto-j")?.newest()?, "subject").as_deref(), Some("[SPAM] spam"));
    assert_eq!(Reader::of(&server, "dupont-p")?.count()?, 1);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn any_message_of_the_corpus_keeps_its_octets_under_the_tag() {
    const TEST: &str = "any_message_of_the_corpus_keeps_its_octets_under_the_tag";
    let Some(folder) = corpus::folder() else {
        return skip(TEST, Missing::Corpus);
    };
    let scratch = Scratch::new("mime");
    for archive in std::fs::read_dir(folder.join("mime")).expect("the corpus has it") {
        let name = archive.expect("it can be read").file_name().to_string_lossy().into_owned();
        if name.ends_with(".tar.zst") {
            corpus::unpack(&format!("mime/{name}"), &scratch);
        }
    }
    let (mut messages, mut untouched) = (0, 0);
    let tag = tag::Tag::new("[SPAM]").expect("it says something");
    let mut folders = vec![scratch.path().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("it was unpacked") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let message = std::fs::read(&path).expect("it was unpacked");
            // That would continue our Received field.
            if message.starts_with(b" ") || message.starts_with(b"\t") {
                continue;
            }
            messages += 1;
            let Some(edit) = tag::edit(&message, &tag) else {
                untouched += 1;
                continue;
            };
            let front = [edit.front.as_slice(), b"Received: from x by y\r\n"].concat();
            let stored = tag::Edit { front, insertion: edit.insertion.clone() }.made(&message);
            let place = path.display();
            assert!(mail::header::text_of(&edit.made(&message), "subject").starts_with("[SPAM]"), "{place}");
            assert_eq!(tag::edit(&stored, &tag), None, "{place}");
            assert!(tag::as_it_came(&stored).expect("Received").concat() == message, "{place}");
            let received = [b"Received: from x by y\r\n", message.as_slice()].concat();
            let (before, after) = (mail::mime::summarize(&received), mail::mime::summarize(&stored));
            // Behind a stray line (of an mbox) the readers of fields and of parts do not agree where the header ends.
            let first = &message[..mail::header::line_end(&message, 0)];
            if mail::header::field_name(first).is_some() {
                assert_eq!(before.bodystructure_imap, after.bodystructure_imap, "{place}");
            }
        }
    }
    assert!(messages > 1_000 && untouched < 20, "{messages} messages, {untouched} untouched");
}
