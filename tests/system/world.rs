//! The way to other servers: MX of a signed zone, DANE, MTA-STS, reports of TLS, and hosts that are tried in turn.

pub mod authority;

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use tests::dns::Dns;
use tests::scratch::Scratch;
use tests::skip::{self, Missing};
use tests::smtp::letter;
use tests::{Outcome, corpus, program, wait};

use self::authority::{Authority, Shown, Web};
use crate::outbound::site::{Site, WITHIN};
use crate::outbound::smart_host::{Script, SmartHost};

const DELIVERY: &str = "delivery: (retry: [\"1 min\"], warn_after: \"4 h\", connections_at_once: 10, dane: true, mta_sts: true,\n\
                        tls_reports: Store),";

fn to(address: &str, subject: &str) -> Vec<u8> {
    letter("alice.bench@example.org", address, subject).into_bytes()
}

/// A site that asks `dns` and reaches `hosts`, a host and port of the world each, at ports here.
#[track_caller]
fn site(dns: &Dns, authority: &Authority, hosts: &[(&str, u16)]) -> Site {
    site_with(dns, authority, hosts, "routes: (held: Mailbox, remote: DirectMx, homes: {}),", "")
}

#[track_caller]
fn site_with(dns: &Dns, authority: &Authority, hosts: &[(&str, u16)], routes: &str, more: &str) -> Site {
    site_of(dns, authority, hosts, &format!("{routes}\n    {DELIVERY}"), more)
}

#[track_caller]
fn site_of(dns: &Dns, authority: &Authority, hosts: &[(&str, u16)], policy: &str, more: &str) -> Site {
    let scratch = Scratch::new("world");
    let write = |name: &str, text: &str| fs::write(scratch.join(name), text).expect("the scratch folder is ours");
    write("anchors", &dns.anchors);
    write("authority.pem", &authority.pem());
    let hosts: String = hosts.iter().map(|(host, port)| format!("{host:?}: \"127.0.0.1:{port}\", ")).collect();
    let facts = format!(
        "dns: (servers: [{:?}], anchors: Some({:?})), authorities: [{:?}], hosts: {{{hosts}}}, {more}",
        dns.address.to_string(),
        scratch.join("anchors"),
        scratch.join("authority.pem"),
    );
    Site::built(scratch, policy, &[], &facts)
}

fn taker(shown: Shown) -> SmartHost {
    let keywords = vec!["PIPELINING", "STARTTLS"];
    SmartHost::with_tls(Script { greets: true, keywords, ..Script::default() }, shown.tls)
}

/// A port where nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the kernel has a port");
    listener.local_addr().expect("a bound socket has one").port()
}

/// What is kept for the TLS report of a domain, while nothing serves: `RESULT HOST` for each failure.
fn tally(site: &Site, domain: &str) -> Vec<String> {
    let store = site.store();
    let kept = store.settings("tls-rpt/", "", 100).expect("settings can be read");
    let of_domain = kept.iter().filter(|(key, _)| key.ends_with(&format!("/{domain}")));
    let days = of_domain.map(|(_, value)| serde_json::from_slice::<serde_json::Value>(value).expect("JSON"));
    let mut lines = Vec::new();
    for day in days {
        for policy in day["policies"].as_array().expect("a list") {
            let kind = policy["kind"].as_str().unwrap_or_default();
            let successes = policy["successes"].as_u64().unwrap_or_default();
            lines.push(format!("{kind} {successes} good"));
            let failures = policy["failures"].as_array().expect("a list").iter();
            lines.extend(failures.map(|one| format!("{kind} {}", one["result"].as_str().unwrap_or_default())));
        }
    }
    lines
}

