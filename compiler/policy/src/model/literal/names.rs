//! Names of the net: prefixes, domains, addresses, endpoints, web addresses.

use super::{Literal, literals, not_this};
use crate::codes::Code;
use crate::syntax::Refusal;

/// `"192.0.2.0/24"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkPrefix(pub plan::Prefix);

/// A domain or host name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DomainName(pub mail::Domain);

/// A key of `domains`: a domain, perhaps with `{unit}.` before it. Canonical: A-labels in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DomainKey(pub String);

/// An address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAddress(pub mail::Address);

/// `host:port`, canonical: the host in lower-case A-labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(pub String);

/// `host:port` or `host:port/service` of an ICAP server (RFC 3507 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcapService(pub String);

/// `host:port` of a scanner, or `unix:/path` of a socket on its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannerPlace(pub String);

/// SHA-256 in hexadecimal digits, canonical in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sha256(pub String);

/// A web address without user or password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(pub String);

literals!(NetworkPrefix, DomainName, DomainKey, MailAddress, Endpoint, IcapService, ScannerPlace, Sha256, Url);

impl Literal for NetworkPrefix {
    const WANTED: &'static str = "an address prefix";
    const EXAMPLE: &'static str = "\"192.0.2.0/24\"";

    fn from_text(text: &str) -> Result<NetworkPrefix, Refusal> {
        match text.parse() {
            Ok(prefix) => Ok(NetworkPrefix(prefix)),
            Err(plan::BadPrefix::Syntax) => Err(not_this::<NetworkPrefix>("text", text)),
            Err(plan::BadPrefix::Length) => Err(Refusal::new(
                Code::E0108,
                format!("{text} is out of range for a prefix length (0–{})", longest(text)),
            )
            .help("an IPv4 prefix length is 0–32, an IPv6 one 0–128")),
            Err(plan::BadPrefix::HostBits(network)) => {
                let (address, length) = text.split_once('/').unwrap_or((text, ""));
                Err(Refusal::new(Code::E0109, format!("{text} has host bits set"))
                    .help(format!(
                        "write {network}/{length} for the network or {address}/{} for the host",
                        longest(text)
                    ))
                    .meant(format!("{network}/{length}")))
            }
        }
    }
}

fn longest(text: &str) -> u8 {
    if text.contains(':') { 128 } else { 32 }
}

impl Literal for DomainName {
    const WANTED: &'static str = "a domain";
    const EXAMPLE: &'static str = "\"example.org\"";

    fn from_text(text: &str) -> Result<DomainName, Refusal> {
        match text.parse::<mail::Domain>() {
            Ok(domain) if !domain.is_literal() => Ok(DomainName(domain)),
            Ok(_) | Err(_) => Err(not_this::<DomainName>("text", text)),
        }
    }
}

impl Literal for DomainKey {
    const WANTED: &'static str = "a domain";
    const EXAMPLE: &'static str = "\"example.org\" or \"{unit}.example.org\"";

    fn from_text(text: &str) -> Result<DomainKey, Refusal> {
        let (unit, domain) = match text.strip_prefix("{unit}.") {
            Some(rest) => ("{unit}.", rest),
            None => ("", text),
        };
        match domain.parse::<mail::Domain>() {
            Ok(domain) if !domain.is_literal() => Ok(DomainKey(format!("{unit}{domain}"))),
            Ok(_) | Err(_) => Err(not_this::<DomainKey>("text", text)),
        }
    }
}

impl Literal for MailAddress {
    const WANTED: &'static str = "an address";
    const EXAMPLE: &'static str = "\"contact@example.org\"";

    fn from_text(text: &str) -> Result<MailAddress, Refusal> {
        text.parse().map(MailAddress).map_err(|_| not_this::<MailAddress>("text", text))
    }
}

impl Literal for Endpoint {
    const WANTED: &'static str = "host:port";
    const EXAMPLE: &'static str = "\"relay.example.org:25\"";

    fn from_text(text: &str) -> Result<Endpoint, Refusal> {
        if let Some((_, host)) = text.rsplit_once('@') {
            return Err(secret().meant(host));
        }
        let wrong = || not_this::<Endpoint>("text", text);
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let digits = !port.is_empty() && port.len() <= 9 && port.bytes().all(|b| b.is_ascii_digit());
        let number: u32 = if digits { port.parse().map_err(|_| wrong())? } else { return Err(wrong()) };
        if !(1..=65_535).contains(&number) {
            return Err(Refusal::new(Code::E0108, format!("{number} is out of range for a port (1–65535)"))
                .help("a port is 1–65535"));
        }
        match host.parse::<mail::Domain>() {
            Ok(host) => Ok(Endpoint(format!("{host}:{number}"))),
            Err(_) => Err(wrong()),
        }
    }
}

