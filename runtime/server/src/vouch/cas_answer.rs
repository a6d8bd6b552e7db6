//! What a CAS server says of a ticket (CAS protocol 3.0, 2.5.3 and appendix A), from hostile octets.

use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};

const NAMESPACE: &str = "http://www.yale.edu/tp/cas";
const ANSWER_OCTETS_MAX: usize = 64 * 1024;
/// Elements in one another; attributes of people may have some.
const DEPTH_MAX: usize = 16;
const USER_OCTETS_MAX: usize = 256;

/// Why there is no user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoUser {
    /// The server does not vouch.
    Refused,
    /// It says something else, or nothing sound.
    NoAnswer,
}

/// An element of the protocol, or another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Response,
    Success,
    Failure,
    User,
    Other,
}

impl Element {
    fn of(namespace: &ResolveResult<'_>, local: &str) -> Element {
        if *namespace != ResolveResult::Bound(Namespace(NAMESPACE)) {
            return Element::Other;
        }
        match local {
            "serviceResponse" => Element::Response,
            "authenticationSuccess" => Element::Success,
            "authenticationFailure" => Element::Failure,
            "user" => Element::User,
            _ => Element::Other,
        }
    }
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    open: Vec<Element>,
    /// Elements right below the root, of which there is one.
    answers: u32,
    is_refused: bool,
    user: Option<String>,
}

impl Reading {
    fn start(&mut self, element: Element) -> Result<(), NoUser> {
        match (self.open.as_slice(), element) {
            ([], Element::Response) if self.answers == 0 => {}
            ([], _) => return Err(NoUser::NoAnswer),
            ([Element::Response], answer) => {
                self.answers += 1;
                self.is_refused |= answer == Element::Failure;
                if self.answers > 1 || !matches!(answer, Element::Success | Element::Failure) {
                    return Err(NoUser::NoAnswer);
                }
            }
            ([Element::Response, Element::Success], Element::User) => {
                let before = self.user.replace(String::new());
                before.is_none().then_some(()).ok_or(NoUser::NoAnswer)?;
            }
            // A login is text and nothing else: no part of one is taken for the whole.
            ([Element::Response, Element::Success, Element::User], _) => return Err(NoUser::NoAnswer),
            _ => {}
        }
        self.open.push(element);
        if self.open.len() > DEPTH_MAX { Err(NoUser::NoAnswer) } else { Ok(()) }
    }

    fn is_in_user(&self) -> bool {
        self.open == [Element::Response, Element::Success, Element::User]
    }

    fn text(&mut self, text: &str) -> Result<(), NoUser> {
        if self.open.is_empty() && !text.trim().is_empty() {
            return Err(NoUser::NoAnswer);
        }
        if self.is_in_user() {
            let user = self.user.get_or_insert_default();
            user.push_str(text);
            if user.len() > USER_OCTETS_MAX {
                return Err(NoUser::NoAnswer);
            }
        }
        Ok(())
    }

    fn ended(self) -> Result<String, NoUser> {
        if !self.open.is_empty() || self.answers != 1 {
            return Err(NoUser::NoAnswer);
        }
        if self.is_refused {
            return Err(NoUser::Refused);
        }
        let user = self.user.unwrap_or_default().trim().to_owned();
        if user.is_empty() { Err(NoUser::NoAnswer) } else { Ok(user) }
    }
}

/// The user an answer vouches for. Entities are not expanded, and a document with a DTD is none of the protocol.
pub fn user(octets: &[u8]) -> Result<String, NoUser> {
    let text = std::str::from_utf8(octets).ok().filter(|text| text.len() <= ANSWER_OCTETS_MAX);
    let mut reader = NsReader::from_str(text.ok_or(NoUser::NoAnswer)?);
    let mut reading = Reading::default();
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| NoUser::NoAnswer)?;
        match event {
            Event::Start(element) => reading.start(Element::of(&namespace, element.local_name().into_inner()))?,
            Event::Empty(element) => {
                reading.start(Element::of(&namespace, element.local_name().into_inner()))?;
                reading.open.pop();
            }
            Event::End(_) => {
                reading.open.pop().ok_or(NoUser::NoAnswer)?;
            }
            Event::Text(text) => reading.text(&text)?,
            Event::DocType(_) => return Err(NoUser::NoAnswer),
            Event::CData(_) | Event::Comment(_) | Event::PI(_) | Event::GeneralRef(_) if reading.is_in_user() => {
                return Err(NoUser::NoAnswer);
            }
            Event::Eof => return reading.ended(),
            _ => {}
        }
    }
}

