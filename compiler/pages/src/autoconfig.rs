//! What mail programs read to set an account up by themselves: `config-v1.1.xml`, the format that Thunderbird began and
//! K-9 Mail, Evolution, KMail and FairEmail read, too (draft-ietf-mailmaint-autoconfig).

use std::fmt::Write;

use mail::Address;
use plan::{MailDomain, Mechanism, Plan, Speaks, TlsMode};

use crate::access::Place;
use crate::facts::Facts;
use crate::html::escaped;
use crate::services::{Door, incoming, outgoing};

/// Why there is no file for a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAutoconfig {
    /// The policy does not have it.
    NotOurs,
    /// Its mailboxes are elsewhere.
    PassedOn,
    /// No listener with TLS for people to read or to send through: what a program would be told is not safe (RFC 8314).
    NoTls,
}

/// The file for a domain of the Plan. `login` is that of the person who asks. Where it is not known the file names the
/// address, or the part before the at sign where logins look like that, and the person puts it right.
pub fn autoconfig(plan: &Plan, domain: &str, login: Option<&str>) -> Result<String, NoAutoconfig> {
    if !holds(plan, domain)? {
        return Err(NoAutoconfig::PassedOn);
    }
    let facts = Facts { plan, language: plan.institution.pages };
    let user = login.map_or_else(|| placeholder(&facts).to_owned(), str::to_owned);
    let reading = servers(&facts, "incomingServer", &incoming_doors(plan), &user);
    let sending = servers(&facts, "outgoingServer", &outgoing_doors(plan), &user);
    if reading.is_empty() || sending.is_empty() {
        return Err(NoAutoconfig::NoTls);
    }
    let institution = &plan.institution;
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n");
    let _ = writeln!(text, "  <emailProvider id=\"{}\">", said(institution.domain.as_str()));
    element(&mut text, 4, "domain", domain);
    element(&mut text, 4, "displayName", &institution.name);
    element(&mut text, 4, "displayShortName", &institution.name);
    text += &reading;
    text += &sending;
    text += "  </emailProvider>\n";
    if let Some(webmail) = facts.webmail() {
        let _ = writeln!(text, "  <webMail>\n    <loginPage url=\"{}\" />\n  </webMail>", said(webmail));
    }
    Ok(text + "</clientConfig>\n")
}

/// Where somebody at this domain reads and sends, with TLS, each in the order of preference and never empty.
pub(crate) fn doors<'p>(plan: &'p Plan, domain: &str) -> Result<(Vec<Door<'p>>, Vec<Door<'p>>), NoAutoconfig> {
    if !holds(plan, domain)? {
        return Err(NoAutoconfig::PassedOn);
    }
    let with_tls = |doors: Vec<(&str, Door<'p>)>| -> Vec<Door<'p>> {
        doors.into_iter().map(|(_, door)| door).filter(|door| door.listener.tls != TlsMode::None).collect()
    };
    let (reading, sending) = (with_tls(incoming_doors(plan)), with_tls(outgoing_doors(plan)));
    if reading.is_empty() || sending.is_empty() {
        return Err(NoAutoconfig::NoTls);
    }
    Ok((reading, sending))
}

/// What programs try as a login when only the address is known.
pub(crate) fn user_of(facts: &Facts<'_>, address: &Address) -> String {
    match placeholder(facts) {
        LOCAL_PART => address.local().to_owned(),
        _ => address.to_string(),
    }
}

/// Are the mailboxes of this domain here?
fn holds(plan: &Plan, domain: &str) -> Result<bool, NoAutoconfig> {
    // `{unit}.univ.example` stands for each name of one label more.
    let of_a_unit = || plan.domains.get(&format!("{{unit}}.{}", domain.split_once('.')?.1));
    match plan.domains.get(domain).or_else(of_a_unit).ok_or(NoAutoconfig::NotOurs)? {
        MailDomain::Held { .. } => Ok(true),
        MailDomain::PassOn { .. } => Ok(false),
        // A plan has no aliases of aliases.
        MailDomain::AliasOf(other) => Ok(matches!(plan.domains.get(other.as_str()), Some(MailDomain::Held { .. }))),
    }
}

/// The word of the format for what stands before the at sign.
const LOCAL_PART: &str = "%EMAILLOCALPART%";

/// What stands for the login of whoever reads the file.
fn placeholder(facts: &Facts<'_>) -> &'static str {
    let person = facts.person();
    let local = person.address.rsplit_once('@').map_or("", |(local, _)| local);
    if person.login.eq_ignore_ascii_case(local) { LOCAL_PART } else { "%EMAILADDRESS%" }
}

/// IMAP before POP, and of each first what a new program should take.
fn incoming_doors(plan: &Plan) -> Vec<(&'static str, Door<'_>)> {
    let name = |speaks| if speaks == Speaks::Imap { "imap" } else { "pop3" };
    let services = incoming(plan).into_iter();
    services.flat_map(|service| service.into_doors().map(move |door| (name(door.listener.speaks), door))).collect()
}

fn outgoing_doors(plan: &Plan) -> Vec<(&'static str, Door<'_>)> {
    let mut services = outgoing(plan);
    services.sort_by_key(|service| *service.place() != Place::Everywhere);
    services.into_iter().flat_map(|service| service.into_doors().map(|door| ("smtp", door))).collect()
}

/// An element for each door that has TLS.
fn servers(facts: &Facts<'_>, name: &str, doors: &[(&str, Door<'_>)], user: &str) -> String {
    let mut text = String::new();
    for (kind, door) in doors {
        let security = match door.listener.tls {
            TlsMode::Implicit => "SSL",
            TlsMode::Required | TlsMode::Offered => "STARTTLS",
            TlsMode::None => continue,
        };
        let _ = writeln!(text, "    <{name} type=\"{kind}\">");
        element(&mut text, 6, "hostname", door.listener.host.as_str());
        element(&mut text, 6, "port", &door.port());
        element(&mut text, 6, "socketType", security);
        for way in authentication(facts.plan) {
            element(&mut text, 6, "authentication", way);
        }
        element(&mut text, 6, "username", user);
        let _ = writeln!(text, "    </{name}>");
    }
    text
}

/// In the order of preference. What the format calls an encrypted password are exchanges like SCRAM.
fn authentication(plan: &Plan) -> Vec<&'static str> {
    let sent_as = &plan.identity.password.sent_as;
    let offers = |wanted: &[Mechanism]| sent_as.iter().any(|it| wanted.contains(it));
    let ways = [
        ("password-cleartext", offers(&[Mechanism::Plain, Mechanism::Login])),
        ("password-encrypted", offers(&[Mechanism::ScramSha256])),
        ("OAuth2", offers(&[Mechanism::OAuthBearer, Mechanism::XOAuth2])),
    ];
    ways.into_iter().filter(|(_, offered)| *offered).map(|(way, _)| way).collect()
}

pub(crate) fn element(text: &mut String, indent: usize, name: &str, value: &str) {
    let _ = writeln!(text, "{:indent$}<{name}>{}</{name}>", "", said(value));
}

/// Two characters that HTML takes are none of XML (XML 1.0, production 2).
pub(crate) fn said(text: &str) -> String {
    escaped(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
