//! The way to other servers: MX of a signed zone, DANE, MTA-STS, reports of TLS, and hosts that are tried in turn.

mod authority;

use std::fs;
use std::net::TcpListener;

use tests::dns::Dns;
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Outcome, wait};

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
    Site::with(scratch, &format!("{routes}\n    {DELIVERY}"), &facts)
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
    let kept = store.settings("tls-rpt/", 100).expect("settings can be read");
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
    serving.stop();
    let spool = site.spool();
    for (domain, code) in cases {
        let mut waiting = spool.iter().flat_map(|item| &item.recipients);
        let found = waiting.find(|recipient| recipient.forward_path.domain().as_str() == domain).expect(domain);
        assert!(found.last_reply.starts_with(code), "{domain}: {}", found.last_reply);
    }
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
         clear.example MX 10 mx.clear.example\nmx.clear.example A 127.0.0.1\n\
         _25._tcp.mx.clear.example TLSA 3 1 1 {}",
        good.key_digest,
        "00".repeat(32),
        "11".repeat(32),
        ca = other.digest(),
    );
    let dns = Dns::start(&zone);
    let domains = ["good", "anchored", "wrong", "named", "mute", "clear"];
    let clear = SmartHost::willing(&[]);
    let takers =
        [taker(good), taker(anchored), taker(wrong), taker(named), taker(authority.certifies("x.example")), clear];
    let names: Vec<String> = domains.iter().map(|domain| format!("mx.{domain}.example:25")).collect();
    let hosts: Vec<(&str, u16)> = names.iter().map(String::as_str).zip(takers.iter().map(|host| host.port)).collect();
    let site = site(&dns, &authority, &hosts);
    let serving = site.serve();
    for domain in domains {
        serving.submit(&[&format!("reader@{domain}.example")], &to("reader@x.example", domain))?;
    }
    serving.until_told("delivered", 2);
    serving.until_told("deferred", 4);
    serving.stop();
    let taken: Vec<usize> = takers.iter().map(|host| host.seen().len()).collect();
    assert_eq!(taken, [1, 1, 0, 0, 0, 0], "only who proved who it is got mail");
    assert_eq!(tally(&site, "good.example"), ["tlsa 1 good"]);
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
    serving.kill();
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
