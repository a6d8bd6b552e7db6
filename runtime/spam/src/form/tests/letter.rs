//! Small messages that were invented for tests.

use crate::PassScore;
use crate::form::{Authentication, Colleagues, Facts, Outcome, Signed, score};
use crate::view::View;

/// A message made of fields and a body.
#[derive(Clone)]
pub struct Letter {
    fields: Vec<(String, String)>,
    body: Vec<u8>,
    /// In front of all fields.
    head: Vec<u8>,
}

/// What an honest person writes.
pub fn letter() -> Letter {
    let fields = [
        ("From", "Anne Martin <anne.martin@partner.example>"),
        ("To", "Jean Toto <jean.toto@univ-nantes.fr>"),
        ("Subject", "Compte rendu de mardi"),
        ("Date", "Tue, 1 Sep 2026 10:00:00 +0200"),
        ("Message-ID", "<20260901080000.4711@partner.example>"),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
    ];
    let body = "Bonjour,\r\n\r\nvoici le compte rendu de la réunion de mardi.\r\n\r\nAnne\r\n";
    Letter {
        fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: body.as_bytes().to_vec(),
        head: Vec::new(),
    }
}

impl Letter {
    /// With this field in place of the one of that name.
    pub fn with(mut self, name: &str, value: &str) -> Letter {
        match self.fields.iter_mut().find(|field| field.0 == name) {
            Some(field) => field.1 = value.to_owned(),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// With one more field, whatever is there.
    pub fn and(mut self, name: &str, value: &str) -> Letter {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Letter {
        self.fields.retain(|field| field.0 != name);
        self
    }

    /// Behind these octets.
    pub fn behind(mut self, head: &[u8]) -> Letter {
        self.head = head.to_vec();
        self
    }

    pub fn saying(mut self, body: impl AsRef<[u8]>) -> Letter {
        self.body = body.as_ref().to_vec();
        self
    }

    /// HTML with the same words beside it as text.
    pub fn html(self, html: &str) -> Letter {
        let body = format!(
            "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBonjour, voici le compte rendu de mardi.\r\n\
             --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>{html}</body></html>\r\n--b--\r\n"
        );
        self.with("Content-Type", "multipart/alternative; boundary=b").saying(body)
    }

    /// The text and one file.
    pub fn file(self, name: &str, media: &str, octets: &[u8]) -> Letter {
        let head = format!(
            "--m\r\nContent-Type: text/plain\r\n\r\nVoici le fichier.\r\n--m\r\nContent-Type: {media}\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        );
        let body = [head.as_bytes(), octets, b"\r\n--m--\r\n"].concat();
        self.with("Content-Type", "multipart/mixed; boundary=m").saying(body)
    }

    pub fn octets(&self) -> Vec<u8> {
        let mut octets = self.head.clone();
        for (name, value) in &self.fields {
            octets.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        octets.extend_from_slice(b"\r\n");
        octets.extend_from_slice(&self.body);
        octets
    }
}

/// What is known beside the message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Nothing,
    /// Our domain is univ-nantes.fr, and Jean Toto is ours.
    Ours,
    /// It was received on that day of September 2026.
    Day(i64),
    /// SPF, DKIM of partner.example, DMARC; our domain is known.
    Checked(Outcome, Outcome, Outcome),
    /// A list in DNS notes the client.
    Listed,
    /// The client said it is we.
    HelloUs,
}

struct Toto;

impl Colleagues for Toto {
    fn addresses_of(&self, name: &str) -> Vec<String> {
        let own = || vec!["jean.toto@univ-nantes.fr".to_owned(), "toto@home.example".to_owned()];
        if mail::fold(name) == "jean toto" { own() } else { Vec::new() }
    }
}

/// The score of a message under what is known.
pub fn judged(octets: &[u8], known: Known) -> PassScore {
    let view = View::read(octets);
    let own = ["univ-nantes.fr"];
    let listed = [crate::form::Listed { list: "bad.example", thousandths: None }];
    let (spf, dkim, dmarc) = match known {
        Known::Checked(spf, dkim, dmarc) => (spf, dkim, dmarc),
        _ => Default::default(),
    };
    let signed = [Signed { domain: "partner.example", outcome: dkim }];
    let mut facts = Facts { colleagues: &Toto, own_domains: &own, ..Facts::default() };
    match known {
        Known::Nothing => facts = Facts::default(),
        Known::Ours => {}
        // 2026-09-01T00:00:00Z.
        Known::Day(day) => facts.now = Some(1_788_220_800 + (day - 1) * 86_400),
        Known::Checked(..) => facts.authentication = Some(Authentication { spf, dkim: &signed, dmarc }),
        Known::Listed => facts.listed = &listed,
        Known::HelloUs => {
            facts.hello = Some("mail.Univ-Nantes.fr");
            facts.client = Some([192, 0, 2, 1].into());
        }
    }
    score(&view, &facts)
}
