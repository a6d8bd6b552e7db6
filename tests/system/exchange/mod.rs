//! Two facteurs, Debian's Postfix and Debian's Dovecot on a network of their own with a signed name server: mail all ways
//! over port 25, DANE and MTA-STS enforced.

mod dovecot;
pub mod house;
pub mod net;
pub mod postfix;

use tests::dns::Dns;
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Outcome, wait};

use self::dovecot::Dovecot;
use self::house::{House, Plan, WITHIN};
use self::net::Net;
use self::postfix::Postfix;
use crate::clients::found;
use crate::world::authority::{Authority, Web};

const RESOLVER: &str = "127.0.0.53";
const STS_POLICY: &str =
    "version: STSv1\r\nmode: enforce\r\nmx: mx.b.example\r\nmx: mx.c.example\r\nmax_age: 86400\r\n";

/// Everybody's names; `mx.c.example` is the house of b under a name its certificate does not have, `p2.example` is Postfix
/// with a TLSA record of another key.
fn zone(a: &House, b: &House, p: &str) -> String {
    format!(
        "a.example MX 10 mx.a.example\nmx.a.example A 127.0.1.1\n_25._tcp.mx.a.example TLSA 3 1 1 {}\n\
         b.example MX 10 mx.b.example\nmx.b.example A 127.0.1.2\n_mta-sts.b.example TXT v=STSv1; id=1\n\
         mta-sts.b.example A 127.0.1.5\nb.example UNSIGNED\n\
         c.example MX 10 mx.c.example\nmx.c.example A 127.0.1.2\n_mta-sts.c.example TXT v=STSv1; id=1\n\
         mta-sts.c.example A 127.0.1.5\nc.example UNSIGNED\n\
         p.example MX 10 mx.p.example\nmx.p.example A 127.0.1.3\n_25._tcp.mx.p.example TLSA 3 1 1 {p}\n\
         p2.example MX 10 mx.p2.example\nmx.p2.example A 127.0.1.3\n_25._tcp.mx.p2.example TLSA 3 1 1 {}\n",
        a.key_digest, b.key_digest
    )
}

/// Waits for what `look` finds.
#[track_caller]
fn until(what: &str, look: impl FnMut() -> Option<()>) {
    wait::until(WITHIN, what, look);
}

#[test]
fn two_facteurs_postfix_and_dovecot_exchange_mail_all_ways_and_believe_no_forged_certificate() -> Outcome {
    let test = "two_facteurs_postfix_and_dovecot";
    for program in ["postfix", "dovecot"] {
        if found(test, program).is_none() {
            return Ok(());
        }
    }
    let Some(net) = Net::new(test, RESOLVER) else { return Ok(()) };
    let scratch = Scratch::new("exchange");
    let authority = Authority::new();
    let dns = net.inside(|| Dns::start_at(&format!("{RESOLVER}:53"), ""));
    std::fs::write(scratch.join("anchors"), &dns.anchors)?;
    let site = format!("dns: (servers: [\"{RESOLVER}:53\"], anchors: Some({:?})),", scratch.join("anchors"));
    let a = House::start(&net, &scratch, &keeps_mailboxes(), &authority, &site);
    let store = Dovecot::start(&net, &scratch, "127.0.1.4", &["bert.beta"]);
    let b = House::start(&net, &scratch, &edge(), &authority, &site);
    let shown = authority.certifies("mx.p.example");
    let p =
        Postfix::start(&net, &scratch, "p.example", "mx.p.example", "127.0.1.3", (&shown.chain_pem, &shown.key_pem));
    let sts = authority.certifies_all(&["mta-sts.b.example", "mta-sts.c.example"]);
    let _web = net.inside(|| Web::start_at("127.0.1.5:443", sts.tls, STS_POLICY));
    dns.set(&zone(&a, &b, &shown.key_digest));
    all_ways(&net, &a, (&b, &store), &p)?;
    redirected(&net, &a, &b, &p)?;
    forged(&net, &a, (&b, &store), &p)?;
    assert!([&a, &b].iter().all(|house| !house.log().contains("panicked")));
    Ok(())
}

fn keeps_mailboxes() -> Plan {
    Plan {
        domain: "a.example",
        host: "mx.a.example",
        address: "127.0.1.1",
        sections: "redirects: (asked_through: Nobody, allow: { \"p\": Suffix(\"p.example\") }, otherwise: Refuse),"
            .into(),
        people: &[("Anne", "Alpha")],
        keeps: true,
    }
}

fn edge() -> Plan {
    Plan {
        domain: "b.example",
        host: "mx.b.example",
        address: "127.0.1.2",
        sections: "routes: (held: Lmtp(\"127.0.1.4:24\"), remote: DirectMx, homes: {}),".into(),
        people: &[("Bert", "Beta")],
        keeps: false,
    }
}