#[test]
fn mail_goes_to_the_best_host_that_answers_and_connections_are_used_again() -> Outcome {
    let authority = Authority::new();
    let (refusing, host) = (SmartHost::willing(&[]), taker(authority.certifies("mx2.b.example")));
    refusing.script().greeting = Some("421 4.3.2 not now");
    let dns = Dns::start(
        "b.example UNSIGNED\nb.example MX 5 gone.b.example\nb.example MX 10 mx1.b.example\nb.example MX 20 mx2.b.example\n\
         b.example MX 15 nameless.b.example\n\
         gone.b.example A 127.0.0.1\nmx1.b.example A 127.0.0.1\nmx2.b.example A 127.0.0.1",
    );
    let hosts =
        [("gone.b.example:25", closed_port()), ("mx1.b.example:25", refusing.port), ("mx2.b.example:25", host.port)];
    let site = site(&dns, &authority, &hosts);
    let serving = site.serve();
    for number in 1..=4 {
        serving.submit(&["reader@b.example"], &to("reader@b.example", &format!("m{number}")))?;
        serving.until_told("delivered", number);
    }
    serving.stop();
    assert_eq!(host.seen().len(), 4);
    assert!(host.seen().iter().all(|handed| handed.tls), "TLS is used where it is offered");
    assert_eq!(host.connections(), 1, "one connection carries them all");
    assert!(refusing.connections() >= 1, "a better host is asked first");
    assert!(site.spool().is_empty());
    assert_eq!(tally(&site, "b.example"), ["no-policy-found 1 good"]);
    Ok(())
}

#[test]
fn what_dns_says_of_a_domain_decides_whether_mail_waits() -> Outcome {
    let authority = Authority::new();
    let dns = Dns::start(
        "null.example MX 0 .\nus.example MX 10 mx.example.org\ndead.example SERVFAIL\nforged.example MX 10 mx.b.example\n\
         forged.example BOGUS\nempty.example TXT nothing here",
    );
    let site = site(&dns, &authority, &[]);
    let serving = site.serve();
    let cases = [
        ("null.example", "556 5.1.10"),
        ("missing.example", "550 5.1.2"),
        ("us.example", "554 5.4.6"),
        ("empty.example", "550 5.4.4"),
        ("dead.example", "451 4.4.3"),
        ("forged.example", "451 4.4.3"),
    ];
    for (domain, _) in cases {
        serving.submit(&[&format!("reader@{domain}")], &to("reader@x.example", domain))?;
    }
    serving.until_told("not-delivered", 4);
    serving.until_told("deferred", 2);
    let log = serving.log();
    serving.stop();
    for (domain, code) in cases {
        let about = format!("about=reader@{domain} ");
        let line = log.lines().find(|line| line.contains(&about)).expect(domain);
        assert!(line.contains(&format!(" {code} ")), "{domain}: {line}");
    }
    let waiting: Vec<String> =
        site.spool().iter().flat_map(|item| &item.recipients).map(|r| r.forward_path.to_string()).collect();
    assert_eq!(waiting, ["reader@dead.example", "reader@forged.example"], "the others came back to their sender");
    Ok(())
}

