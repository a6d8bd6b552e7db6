//! A browser as the portal meets it: HTTPS, cookies, forms with their tokens. It runs no script, because there is none.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;

use crate::describe::Person;
use crate::{Facteur, wire};

/// A connection to the portal.
pub type Tls = StreamOwned<ClientConnection, TcpStream>;

/// What was answered.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: u16,
    /// Names in small letters.
    pub header: Vec<(String, String)>,
    pub body: String,
}

impl Page {
    /// The first field of this name; empty where there is none.
    pub fn field(&self, name: &str) -> &str {
        self.header.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// The token of the form that is posted to `action`.
    #[track_caller]
    pub fn token(&self, action: &str) -> String {
        self.find_token(action).unwrap_or_else(|| panic!("no form for {action} in {}", self.body))
    }

    fn find_token(&self, action: &str) -> Option<String> {
        let (_, form) = self.body.split_once(&format!("action=\"{action}\""))?;
        let (_, value) = form.split_once("name=\"token\" value=\"")?;
        Some(value.split('"').next()?.to_owned())
    }
}

/// A browser in one network of the policy.
pub struct Browser {
    address: SocketAddr,
    host: String,
    tls: Arc<ClientConfig>,
    pub cookies: BTreeMap<String, String>,
    /// Fields sent with each request.
    pub language: &'static str,
}

impl Browser {
    /// In this network. Nobody is signed in.
    #[track_caller]
    pub fn new(server: &Facteur, network: &str) -> Browser {
        let url =
            server.describe.portal.get(network).unwrap_or_else(|| panic!("the portal is not reached from {network}"));
        let address: SocketAddr = url.trim_start_matches("https://").parse().expect("an address");
        Browser::at(address, &address.to_string(), server.tls.clone())
    }

    /// At an address where the portal is called `host`.
    pub fn at(address: SocketAddr, host: &str, tls: Arc<ClientConfig>) -> Browser {
        Browser { address, host: host.to_owned(), tls, cookies: BTreeMap::new(), language: "en" }
    }

    /// The same browser after somebody signed in.
    #[track_caller]
    pub fn signed_in(server: &Facteur, network: &str, who: &Person) -> Browser {
        let mut browser = Browser::new(server, network);
        let page = browser.sign_in(&who.login, &who.password).expect("the portal answers");
        assert_eq!((page.status, page.field("location")), (303, "/"), "{}", page.body);
        browser
    }

    /// Host and port of the portal.
    pub fn host(&self) -> String {
        self.host.clone()
    }

    /// A connection after its handshake.
    pub fn connect(&self) -> io::Result<Tls> {
        let stream = wire::connect(self.address, Ipv4Addr::LOCALHOST)?;
        let name = ServerName::IpAddress(self.address.ip().into());
        let session = ClientConnection::new(self.tls.clone(), name).map_err(io::Error::other)?;
        Ok(StreamOwned::new(session, stream))
    }

    /// Sends octets and reads the answer until the server closes.
    pub fn raw(&self, octets: &[u8]) -> io::Result<Page> {
        let mut stream = self.connect()?;
        // A server that refuses early closes while we still write; what it said is there to read.
        let _ = stream.write_all(octets).and_then(|()| stream.flush());
        read(&mut stream)
    }

    pub fn get(&mut self, path: &str) -> io::Result<Page> {
        self.request("GET", path, &[], "")
    }

    /// Fills the form that `page` has for `action` and sends it.
    pub fn send(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> io::Result<Page> {
        let token = page.token(action);
        self.post(action, &[&[("token", token.as_str())], fields].concat())
    }

    /// Opens the page `at` and sends its form for `action`.
    pub fn fill(&mut self, at: &str, action: &str, fields: &[(&str, &str)]) -> io::Result<Page> {
        let page = self.get(at)?;
        self.send(&page, action, fields)
    }

    /// A form as the browser sends it from a page of the portal.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> io::Result<Page> {
        let origin = format!("https://{}", self.host());
        let header = [("Origin", origin.as_str()), ("Sec-Fetch-Site", "same-origin")];
        self.request("POST", path, &header, &form(fields))
    }

    pub fn sign_in(&mut self, login: &str, password: &str) -> io::Result<Page> {
        self.fill("/sign-in", "/sign-in", &[("login", login), ("password", password), ("next", "/")])
    }

    /// A request with the cookies there are; those that are set are kept.
    pub fn request(&mut self, method: &str, path: &str, header: &[(&str, &str)], body: &str) -> io::Result<Page> {
        let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !header.iter().any(|(name, _)| *name == "Host") {
            text += &format!("Host: {}\r\n", self.host());
        }
        text += &format!("Accept-Language: {}\r\nUser-Agent: Test browser\r\n", self.language);
        for (name, value) in header {
            text += &format!("{name}: {value}\r\n");
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            text += &format!("Cookie: {}\r\n", cookies.join("; "));
        }
        if method == "POST" {
            if !header.iter().any(|(name, _)| *name == "Content-Type") {
                text += "Content-Type: application/x-www-form-urlencoded\r\n";
            }
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        let page = self.raw(format!("{text}\r\n{body}").as_bytes())?;
        for (_, cookie) in page.header.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                if value.is_empty() {
                    self.cookies.remove(name);
                } else {
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        Ok(page)
    }
}

/// `application/x-www-form-urlencoded`.
pub fn form(fields: &[(&str, &str)]) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
    let coded = |text: &str| -> String {
        text.bytes().map(|o| if plain(o) { char::from(o).to_string() } else { format!("%{o:02X}") }).collect()
    };
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", coded(name), coded(value))).collect();
    pairs.join("&")
}

/// Reads an answer until the server closes.
pub fn read(stream: &mut Tls) -> io::Result<Page> {
    let mut octets = Vec::new();
    match stream.read_to_end(&mut octets) {
        // A server that cuts sends no close_notify.
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof && octets.is_empty() => {
            octets = what_came(stream);
            if octets.is_empty() {
                return Err(error);
            }
        }
        _ => {}
    }
    parse(&octets)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("no answer: {} octets", octets.len())))
}

/// What a server said before it closed while we still wrote: reading as usual would first write the rest, which nobody takes.
fn what_came(stream: &mut Tls) -> Vec<u8> {
    let mut octets = Vec::new();
    while matches!(stream.conn.read_tls(&mut stream.sock), Ok(1..)) {
        if stream.conn.process_new_packets().is_err() {
            break;
        }
        // It says that there is no more now, which is no error here.
        let _ = stream.conn.reader().read_to_end(&mut octets);
    }
    octets
}

fn parse(octets: &[u8]) -> Option<Page> {
    let end = octets.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&octets[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = &octets[end + 4..];
    let is_chunked = header.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if is_chunked { unchunked(body) } else { body.to_vec() };
    Some(Page { status, header, body: String::from_utf8_lossy(&body).into_owned() })
}

/// The chunks of RFC 9112 7.1, as far as they came.
fn unchunked(mut octets: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = octets.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&octets[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let rest = &octets[end + 2..];
        match size {
            Some(size) if size > 0 && rest.len() >= size => {
                whole.extend_from_slice(&rest[..size]);
                octets = rest.get(size + 2..).unwrap_or_default();
            }
            _ => break,
        }
    }
    whole
}
