//! What a name server says of a message decides what its header says, and whether it may say that it is from us.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use tests::scratch::Scratch;
use tests::smtp::{base64, letter};
use tests::zone::{NameServer, Zone};
use tests::{Facteur, Imap, Options, Outcome, Smtp, policy_copy, program, wait};

const OURS: &str = "cabinet-martin.example";
const CLAIRE: &str = "claire.martin@cabinet-martin.example";
/// What the policy says more than `policies/office`.
const STRICT: &str = "authenticate: (own_domains_from_outside: RequireAligned(else: Refuse), aggregate_reports: Store),\n\
    dns_lists: {\n\
        \"later\": (zone: \"later.example\", on: [\"mx\"], answers: [\"127.0.0.2/32\"], then: TryLater),\n\
        \"worst\": (zone: \"worst.example\", on: [\"mx\"], answers: [\"127.0.0.0/29\"], then: Refuse),\n\
    },\n";

struct House {
    server: Facteur,
    names: NameServer,
    /// `facteur try` shows clients from outside under this address.
    client: String,
    scratch: Scratch,
}

impl House {
    fn new() -> std::io::Result<House> {
        House::in_folder(Scratch::new("authenticate"), Zone::default(), STRICT)
    }

    /// With the data that is in the folder, if any.
    fn in_folder(scratch: Scratch, zone: Zone, rules: &str) -> std::io::Result<House> {
        let end =
            "\"imaps\": (host: \"mail.cabinet-martin.example\", port: 993, speaks: Imap, auth: Required),\n    },\n";
        let folder = policy_copy::changed(&scratch, "office", &[(end, &format!("{end}    {rules}"))]);
        let people = folder.join("people.ron");
        let functions = "functions: [(address: \"dmarc-reports@cabinet-martin.example\", members: [\"martin-c\"]), ";
        std::fs::write(&people, std::fs::read_to_string(&people)?.replace("functions: [", functions))?;
        let names = NameServer::start(zone)?;
        let arguments = vec!["--name-server".to_owned(), names.address.to_string()];
        let data = Some(scratch.join("data"));
        let server = Facteur::start_with(&folder, Options { arguments, data, ..Options::default() });
        let client = server.describe.networks["outside"].seen_as.clone();
        Ok(House { server, names, client, scratch })
    }

    fn zone(&self, text: &str) {
        self.names.replace(Zone::read(&text.replace("CLIENT", &self.client)));
    }

    fn claire(&self) -> &tests::describe::Person {
        self.server.describe.person("martin-c")
    }

    fn smtp(&self) -> std::io::Result<Smtp> {
        Smtp::stranger(&self.server, "mx", "outside")
    }

    /// The newest message of Claire, whole.
    fn newest(&self) -> std::io::Result<String> {
        let mut imap = Imap::person(&self.server, "outside", self.claire())?;
        imap.command("EXAMINE INBOX")?.ok()?;
        let response = imap.command("FETCH * (BODY.PEEK[])")?.ok()?;
        Ok(String::from_utf8_lossy(&response.untagged[0]).into_owned())
    }
}

/// A key of the domain `d`, selector `s`, with its record.
struct Key {
    der: Vec<u8>,
    record: String,
}

impl Key {
    fn new(domain: &str) -> Key {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key can be made");
        let public = base64(pair.public_key_raw());
        let record = format!("s._domainkey.{domain} TXT v=DKIM1; k=ed25519; p={public}\n");
        Key { der: pair.serialize_der(), record }
    }

    fn sign(&self, domain: &str, message: &str) -> String {
        let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(&self.der).expect("the key is one of Ed25519");
        let signer = DkimSigner::from_key(key).domain(domain).selector("s").headers(["From", "To", "Subject"]);
        let signature = signer.sign(message.as_bytes()).expect("a message can be signed");
        signature.to_header() + message
    }
}