impl Literal for ScannerPlace {
    const WANTED: &'static str = "host:port or unix:/path";
    const EXAMPLE: &'static str = "\"unix:/run/scanner.sock\"";

    fn from_text(text: &str) -> Result<ScannerPlace, Refusal> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') && !path.contains('\0') => Ok(ScannerPlace(text.to_owned())),
            Some(_) => Err(not_this::<ScannerPlace>("text", text)),
            None => Endpoint::from_text(text).map(|endpoint| ScannerPlace(endpoint.0)),
        }
    }
}

/// Longest path of an ICAP service.
const ICAP_PATH_OCTETS_MAX: usize = 200;

impl Literal for IcapService {
    const WANTED: &'static str = "host:port or host:port/service";
    const EXAMPLE: &'static str = "\"scan.example.org:1344/avscan\"";

    fn from_text(text: &str) -> Result<IcapService, Refusal> {
        let Some((endpoint, path)) = text.split_once('/') else {
            return Endpoint::from_text(text).map(|endpoint| IcapService(endpoint.0));
        };
        let endpoint = Endpoint::from_text(endpoint)?;
        // Path segments (RFC 3986 3.3) without escapes and without a query.
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~/".contains(&octet);
        let sound = path.bytes().all(plain) && path.split('/').all(|step| !["", ".", ".."].contains(&step));
        if sound && path.len() <= ICAP_PATH_OCTETS_MAX {
            Ok(IcapService(format!("{}/{path}", endpoint.0)))
        } else {
            Err(not_this::<IcapService>("text", text))
        }
    }
}

impl Literal for Sha256 {
    const WANTED: &'static str = "a SHA-256";
    const EXAMPLE: &'static str = "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"";

    fn from_text(text: &str) -> Result<Sha256, Refusal> {
        if text.len() == 64 && text.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            Ok(Sha256(text.to_ascii_lowercase()))
        } else {
            Err(not_this::<Sha256>("text", text))
        }
    }
}

impl Literal for Url {
    const WANTED: &'static str = "a web address";
    const EXAMPLE: &'static str = "\"https://mail.example.org\"";

    fn from_text(text: &str) -> Result<Url, Refusal> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let Some(rest) = rest else { return Err(not_this::<Url>("text", text)) };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
        if authority.contains('@') {
            return Err(secret());
        }
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let sound = host.parse::<mail::Domain>().is_ok() && text.bytes().all(|b| b.is_ascii_graphic());
        if sound { Ok(Url(text.to_owned())) } else { Err(not_this::<Url>("text", text)) }
    }
}

/// E0114: a user and a password before the host. The text is not repeated: a message is no place for it either.
pub(super) fn secret() -> Refusal {
    Refusal::new(Code::E0114, "a secret is written in the file")
        .help("use `Secret(\"name\")` and load it at deployment; write the host alone here")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: Literal>(text: &str) -> Option<Code> {
        T::from_text(text).err().map(|refusal| refusal.code)
    }

    #[test]
    fn prefixes_say_which_network_was_meant() {
        let refusal = NetworkPrefix::from_text("192.0.2.5/24").unwrap_err();
        assert_eq!(refusal.code, Code::E0109);
        assert_eq!(refusal.help.as_deref(), Some("write 192.0.2.0/24 for the network or 192.0.2.5/32 for the host"));
        assert_eq!(code::<NetworkPrefix>("192.0.2.0/33"), Some(Code::E0108));
        assert_eq!(code::<NetworkPrefix>("192.0.2.0"), Some(Code::E0104));
    }

    #[test]
    fn endpoints_have_a_port_and_no_password() {
        assert_eq!(Endpoint::from_text("Scan.Example.ORG:1344"), Ok(Endpoint("scan.example.org:1344".into())));
        assert_eq!(Endpoint::from_text("127.0.0.1:3310"), Ok(Endpoint("127.0.0.1:3310".into())));
        assert_eq!(code::<Endpoint>("scan.example.org"), Some(Code::E0104));
        assert_eq!(code::<Endpoint>("scan.example.org:0"), Some(Code::E0108));
        assert_eq!(code::<Endpoint>("user:hunter2@smtp.example.org:587"), Some(Code::E0114));
        assert_eq!(code::<Url>("https://user:hunter2@example.org/"), Some(Code::E0114));
        assert!(Url::from_text("https://motdepasse.univ-nantes.fr").is_ok());
        assert_eq!(code::<Url>("motdepasse.univ-nantes.fr"), Some(Code::E0104));
    }

    #[test]
    fn domain_keys_are_canonical() {
        assert_eq!(DomainKey::from_text("{unit}.Univ-Nantes.FR"), Ok(DomainKey("{unit}.univ-nantes.fr".into())));
        assert_eq!(code::<DomainKey>("{unit}"), Some(Code::E0104));
        assert_eq!(code::<DomainName>("[192.0.2.1]"), Some(Code::E0104));
    }
}