fn all_ways(net: &Net, a: &House, (b, store): (&House, &Dovecot), p: &Postfix<'_>) -> Outcome {
    let (anne, bert) = ("Anne.Alpha@a.example", "Bert.Beta@b.example");
    // From a facteur with mailboxes: to the edge before Dovecot, to Postfix.
    a.submit(net, "alpha-a", "", bert, &letter(anne, bert, "a to b"))?;
    until("Dovecot has what a sent to b", || find(&store.mail_of("bert.beta"), "Subject: a to b"));
    a.submit(net, "alpha-a", "", "paul@p.example", &letter(anne, "paul@p.example", "a to p"))?;
    until("Postfix has what a sent", || find(&p.mail(), "Subject: a to p"));

    // From the edge: its people write through it, and their mail at home goes behind it.
    b.submit(net, "beta-b", "", anne, &letter(bert, anne, "b to a"))?;
    until("a has what b sent", || find(&[a.inbox(net, "alpha-a").ok()?], "Subject: b to a"));
    b.submit(net, "beta-b", "", "paul@p.example", &letter(bert, "paul@p.example", "b to p"))?;
    until("Postfix has what b sent", || find(&p.mail(), "Subject: b to p"));
    b.submit(net, "beta-b", "", bert, &letter(bert, bert, "b to b"))?;
    until("Dovecot has what b sent home", || find(&store.mail_of("bert.beta"), "Subject: b to b"));

    // From Postfix, which verifies a by DANE.
    for (to, subject) in [(anne, "p to a"), (bert, "p to b")] {
        p.send("paul@p.example", to, &letter("paul@p.example", to, subject));
    }
    until("a has what Postfix sent", || find(&[a.inbox(net, "alpha-a").ok()?], "Subject: p to a"));
    until("Dovecot has what Postfix sent", || find(&store.mail_of("bert.beta"), "Subject: p to b"));
    assert!(p.log().contains("Verified TLS connection established to mx.a.example"), "{}", p.log());
    Ok(())
}

/// Mail that goes on is sealed, and under a reverse-path of the house it went through.
fn redirected(net: &Net, a: &House, b: &House, p: &Postfix<'_>) -> Outcome {
    let set = |to: &str| a.operate(&["redirect", "set", "--login", "alpha-a", "--to", to]);
    assert!(set("anne@gmail.com").ends(2).err.contains("[redirects.otherwise]"));
    assert!(set("anne@a.example").ends(2).err.contains("[domains.a.example]"));
    set("paul@p.example").ends(0);
    let (anne, bert) = ("Anne.Alpha@a.example", "Bert.Beta@b.example");
    b.submit(net, "beta-b", "", anne, &letter(bert, anne, "b to a and on"))?;
    until("a keeps a copy of what goes on", || find(&[a.inbox(net, "alpha-a").ok()?], "Subject: b to a and on"));
    until("Postfix has what went on", || find(&p.mail(), "Subject: b to a and on"));
    let whole = p.mail().into_iter().find(|message| message.contains("Subject: b to a and on")).expect("just seen");
    for line in [
        "Return-Path: <SRS0=",
        "ARC-Seal: i=1;",
        "ARC-Authentication-Results: i=1;",
        "Delivered-To: Anne.Alpha@a.example",
    ] {
        assert!(whole.contains(line), "{line}: {whole}");
    }
    a.operate(&["redirect", "end", "--login", "alpha-a"]).ends(0);
    b.submit(net, "beta-b", "", anne, &letter(bert, anne, "b to a alone"))?;
    until("a has the next one", || find(&[a.inbox(net, "alpha-a").ok()?], "Subject: b to a alone"));
    assert_eq!(find(&p.mail(), "Subject: b to a alone"), None);
    Ok(())
}

/// Certificates that are not those DNS and policies promise: mail waits, and the report has the record.
fn forged(net: &Net, a: &House, b: (&House, &Dovecot), p: &Postfix<'_>) -> Outcome {
    let anne = "Anne.Alpha@a.example";
    for (to, subject) in [("paul@p2.example", "to another key"), ("bert.beta@c.example", "to another name")] {
        a.submit(net, "alpha-a", "", to, &letter(anne, to, subject))?;
    }
    until("both wait with their reason", || {
        let listed = a.operate(&["queue", "list", "--format", "json"]).out;
        (listed.contains("p2.example") && listed.contains("c.example") && listed.matches("attempts\":0").count() == 0)
            .then_some(())
    });
    assert_eq!(find(&p.mail(), "Subject: to another key"), None, "a forged TLSA is not believed");
    assert_eq!(find(&b.1.mail_of("bert.beta"), "Subject: to another name"), None, "a forged name is not believed");
    until("the TLS reports have both", || {
        let reports = a.operate(&["reports"]).out;
        let has = |needle: &str| reports.lines().any(|line| line.contains(needle));
        let (key, name) = ("validation-failure at mx.p2.example", "certificate-host-mismatch at mx.c.example");
        (has(key) && has(name)).then_some(())
    });
    Ok(())
}

fn find(messages: &[String], needle: &str) -> Option<()> {
    messages.iter().any(|message| message.contains(needle)).then_some(())
}
