//! Links: where they lead, and what they look like.

use super::bounds::HREF_OCTETS_MAX;
use super::host;

/// Where in a message a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFrom {
    /// `<a href>`
    Anchor,
    /// `<area href>`: a place in a picture.
    Area,
    /// `<form action>`
    Form,
    /// What is fetched without a click: `<img src>`, backgrounds, frames.
    Image,
    /// `<meta http-equiv=refresh>`
    Refresh,
    /// An address written out in text.
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// http and https.
    Web,
    Mailto,
    /// `cid:`, a part of the same message.
    Cid,
    Data,
    JavaScript,
    /// `#fragment`, a path without a host, or nothing.
    Relative,
    Other,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub from: LinkFrom,
    pub enclosed: bool,
    pub scheme: Scheme,
    /// As a browser would take it: entities decoded, tabs and line ends taken out, cut to a bound.
    pub href: String,
    /// Lower-case A-labels, or the IP address in its ordinary form; of `mailto:` the domain.
    pub host: Option<String>,
    /// The host was written as a number, however disguised.
    pub ip_host: bool,
    /// There is something before an `@` in front of the host.
    pub userinfo: bool,
    pub port: Option<u16>,
    /// The host was written with percent escapes.
    pub escaped_host: bool,
    /// What is seen of an anchor, cut to a bound; of other links empty.
    pub text: String,
    /// An image stands inside the anchor.
    pub holds_image: bool,
}

impl Link {
    /// Reads an address as browsers do (WHATWG URL, basic parser): space around it, tabs and line ends in it do not count,
    /// and backslashes are slashes.
    pub fn read(from: LinkFrom, href: &str) -> Link {
        let mut cleaned = String::with_capacity(href.len().min(HREF_OCTETS_MAX));
        for c in href.trim_matches(|c: char| c <= ' ').chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')) {
            if cleaned.len() >= HREF_OCTETS_MAX {
                break;
            }
            cleaned.push(c);
        }
        let mut link = Link {
            from,
            enclosed: false,
            scheme: Scheme::Relative,
            host: None,
            ip_host: false,
            userinfo: false,
            port: None,
            escaped_host: false,
            text: String::new(),
            holds_image: false,
            href: cleaned,
        };
        link.take_apart();
        link
    }

    /// The path, query and fragment of a web link; empty of others.
    pub fn path(&self) -> &str {
        let Some(rest) = self.web_rest() else { return "" };
        rest.find(['/', '\\', '?', '#']).map_or("", |at| &rest[at..])
    }

    /// What stands behind `https://`.
    fn web_rest(&self) -> Option<&str> {
        (self.scheme == Scheme::Web).then(|| {
            let rest = self.href.split_once(':').filter(|(scheme, _)| is_web(scheme)).map_or(&*self.href, |it| it.1);
            rest.trim_start_matches(['/', '\\'])
        })
    }

    fn take_apart(&mut self) {
        let scheme_end = self.href.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')));
        let scheme = match scheme_end {
            Some(end) if end > 0 && self.href[end..].starts_with(':') => &self.href[..end],
            _ if self.href.starts_with("//") || self.href.starts_with("\\\\") => "http",
            _ => return,
        };
        self.scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => Scheme::Web,
            "mailto" => Scheme::Mailto,
            "cid" | "mid" => Scheme::Cid,
            "data" => Scheme::Data,
            "javascript" | "vbscript" => Scheme::JavaScript,
            _ => Scheme::Other,
        };
        match self.scheme {
            Scheme::Web => self.take_authority(),
            Scheme::Mailto => {
                let address = self.href[7..].split(['?', ',', ';']).next().unwrap_or_default();
                let domain = address.rsplit_once('@').map(|(_, domain)| domain.trim_matches(['>', ' ']));
                self.host = domain.and_then(host::a_labels);
            }
            _ => {}
        }
    }

    fn take_authority(&mut self) {
        let Some(rest) = self.web_rest() else { return };
        let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
        let (userinfo, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (!user.is_empty(), place),
            None => (false, authority),
        };
        let (name, port) = match place.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, port.parse().ok()),
            _ => (place, None),
        };
        let escaped = name.contains('%');
        let read = host::read(name);
        self.userinfo = userinfo;
        self.port = port;
        self.escaped_host = escaped;
        self.ip_host = read.as_ref().is_some_and(|host| host.is_ip);
        self.host = read.map(|host| host.name);
    }
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}