#[test]
fn tlsa_records_bind_and_a_certificate_that_does_not_match_gets_no_mail() -> Outcome {
    let (authority, other) = (Authority::new(), Authority::new());
    // Nobody knows the other authority: the records alone speak for it.
    let (good, anchored) = (other.certifies("mx.good.example"), other.certifies("mx.anchored.example"));
    let (wrong, named) = (authority.certifies("mx.wrong.example"), other.certifies("elsewhere.example"));
    let zone = format!(
        "good.example MX 10 mx.good.example\nmx.good.example A 127.0.0.1\n_25._tcp.mx.good.example TLSA 3 1 1 {}\n\
         anchored.example MX 10 mx.anchored.example\nmx.anchored.example A 127.0.0.1\n\
         _25._tcp.mx.anchored.example TLSA 2 0 1 {ca}\n\
         wrong.example MX 10 mx.wrong.example\nmx.wrong.example A 127.0.0.1\n_25._tcp.mx.wrong.example TLSA 3 1 1 {}\n\
         named.example MX 10 mx.named.example\nmx.named.example A 127.0.0.1\n_25._tcp.mx.named.example TLSA 2 0 1 {ca}\n\
         mute.example MX 10 mx.mute.example\nmx.mute.example A 127.0.0.1\n_25._tcp.mx.mute.example SERVFAIL\n\
         direct.example A 127.0.0.1\n_25._tcp.direct.example TLSA 3 1 1 {}\n\
         alias.example MX 10 mx.alias.example\nmx.alias.example CNAME mx.good.example\n\
         clear.example MX 10 mx.clear.example\nmx.clear.example A 127.0.0.1\n\
         _25._tcp.mx.clear.example TLSA 3 1 1 {}",
        good.key_digest,
        "00".repeat(32),
        "22".repeat(32),
        "11".repeat(32),
        ca = other.digest(),
    );
    let dns = Dns::start(&zone);
    let domains = ["good", "anchored", "wrong", "named", "mute", "clear", "direct", "alias"];
    let clear = SmartHost::willing(&[]);
    let direct = taker(authority.certifies("direct.example"));
    let unheard = taker(authority.certifies("x.example"));
    let takers = [taker(good), taker(anchored), taker(wrong), taker(named), unheard, clear, direct];
    let name = |domain: &&str| {
        if *domain == "direct" { "direct.example:25".into() } else { format!("mx.{domain}.example:25") }
    };
    let names: Vec<String> = domains.iter().map(name).collect();
    let ports = takers.iter().map(|host| host.port).chain([takers[0].port]);
    let hosts: Vec<(&str, u16)> = names.iter().map(String::as_str).zip(ports).collect();
    let site = site(&dns, &authority, &hosts);
    let serving = site.serve();
    for domain in domains {
        serving.submit(&[&format!("reader@{domain}.example")], &to("reader@x.example", domain))?;
    }
    serving.until_told("delivered", 3);
    serving.until_told("deferred", 5);
    serving.stop();
    let taken: Vec<usize> = takers.iter().map(|host| host.seen().len()).collect();
    assert_eq!(taken, [2, 1, 0, 0, 0, 0, 0], "only who proved who it is got mail");
    assert_eq!(tally(&site, "good.example"), ["tlsa 1 good"]);
    assert_eq!(tally(&site, "alias.example"), ["tlsa 1 good"], "the records of the host behind the alias bind");
    assert_eq!(
        tally(&site, "direct.example"),
        ["tlsa 0 good", "tlsa validation-failure"],
        "so do those of a domain without MX"
    );
    assert_eq!(tally(&site, "wrong.example"), ["tlsa 0 good", "tlsa validation-failure"]);
    assert_eq!(tally(&site, "named.example"), ["tlsa 0 good", "tlsa certificate-host-mismatch"]);
    assert_eq!(tally(&site, "mute.example"), ["tlsa 0 good", "tlsa dnssec-invalid"]);
    assert_eq!(tally(&site, "clear.example"), ["tlsa 0 good", "tlsa starttls-not-supported"]);
    Ok(())
}