/// Any octets: a user is named by an answer that says so, is short and is text, and nothing refused has one.
pub fn fuzz_cas(octets: &[u8]) {
    let Ok(found) = user(octets) else { return };
    let text = std::str::from_utf8(octets).expect("only text has a user");
    assert!(!found.is_empty() && found.len() <= USER_OCTETS_MAX, "{found:?}");
    assert!(text.contains(&found) && !found.contains(['<', '&']), "made of nothing: {found:?}");
    assert!(text.contains(NAMESPACE) && text.contains("authenticationSuccess"), "nobody said so: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">
  <cas:authenticationSuccess>
    <cas:user>toto-j</cas:user>
    <cas:attributes><cas:user>dupont</cas:user><cas:mail>a&amp;b</cas:mail><!-- x --></cas:attributes>
  </cas:authenticationSuccess>
</cas:serviceResponse>"#;
    const REFUSED: &str = r#"<c:serviceResponse xmlns:c="http://www.yale.edu/tp/cas">
  <c:authenticationFailure code="INVALID_TICKET">no <b>x</b></c:authenticationFailure></c:serviceResponse>"#;

    #[test]
    fn an_answer_names_the_user_or_refuses() {
        assert_eq!(user(GOOD.as_bytes()), Ok("toto-j".to_owned()));
        let plain = GOOD.replace("xmlns:cas=", "xmlns=").replace("<cas:", "<").replace("</cas:", "</");
        assert_eq!(user(plain.as_bytes()), Ok("toto-j".to_owned()), "whatever the prefix");
        assert_eq!(user(REFUSED.as_bytes()), Err(NoUser::Refused));
    }

    #[test]
    fn nothing_else_is_an_answer() {
        let user_is = |content: &str| GOOD.replace("<cas:user>toto-j", &format!("<cas:user>{content}"));
        let entities: String = (0..20).map(|n| format!("<!ENTITY e{n} \"&e{};&e{};\">", n + 1, n + 1)).collect();
        let bomb = user_is("&e0;").replace("?>\n<cas", &format!("?>\n<!DOCTYPE x [{entities}]>\n<cas"));
        let deep = GOOD.replace("<!-- x -->", &format!("{}{}", "<a>".repeat(100), "</a>".repeat(100)));
        let both =
            GOOD.replace("</cas:serviceResponse>", "<cas:authenticationFailure code=\"X\"/></cas:serviceResponse>");
        for (why, text) in [
            ("empty", String::new()),
            ("a page", "<html><body>toto-j</body></html>".to_owned()),
            ("another namespace", GOOD.replace("yale", "evil")),
            ("no namespace", GOOD.replace("xmlns:cas=\"http://www.yale.edu/tp/cas\"", "")),
            ("nobody", user_is("").to_owned()),
            ("an element in the user", user_is("<b/>")),
            ("a comment in the user", user_is("dupont<!-- -->")),
            ("a section in the user", user_is("<![CDATA[x]]>")),
            ("an entity in the user", user_is("&lt;")),
            ("a character reference", user_is("&#100;")),
            ("entities", bomb),
            ("depth", deep),
            ("size", user_is(&"x".repeat(USER_OCTETS_MAX + 1))),
            ("two users", user_is("a</cas:user><cas:user>b")),
            ("two answers", both),
            ("two roots", format!("{GOOD}{}", GOOD.split_once("?>").unwrap().1)),
            ("text around", format!("{GOOD}toto")),
            ("half of it", GOOD[..GOOD.len() / 2].to_owned()),
            ("a user of the root", GOOD.replace("authenticationSuccess", "authenticationOther")),
            ("a long one", GOOD.replace("<!-- x -->", &" ".repeat(ANSWER_OCTETS_MAX))),
        ] {
            assert_eq!(user(text.as_bytes()), Err(NoUser::NoAnswer), "{why}");
            fuzz_cas(text.as_bytes());
        }
        assert_eq!(user(b"\xff\xfe"), Err(NoUser::NoAnswer));
        fuzz_cas(GOOD.as_bytes());
    }
}