#[test]
fn what_dns_says_of_a_message_stands_in_front_of_it() -> Outcome {
    let house = House::new()?;
    let key = Key::new("sender.example");
    house.zone(&format!(
        "sender.example TXT v=spf1 ip4:CLIENT -all\n\
         _dmarc.sender.example TXT v=DMARC1; p=reject\n\
         other.example TXT v=spf1 -all\n\
         {}",
        key.record
    ));
    let mut smtp = house.smtp()?;
    let letter_ = letter("a@sender.example", CLAIRE, "signed");
    // One of these claims to be ours; the other is a stranger's business.
    let forged = "Authentication-Results: mail.cabinet-martin.example;\r\n\tdmarc=pass header.from=bank.example\r\n\
                  Authentication-Results: mx.elsewhere.example; spf=pass\r\n";
    let signed = format!("{forged}{}", key.sign("sender.example", &letter_));
    smtp.message("a@sender.example", &[CLAIRE], &signed)?.expect(250)?;
    let message = house.newest()?;
    for words in [
        "\r\nAuthentication-Results: mail.cabinet-martin.example;\r\n\tspf=pass smtp.mailfrom=sender.example",
        "dkim=pass header.d=sender.example header.s=s header.b=",
        "dmarc=pass (p=reject) header.from=sender.example",
        "Authentication-Results: mx.elsewhere.example; spf=pass",
    ] {
        assert!(message.contains(words), "{words}\n{message}");
    }
    assert!(!message.contains("bank.example"), "{message}");
    let changed = key.sign("sender.example", &letter_).replace("Good day.", "Bad day.");
    smtp.message("a@other.example", &[CLAIRE], &changed)?.expect(250)?;
    let message = house.newest()?;
    for words in ["spf=fail smtp.mailfrom=other.example", "dkim=fail (the body was changed)", "dmarc=fail (p=reject)"] {
        assert!(message.contains(words), "{words}\n{message}");
    }
    assert_eq!(house.server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn who_poses_as_us_is_tagged_as_spam_is_where_the_policy_only_tags() -> Outcome {
    let rules = STRICT.replace("else: Refuse", "else: Tag");
    let house = House::in_folder(Scratch::new("authenticate"), Zone::default(), &rules)?;
    house.zone(&format!("{OURS} TXT v=spf1 -all\n"));
    let posing = letter("chef@cabinet-martin.example", CLAIRE, "posing");
    house.smtp()?.message("a@sender.example", &[CLAIRE], &posing)?.expect(250)?;
    let message = house.newest()?;
    let status = mail::header::text_of(message.split_once("\r\n").expect("a literal").1.as_bytes(), "x-spam-status");
    assert!(status.starts_with("Yes,") && status.contains("authenticate.own_domains_from_outside"), "{message}");
    for words in
        ["\r\nSubject: [SPAM] posing\r\n", "\r\nX-Original-Subject: posing\r\n", "reason=\"the author is one of ours"]
    {
        assert!(message.contains(words), "{words}\n{message}");
    }
    Ok(())
}

#[test]
fn who_poses_as_us_is_refused_and_who_shows_that_it_is_from_us_is_not() -> Outcome {
    let house = House::new()?;
    let key = Key::new(OURS);
    house.zone(&format!("{OURS} TXT v=spf1 -all\n{}", key.record));
    let mut smtp = house.smtp()?;
    let posing = letter("chef@cabinet-martin.example", CLAIRE, "posing");
    let two =
        letter("a@sender.example", CLAIRE, "two").replacen("From:", "From: chef@cabinet-martin.example\r\nFrom:", 1);
    let unreadable =
        letter("a@sender.example", CLAIRE, "odd").replacen("From: ", "From: \"chef@cabinet-martin.example ", 1);
    // The author everybody can see is sound and aligned; the other stands where some readers stop.
    let sender = Key::new("sender.example");
    let seen = letter("a@sender.example", CLAIRE, "behind");
    let behind = sender.sign(
        "sender.example",
        &seen.replacen("\r\n\r\n", "\r\nno field\r\nFrom: chef@cabinet-martin.example\r\n\r\n", 1),
    );
    let many: String = (0..9).map(|n| format!("a@d{n}.example, ")).collect();
    let many = letter("LIST", CLAIRE, "many").replacen("<LIST>", &format!("{many}chef@{OURS}"), 1);
    for message in [&posing, &two, &unreadable, &behind, &many] {
        let reply = smtp.message("a@sender.example", &[CLAIRE], message)?.expect(550)?;
        assert_eq!(reply.enhanced(), Some("5.7.1"), "{reply:?}");
        assert!(reply.text().contains("poses-as-us"), "{reply:?}");
    }
    smtp.message("a@sender.example", &[CLAIRE], &key.sign(OURS, &posing))?.expect(250)?;
    assert!(house.newest()?.contains("dkim=pass header.d=cabinet-martin.example"));
    Ok(())
}

#[test]
fn a_header_section_too_long_to_be_judged_is_refused() -> Outcome {
    let house = House::new()?;
    house.zone(&format!("{OURS} TXT v=spf1 -all\n"));
    let filler = format!("X-Filler: {}\r\n", "x".repeat(900)).repeat(300);
    let posing = format!("{filler}{}", letter("chef@cabinet-martin.example", CLAIRE, "far down"));
    let mut smtp = house.smtp()?;
    let reply = smtp.message("a@sender.example", &[CLAIRE], &posing)?.expect(554)?;
    assert!(reply.text().contains("bad-content"), "{reply:?}");
    let claire = house.claire().clone();
    let mut smtp = Smtp::person(&house.server, "subs", "outside", &claire)?;
    for (from, filler) in [("someone@elsewhere.example", &filler[..100_000 / 912 * 912]), ("\"chef", "")] {
        let message = format!("{filler}{}", letter(from, CLAIRE, "not hers"));
        let reply = smtp.message(&claire.address, &[CLAIRE], &message)?.expect(550)?;
        assert_eq!(reply.enhanced(), Some("5.7.1"), "{reply:?}");
    }
    Ok(())
}

#[test]
fn a_name_server_that_does_not_answer_refuses_nothing() -> Outcome {
    let house = House::new()?;
    house.zone(&format!("{OURS} SILENT\n_dmarc.{OURS} SILENT\n"));
    let mut smtp = house.smtp()?;
    let posing = letter("chef@cabinet-martin.example", CLAIRE, "nobody knows");
    smtp.message("chef@cabinet-martin.example", &[CLAIRE], &posing)?.expect(250)?;
    let message = house.newest()?;
    assert!(message.contains("spf=temperror smtp.mailfrom=cabinet-martin.example"), "{message}");
    assert!(message.contains("dmarc=temperror"), "{message}");
    Ok(())
}

#[test]
fn a_strangers_slow_name_server_does_not_hide_that_a_signature_is_not_ours() -> Outcome {
    let house = House::new()?;
    let (slow, slower, forged) = (Key::new("slow.example"), Key::new("slower.example"), Key::new(OURS));
    house.zone(&format!(
        "{OURS} TXT v=spf1 -all\ns._domainkey.slow.example SILENT\ns._domainkey.slower.example SILENT\n"
    ));
    let posing = letter("chef@cabinet-martin.example", CLAIRE, "posing");
    let signed = slow.sign("slow.example", &slower.sign("slower.example", &forged.sign(OURS, &posing)));
    let reply = house.smtp()?.message("a@slow.example", &[CLAIRE], &signed)?.expect(550)?;
    assert!(reply.text().contains("poses-as-us"), "{reply:?}");
    Ok(())
}

#[test]
fn a_listed_client_hears_of_it_at_each_recipient_but_postmaster() -> Outcome {
    let house = House::new()?;
    let [a, b, c, d] = house.client.split('.').collect::<Vec<_>>()[..] else { panic!("{}", house.client) };
    let reversed = format!("{d}.{c}.{b}.{a}");
    for (zone, code, list) in [
        (format!("{reversed}.later.example A 127.0.0.2\n"), 451, "later.example"),
        (format!("{reversed}.later.example A 127.0.0.2\n{reversed}.worst.example A 127.0.0.4\n"), 550, "worst.example"),
    ] {
        // Answers are kept for their time to live: each zone has a server of its own.
        let house = House::new()?;
        house.zone(&zone);
        let mut smtp = house.smtp()?;
        smtp.mail("a@sender.example")?.expect(250)?;
        for recipient in [CLAIRE, "nobody@cabinet-martin.example"] {
            let reply = smtp.rcpt(recipient)?.expect(code)?;
            assert!(reply.text().contains("listed") && reply.text().contains(list), "{reply:?}");
        }
        let reply = smtp.rcpt("postmaster@cabinet-martin.example")?;
        assert!(!reply.text().contains("listed"), "{reply:?}");
        assert!(house.server.metrics().contains("reason=\"listed\""));
    }
    house.zone("worst.example SILENT\n");
    house
        .smtp()?
        .message("a@sender.example", &[CLAIRE], &letter("a@sender.example", CLAIRE, "not listed"))?
        .expect(250)?;
    Ok(())
}

/// What `facteur reports` says of a data folder.
fn reported(data: &Path) -> serde_json::Value {
    let mut command = Command::new(program::facteur());
    let ran = program::run(command.args(["reports", "--format", "json", "--data"]).arg(data)).ends(0);
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error} in {}", ran.out))
}

#[test]
fn reports_about_us_are_summed_up_and_what_came_in_is_counted() -> Outcome {
    let house = House::new()?;
    house.zone("sender.example TXT v=spf1 ip4:CLIENT -all\n_dmarc.sender.example TXT v=DMARC1; p=none\n");
    let report = "From: <r@sender.example>\r\nTo: <dmarc-reports@cabinet-martin.example>\r\nSubject: report\r\n\
        MIME-Version: 1.0\r\nContent-Type: text/xml\r\n\r\n<feedback><report_metadata><org_name>Sender</org_name>\r\n\
        <date_range><begin>1795737600</begin><end>1795823999</end></date_range></report_metadata>\r\n\
        <policy_published><domain>cabinet-martin.example</domain></policy_published>\r\n\
        <record><row><source_ip>192.0.2.7</source_ip><count>12</count><policy_evaluated>\r\n\
        <disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>\r\n\
        <identifiers><header_from>cabinet-martin.example</header_from></identifiers><auth_results/></record>\r\n\
        </feedback>\r\n";
    let mut smtp = house.smtp()?;
    smtp.message("r@sender.example", &["dmarc-reports@cabinet-martin.example"], report)?.expect(250)?;
    // Nobody vouches for this one.
    smtp.message(
        "r@other.example",
        &["dmarc-reports@cabinet-martin.example"],
        &report.replace("192.0.2.7", "192.0.2.8"),
    )?
    .expect(250)?;
    assert!(house.newest()?.contains("192.0.2.8"), "the mail itself is delivered");
    let data = house.scratch.join("data");
    let sender = wait::until(Duration::from_secs(60), "the report is read", || {
        reported(&data)["sends_as_us"].as_array()?.first().cloned()
    });
    assert_eq!((&sender["address"], &sender["not_aligned"]), (&"192.0.2.7".into(), &12.into()));
    assert_eq!(sender["last_day"], "2026-11-27");
    let House { server, scratch, .. } = house;
    server.stop();
    let reported = reported(&data);
    assert_eq!(reported["sends_as_us"].as_array().map(Vec::len), Some(1), "{reported}");
    let counted = &reported["counted"][0];
    assert_eq!((&counted["domain"], &counted["messages"]), (&"sender.example".into(), &2.into()), "{reported}");
    assert_eq!(counted["aligned"], 1);
    drop(scratch);
    Ok(())
}

#[test]
fn reports_go_to_who_asked_and_to_whom_it_may_send_them_and_once() -> Outcome {
    const DAY: &str = "2026-01-05";
    let house = House::new()?;
    let House { server, scratch, .. } = house;
    server.stop();
    let data = scratch.join("data");
    let of = |to: &[&str]| {
        serde_json::json!({
            "published": { "p": "none", "sp": "none", "strict_dkim": false, "strict_spf": false, "reports_to": to },
            "rows": [[{
                "source": "192.0.2.1", "header_from": "sender.example", "envelope_from": "sender.example",
                "spf": "pass", "spf_domain": "sender.example", "dkim": [],
                "dkim_aligned": false, "spf_aligned": true, "refused": false,
            }, 3]],
            "untold": 0,
        })
    };
    {
        let store = wait::until(Duration::from_secs(30), "the data folder is free", || {
            store::Store::open(&data, store::Options::default()).ok()
        });
        let kept = |domain: &str, to: &[&str]| store::Op::Setting {
            key: format!("dmarc/{DAY}/{domain}"),
            value: Some(of(to).to_string().into_bytes()),
        };
        store.commit_wait(vec![
            kept("sender.example", &["r@mail.sender.example", "r@agreed.example", "r@stranger.example"]),
            kept("silent.example", &["r@quiet.example"]),
        ])?;
    }
    let zone = Zone::read(
        "sender.example._report._dmarc.agreed.example TXT v=DMARC1\n\
        silent.example._report._dmarc.quiet.example FAILING\n",
    );
    let house =
        House::in_folder(scratch, zone, &STRICT.replace("aggregate_reports: Store", "aggregate_reports: Send"))?;
    let sunk = |house: &House| {
        let log = house.server.log_text();
        let told = log.lines().filter(|line| line.contains(" sunk ")).map(str::to_string);
        told.collect::<Vec<_>>()
    };
    let gone = wait::until(Duration::from_secs(60), "the reports leave", || {
        let gone = sunk(&house);
        (gone.len() >= 2).then_some(gone)
    });
    let told = gone.join("\n");
    assert!(told.contains("r@mail.sender.example") && told.contains("r@agreed.example"), "{told}");
    let reported = reported(&data);
    let sent = |domain: &str| {
        let rows = reported["counted"].as_array().into_iter().flatten();
        rows.filter(|row| row["domain"] == domain).map(|row| row["sent"] == true).collect::<Vec<_>>()
    };
    assert_eq!((sent("sender.example"), sent("silent.example")), (vec![true], vec![false]), "{reported}");
    assert!(!house.names.asked().iter().any(|name| name.contains("mail.sender.example")), "its own organisation");
    assert_eq!(sunk(&house).len(), 2, "nobody else gets it");
    Ok(())
}