#[test]
fn an_mta_sts_policy_binds_and_under_a_forged_certificate_mail_waits() -> Outcome {
    let (authority, forger) = (Authority::new(), Authority::new());
    let policy = |mode: &str, host: &str| format!("version: STSv1\nmode: {mode}\nmx: {host}\nmax_age: 86400\n");
    let domains = ["right", "forged", "testing", "off", "unfetched"];
    let (mut zone, mut takers, mut webs, mut hosts) = (String::new(), Vec::new(), Vec::new(), Vec::new());
    for domain in domains {
        zone.push_str(&format!(
            "{domain}.example UNSIGNED\n{domain}.example MX 10 mx.{domain}.example\nmx.{domain}.example A 127.0.0.1\n\
             _mta-sts.{domain}.example TXT v=STSv1; id=1;\nmta-sts.{domain}.example A 127.0.0.1\n"
        ));
        let mx = format!("mx.{domain}.example");
        let issuer = if domain == "forged" || domain == "testing" { &forger } else { &authority };
        let taker = taker(issuer.certifies(&mx));
        let page = match domain {
            "testing" => policy("testing", &mx),
            "off" => policy("enforce", "another.off.example"),
            _ => policy("enforce", &mx),
        };
        let issuer = if domain == "unfetched" { &forger } else { &authority };
        let web = Web::start(issuer.certifies(&format!("mta-sts.{domain}.example")).tls, &page);
        hosts.push((format!("{mx}:25"), taker.port));
        hosts.push((format!("mta-sts.{domain}.example:443"), web.port));
        takers.push(taker);
        webs.push(web);
    }
    let dns = Dns::start(&zone);
    let hosts: Vec<(&str, u16)> = hosts.iter().map(|(host, port)| (host.as_str(), *port)).collect();
    let site = site(&dns, &authority, &hosts);
    let serving = site.serve();
    for domain in domains {
        serving.submit(&[&format!("reader@{domain}.example")], &to("reader@x.example", domain))?;
    }
    serving.until_told("delivered", 3);
    serving.until_told("deferred", 2);
    // What reports are made of is written behind the log line.
    serving.stop();
    let taken: Vec<usize> = takers.iter().map(|host| host.seen().len()).collect();
    assert_eq!(taken, [1, 0, 1, 0, 1], "{domains:?}");
    assert_eq!(tally(&site, "forged.example"), ["sts 0 good", "sts certificate-not-trusted"]);
    assert_eq!(tally(&site, "off.example"), ["sts 0 good", "sts certificate-host-mismatch"]);
    assert_eq!(tally(&site, "testing.example"), ["sts 0 good", "sts certificate-not-trusted"]);
    assert!(tally(&site, "unfetched.example").contains(&"sts sts-webpki-invalid".to_owned()));
    // What was fetched binds after a restart, too, whatever the web server says by then.
    webs[1].show("version: STSv1\nmode: none\nmax_age: 86400\n");
    site.let_time_pass();
    let serving = site.serve();
    serving.until_told("deferred", 2);
    serving.stop();
    assert_eq!(takers[1].seen().len(), 0);
    Ok(())
}

#[test]
fn a_smart_host_hears_our_password_under_a_certificate_we_know_and_not_otherwise() -> Outcome {
    let (authority, forger) = (Authority::new(), Authority::new());
    let dns = Dns::start("");
    let scratch = Scratch::new("secrets");
    fs::write(scratch.join("relay"), "pw\n")?;
    for (issuer, login) in [(&authority, Some("AUTH PLAIN AHVzAHB3")), (&forger, None)] {
        let host = taker(issuer.certifies("smarthost.example"));
        host.script().keywords = vec!["STARTTLS", "AUTH PLAIN LOGIN"];
        let routes = format!(
            "routes: (held: Mailbox, remote: Smarthost(\"smarthost.example:{}\"),\n\
             remote_login: (login: \"us\", password: Secret(\"relay\")), homes: {{}}),",
            host.port
        );
        let secrets = format!("secrets: Folder({:?}),", scratch.path());
        let hosts = [("smarthost.example", host.port)];
        let site = site_with(&dns, &authority, &hosts, &routes, &secrets);
        let serving = site.serve();
        serving.submit(&["reader@b.example"], &to("reader@b.example", "login"))?;
        let event = if login.is_some() { "delivered" } else { "deferred" };
        serving.until_told(event, 1);
        serving.stop();
        assert_eq!(host.logins(), login.into_iter().collect::<Vec<_>>());
        assert_eq!(host.seen().len(), usize::from(login.is_some()));
    }
    Ok(())
}

