//! `facteur probe mail`: a message from end to end. It is sent as clients send, read as clients read, and removed.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use server::operate::status::probe::{Level, Limits};

use super::{Line, seconds, unknown};
use crate::wire::{Answer, Door, Wire};

/// In seconds.
pub const LIMITS: Limits = Limits { warn: Some(10.0), crit: Some(60.0) };
/// Messages of probes before are removed when they are so old, and older than a probe waits: one that waits finds its own.
const LEFT_OVER_S: u64 = 600;
/// Of them, those one probe removes.
const LEFT_OVER_MAX: usize = 200;
const SUBJECT: &str = "facteur probe";
/// How often the mailbox is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The file of `--with`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "ProbeMail")]
struct ProbeMail {
    sending: SendingServer,
    reading: ReadingServer,
    /// Of the probe mailbox, for both servers.
    login: String,
    password: String,
    from: String,
    to: String,
    /// A PEM file of who issued the certificates; the public authorities where nothing is written.
    #[serde(default)]
    authority: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendingServer {
    /// `host:port`.
    at: String,
    /// The name in its certificate.
    name: String,
    tls: Tls,
    /// As a client of submission, or as another server at port 25.
    #[serde(default = "yes")]
    log_in: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadingServer {
    /// Of IMAP under TLS from the first octet.
    at: String,
    name: String,
}

/// Words as a policy has them.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[allow(clippy::enum_variant_names)]
enum Tls {
    None,
    StartTls,
    Implicit,
}

fn yes() -> bool {
    true
}

/// Sends, reads, removes.
pub fn probe(file: Option<&Path>, within: Duration, limits: Limits) -> Line {
    let Some(file) = file else { return unknown("mail", "--with FILE says by which servers and mailbox") };
    let how = match read(file) {
        Ok(how) => how,
        Err(why) => return unknown("mail", &why),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return unknown("mail", &error.to_string()),
    };
    let went = runtime.block_on(async { tokio::time::timeout(within, round(&how, within)).await });
    let went = went.unwrap_or_else(|_| Err(format!("it did not arrive within {} s", within.as_secs())));
    match went {
        Ok((sent, arrived)) => {
            let total = seconds("total", sent + arrived, limits);
            let level = limits.level(total.value, false);
            let mut text = format!("MAIL {} - sent and read in {} s |", level.word(), total.value);
            for figure in
                [total, seconds("sent", sent, Limits::default()), seconds("arrived", arrived, Limits::default())]
            {
                let of = |limit: Option<f64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
                let (warn, crit) = (of(figure.limits.warn), of(figure.limits.crit));
                let _ = write!(text, " '{}'={}s;{warn};{crit};0", figure.name, figure.value);
            }
            Line { level, text }
        }
        Err(why) => {
            let why: String = why.chars().map(|c| if c == '|' || c.is_control() { ' ' } else { c }).collect();
            Line { level: Level::Critical, text: format!("MAIL CRITICAL - {why}") }
        }
    }
}

/// A password others can read is no secret: that is said before it is used.
fn read(file: &Path) -> Result<ProbeMail, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mode = std::fs::metadata(file).map_err(|error| named(&error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(named(&format!("others may read it (mode {:o})", mode & 0o777)));
    }
    let text = std::fs::read_to_string(file).map_err(|error| named(&error))?;
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let how: ProbeMail = options.from_str(&text).map_err(|error| named(&error))?;
    let lines = [&how.from, &how.to, &how.login, &how.password];
    if lines.iter().any(|text| text.chars().any(char::is_control)) {
        return Err(named(&"a value has a control character"));
    }
    if how.sending.log_in && how.sending.tls == Tls::None {
        return Err(named(&"the password would go without TLS: StartTls or Implicit, or log_in: false"));
    }
    Ok(how)
}

/// How long it took to be taken, and from then on to be there.
async fn round(how: &ProbeMail, within: Duration) -> Result<(Duration, Duration), String> {
    let tls = Arc::new(trust(how.authority.as_deref())?);
    let id = message_id(how).ok_or("no random number")?;
    let started = Instant::now();
    let mut sending = connect(&how.sending.at, &how.sending.name, how.sending.tls == Tls::Implicit, &tls).await?;
    send(&mut sending, how, &id).await.map_err(|why| format!("{}: {why}", how.sending.at))?;
    let sent = started.elapsed();
    let at = &how.reading.at;
    let mut reading = connect(at, &how.reading.name, true, &tls).await?;
    take(&mut reading, how, &id, within).await.map_err(|why| format!("{at}: {why}"))?;
    Ok((sent, started.elapsed().saturating_sub(sent)))
}

async fn connect(at: &str, name: &str, implicit: bool, tls: &Arc<ClientConfig>) -> Result<Wire, String> {
    let told = |error: io::Error| format!("{at}: {error}");
    let address = tokio::net::lookup_host(at).await.map_err(told)?.next().ok_or_else(|| format!("{at}: no address"))?;
    let source = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let door = Door { address, source, host: name.to_owned(), implicit_tls: implicit };
    Wire::connect(&door, tls.clone()).await.map_err(told)
}

async fn send(wire: &mut Wire, how: &ProbeMail, id: &str) -> Result<(), String> {
    let told = |error: io::Error| error.to_string();
    let taken = |answer: Answer| match answer.code {
        200..400 => Ok(()),
        code => Err(format!("{code} {}", answer.text)),
    };
    taken(wire.reply().await.map_err(told)?)?;
    taken(wire.say("EHLO probe.invalid").await.map_err(told)?)?;
    if how.sending.tls == Tls::StartTls {
        taken(wire.say("STARTTLS").await.map_err(told)?)?;
        wire.start_tls().await.map_err(told)?;
        taken(wire.say("EHLO probe.invalid").await.map_err(told)?)?;
    }
    if how.sending.log_in {
        let plain = STANDARD.encode(format!("\0{}\0{}", how.login, how.password));
        taken(wire.say_secret("AUTH PLAIN ...", &format!("AUTH PLAIN {plain}")).await.map_err(told)?)?;
    }
    taken(wire.say(&format!("MAIL FROM:<{}>", how.from)).await.map_err(told)?)?;
    taken(wire.say(&format!("RCPT TO:<{}>", how.to)).await.map_err(told)?)?;
    let date = jiff::fmt::rfc2822::to_string(&jiff::Zoned::now()).map_err(|error| error.to_string())?;
    let content = format!(
        "Date: {date}\r\nFrom: <{}>\r\nTo: <{}>\r\nMessage-ID: <{id}>\r\nSubject: {SUBJECT}\r\n\
         Auto-Submitted: auto-generated\r\n\r\nA probe of the mail service. It is removed once it was read.\r\n",
        how.from, how.to
    );
    taken(wire.data(&content).await.map_err(told)?)?;
    let _ = wire.say("QUIT").await;
    Ok(())
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Waits for the message and removes it, and those of probes that gave up before theirs arrived.
async fn take(wire: &mut Wire, how: &ProbeMail, id: &str, within: Duration) -> Result<(), String> {
    wire.line().await.map_err(|error| error.to_string())?;
    let login = format!("LOGIN {} {}", quoted(&how.login), quoted(&how.password));
    done(wire, "LOGIN ...", &login).await?;
    done(wire, "SELECT INBOX", "SELECT INBOX").await?;
    // The age is of RFC 5032; where the server does not know it they stay.
    let (older_s, from) = (within.as_secs().max(LEFT_OVER_S), quoted(&how.from));
    let left = format!("UID SEARCH HEADER Message-ID \"<probe.\" SUBJECT \"{SUBJECT}\" FROM {from} OLDER {older_s}");
    let left = found(&done(wire, &left, &left).await.unwrap_or_default());
    remove(wire, &left).await?;
    let search = format!("UID SEARCH HEADER Message-ID {}", quoted(id));
    let uids = loop {
        let uids = found(&done(wire, &search, &search).await?);
        if !uids.is_empty() {
            break uids;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    remove(wire, &uids).await?;
    let _ = wire.command("z", "LOGOUT", "LOGOUT").await;
    Ok(())
}

/// The UIDs of an answer to UID SEARCH (RFC 9051 7.3.4, RFC 3501 7.2.5).
fn found(lines: &[String]) -> Vec<u32> {
    let line = lines.iter().find_map(|line| line.strip_prefix("* SEARCH "));
    line.into_iter().flat_map(str::split_whitespace).filter_map(|uid| uid.parse().ok()).take(LEFT_OVER_MAX).collect()
}

async fn remove(wire: &mut Wire, uids: &[u32]) -> Result<(), String> {
    if uids.is_empty() {
        return Ok(());
    }
    let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    for command in [format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)"), format!("UID EXPUNGE {set}")] {
        done(wire, &command, &command).await?;
    }
    Ok(())
}

async fn done(wire: &mut Wire, shown: &str, command: &str) -> Result<Vec<String>, String> {
    let lines = wire.command("a", shown, command).await.map_err(|error| error.to_string())?;
    match lines.last() {
        Some(last) if last.starts_with("a OK") => Ok(lines),
        last => Err(format!("{shown}: {}", last.map_or("", |last| last))),
    }
}

fn trust(authority: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match authority {
        None => roots.extend(server::public_authorities()),
        Some(file) => {
            let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
            let all = CertificateDer::pem_file_iter(file).map_err(|error| told(&error))?;
            for certificate in all {
                let certificate = certificate.map_err(|error| told(&error))?;
                roots.add(certificate).map_err(|error| told(&error))?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

/// One nobody has; `facteur why` tells its story as of every message.
fn message_id(how: &ProbeMail) -> Option<String> {
    let mut octets = [0; 12];
    SystemRandom::new().fill(&mut octets).ok()?;
    let digits = octets.iter().fold(String::new(), |digits, octet| format!("{digits}{octet:02x}"));
    let domain = how.from.rsplit_once('@').map_or("probe.invalid", |(_, domain)| domain);
    Some(format!("probe.{digits}@{domain}"))
}