/// Puts a message into the spool while nothing serves, as an acceptance would have. Facts are JSON.
#[track_caller]
fn enqueue(site: &Site, number: u8, content: &[u8], recipient: &str, facts: &str, recipient_facts: &str) {
    let store = site.store();
    let forward_path: mail::Address = recipient.parse().expect("an address");
    let reverse_path = mail::ReversePath::Address(site.sender.address.parse().expect("an address"));
    let envelope = store::RecordEnvelope {
        delivery_id: [number; 16],
        reverse_path: Some(reverse_path.clone()),
        recipients: vec![forward_path.clone()],
        accepted_at_s: 0,
    };
    let body = store.put_body_for(&envelope, b"", &[content]).expect("the store takes bodies");
    let recipient = store::QueueRecipient {
        forward_path,
        next_hop: store::NextHop::Mx,
        due_at_s: 0,
        facts: recipient_facts.as_bytes().to_vec(),
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let enqueue = store::Enqueue {
        queue_id: store::QueueId([number; 16]),
        body,
        reverse_path,
        recipients: vec![recipient],
        plan: String::new(),
        accepted_at_s: i64::try_from(now.as_secs()).expect("a year we live to see"),
        facts: facts.as_bytes().to_vec(),
    };
    store.commit_wait(vec![store::Op::Enqueue(Box::new(enqueue))]).expect("the store takes messages");
}

#[test]
fn no_stored_sequence_leaves_as_an_end_of_data() -> Outcome {
    let Some(corpus) = corpus::folder() else {
        skip::skip("no_stored_sequence_leaves_as_an_end_of_data", Missing::Corpus);
        return Ok(());
    };
    let vectors = fs::read(corpus.join("smtp/end-of-data-vectors.json"))?;
    let vectors: serde_json::Value = serde_json::from_slice(&vectors)?;
    let vectors = vectors["vectors"].as_array().ok_or("a list of vectors")?;
    let authority = Authority::new();
    let host = taker(authority.certifies("mx.b.example"));
    let dns = Dns::start("b.example MX 10 mx.b.example\nmx.b.example A 127.0.0.1");
    let site = site(&dns, &authority, &[("mx.b.example:25", host.port)]);
    for (number, vector) in vectors.iter().enumerate() {
        let sequence = base64_octets(vector["bytes_base64"].as_str().ok_or("octets")?);
        let content = [b"Subject: v\r\n\r\nabc".as_slice(), &sequence, b"MAIL FROM:<>\r\nx\r\n"].concat();
        enqueue(&site, u8::try_from(number + 1)?, &content, "reader@b.example", "", "");
    }
    let serving = site.serve();
    serving.until_told("delivered", vectors.len());
    serving.stop();
    let seen = host.seen();
    assert_eq!(seen.len(), vectors.len(), "each is one message");
    for handed in seen {
        // `content` panics at a bare CR or LF and at a lone dot.
        let content = handed.content();
        assert!(content.ends_with(b"MAIL FROM:<>\r\nx\r\n"), "{}", content.escape_ascii());
    }
    Ok(())
}

fn base64_octets(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let (mut bits, mut held, mut octets) = (0_u32, 0, Vec::new());
    for c in text.bytes().filter(|c| *c != b'=') {
        (bits, held) = (bits << 6 | u32::from(value(c)), held + 6);
        if held >= 8 {
            held -= 8;
            octets.push((bits >> held) as u8);
        }
    }
    octets
}

#[test]
fn what_the_sender_asked_goes_with_the_message_from_the_address_of_its_block() -> Outcome {
    let authority = Authority::new();
    let host = taker(authority.certifies("mx.b.example"));
    host.script().keywords = vec!["STARTTLS", "DSN", "REQUIRETLS"];
    let (forger, plain) = (Authority::new(), SmartHost::willing(&["DSN"]));
    let forged = taker(forger.certifies("mx.forged.example"));
    forged.script().keywords = vec!["STARTTLS", "REQUIRETLS"];
    let zone: String = ["b", "forged", "plain"]
        .map(|domain| format!("{domain}.example MX 10 mx.{domain}.example\nmx.{domain}.example A 127.0.0.1\n"))
        .concat();
    let dns = Dns::start(&zone);
    let hosts =
        [("mx.b.example:25", host.port), ("mx.forged.example:25", forged.port), ("mx.plain.example:25", plain.port)];
    let sources = "sources: {\"usual\": [\"127.0.0.3\"], \"bulk\": [\"127.0.0.2\", \"::1\"]},";
    let site = site_with(&dns, &authority, &hosts, "routes: (held: Mailbox, remote: DirectMx, homes: {}),", sources);
    let asks = "{\"require_tls\":true,\"ret\":\"Headers\",\"envid\":\"id1\",\"source\":\"bulk\"}";
    let notify = "{\"notify\":{\"success\":true,\"failure\":true,\"delay\":false},\"orcpt\":\"rfc822;r@b.example\"}";
    for (number, domain) in [(1, "b"), (2, "forged"), (3, "plain")] {
        enqueue(&site, number, &to("x@x.example", "asks"), &format!("r@{domain}.example"), asks, notify);
    }
    enqueue(&site, 4, &to("x@x.example", "usual"), "s@plain.example", "", "");
    let serving = site.serve();
    serving.until_told("delivered", 2);
    serving.until_told("deferred", 2);
    serving.stop();
    let [handed] = host.seen().try_into().map_err(|seen| format!("{seen:?}"))?;
    assert_eq!(handed.mail, format!("MAIL FROM:<{}> REQUIRETLS RET=HDRS ENVID=id1", site.sender.address));
    assert_eq!(host.rcpts(), ["RCPT TO:<r@b.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;r@b.example"]);
    assert_eq!(host.peers(), ["127.0.0.2".parse::<std::net::IpAddr>()?]);
    assert!(plain.peers().contains(&"127.0.0.3".parse()?));
    assert_eq!(
        (forged.seen().len(), plain.seen().len()),
        (0, 1),
        "REQUIRETLS goes to nobody who cannot prove its name"
    );
    Ok(())
}

#[test]
fn where_nothing_binds_tls_that_fails_is_no_worse_than_none() -> Outcome {
    let authority = Authority::new();
    let host = taker(authority.certifies("mx.b.example"));
    host.script().breaks_tls = true;
    let dns = Dns::start("b.example MX 10 mx.b.example\nmx.b.example A 127.0.0.1");
    let site = site(&dns, &authority, &[("mx.b.example:25", host.port)]);
    let serving = site.serve();
    serving.submit(&["reader@b.example"], &to("reader@b.example", "clear"))?;
    serving.until_told("delivered", 1);
    serving.stop();
    assert!(!host.seen()[0].tls);
    assert_eq!(host.connections(), 2);
    assert_eq!(tally(&site, "b.example"), ["no-policy-found 0 good", "no-policy-found validation-failure"]);
    Ok(())
}

#[test]
fn a_day_that_is_over_is_reported_to_whoever_asks_once() -> Outcome {
    let authority = Authority::new();
    let host = taker(authority.certifies("mx.reports.example"));
    let dns = Dns::start(
        "_smtp._tls.b.example TXT v=TLSRPTv1; rua=mailto:tls@reports.example\nreports.example MX 10 mx.reports.example\n\
         mx.reports.example A 127.0.0.1\nsilent.example TXT nothing",
    );
    let sends = DELIVERY.replace("tls_reports: Store", "tls_reports: Send");
    let routes = "routes: (held: Mailbox, remote: DirectMx, homes: {}),";
    let site = site_of(&dns, &authority, &[("mx.reports.example:25", host.port)], &format!("{routes}\n{sends}"), "");
    let day = program::run(Command::new("date").args(["-u", "-d", "yesterday", "+%F"])).ends(0).out.trim().to_owned();
    let today = program::run(Command::new("date").args(["-u", "+%F"])).ends(0).out.trim().to_owned();
    let tally = "{\"policies\":[{\"kind\":\"sts\",\"strings\":[\"version: STSv1\"],\"hosts\":[],\"successes\":7,\"failures\":[]}]}";
    let rows = [(&day, "b.example"), (&day, "silent.example"), (&today, "b.example")];
    let setting = |(day, domain): (&String, &str)| store::Op::Setting {
        key: format!("tls-rpt/{day}/{domain}"),
        value: Some(tally.as_bytes().to_vec()),
    };
    site.store().commit_wait(rows.into_iter().map(setting).collect())?;
    for _ in 0..2 {
        let serving = site.serve();
        wait::until(WITHIN, "the report is there", || (!host.seen().is_empty()).then_some(()));
        serving.stop();
    }
    let [report] = host.seen().try_into().map_err(|seen| format!("{seen:?}"))?;
    assert_eq!(
        (report.mail.as_str(), report.recipients.as_slice()),
        ("MAIL FROM:<>", ["tls@reports.example".to_owned()].as_slice())
    );
    let text = String::from_utf8_lossy(&report.content()).into_owned();
    for words in
        ["report-type=\"tlsrpt\"", "TLS-Report-Domain: b.example", "application/tlsrpt+gzip", "example.org!b.example!"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    Ok(())
}

#[test]
fn a_next_hop_is_asked_once_whom_it_knows() -> Outcome {
    let authority = Authority::new();
    let host = SmartHost::willing(&[]);
    host.script().refused.insert("no@lists.example", "550 5.1.1 no such list");
    host.script().refused.insert("sick@lists.example", "451 4.3.0 the database is away");
    let dns = Dns::start("");
    let domains = "domains: { \"example.org\": Held(profile: \"standard\"),\n\
                   \"lists.example\": PassOn(next_hop: Smtp(\"sympa.example:2525\"), recipients: AskThere(cache: \"1 h\")) },";
    let policy = format!("{domains}\n{DELIVERY}");
    let site = site_of(&dns, &authority, &[("sympa.example:2525", host.port)], &policy, "");
    let serving = site.serve();
    for round in 0..2 {
        serving.submit(&["yes@lists.example"], &to("yes@lists.example", &format!("m{round}")))?;
        for (address, code) in [("no@lists.example", "550"), ("sick@lists.example", "451")] {
            let refused = serving.submit(&[address], &to(address, "x")).err().ok_or("it is refused")?.to_string();
            assert!(refused.contains(code), "{address}: {refused}");
        }
    }
    serving.until_told("delivered", 2);
    serving.stop();
    let asked = ["yes@lists.example", "no@lists.example", "sick@lists.example"].map(|address| host.asked(address));
    assert_eq!(asked, [3, 1, 1], "one question, and two deliveries");
    Ok(())
}

#[test]
fn an_edge_hands_its_peoples_mail_to_the_store_behind_it() -> Outcome {
    let host = SmartHost::willing(&["PIPELINING"]);
    let routes = "routes: (held: Lmtp(\"store.example:24\"), remote: DirectMx, homes: {}),";
    let imaps = "        \"imaps\": (host: \"mail.example.org\", port: 993, speaks: Imap, tls: Implicit,           auth: Required),\n";
    let pops = "        \"pops\":  (host: \"mail.example.org\", port: 995, speaks: Pop,  tls: Implicit,           auth: Required),\n";
    let pop = "        \"pop\":   (host: \"mail.example.org\", port: 110, speaks: Pop,  tls: StartTls(Required), auth: Required),\n";
    let facts = format!("hosts: {{\"store.example:24\": \"127.0.0.1:{}\"}},", host.port);
    let site = Site::built(
        Scratch::new("edge"),
        &format!("{routes}\n{DELIVERY}"),
        &[(imaps, ""), (pops, ""), (pop, "")],
        &facts,
    );
    let serving = site.serve();
    let address = site.sender.address.clone();
    serving.submit(&[&address], &to(&address, "edge"))?;
    serving.until_told("delivered", 1);
    serving.stop();
    let [handed] = host.seen().try_into().map_err(|seen| format!("{seen:?}"))?;
    assert_eq!(handed.recipients, [address]);
    Ok(())
}

#[test]
fn names_are_asked_once_while_their_answers_last() -> Outcome {
    let authority = Authority::new();
    let host = taker(authority.certifies("mx.b.example"));
    let dns = Dns::start("b.example MX 10 mx.b.example\nmx.b.example A 127.0.0.1");
    let site = site(&dns, &authority, &[("mx.b.example:25", host.port)]);
    let serving = site.serve();
    for number in 1..=3 {
        serving.submit(&["reader@b.example"], &to("reader@b.example", &format!("m{number}")))?;
        serving.until_told("delivered", number);
    }
    wait::until(WITHIN, "the questions are there", || (!dns.asked().is_empty()).then_some(()));
    let asked = dns.asked();
    assert_eq!(asked.iter().filter(|question| *question == "b.example MX").count(), 1, "{asked:?}");
    serving.stop();
    Ok(())
}
