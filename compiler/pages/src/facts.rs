//! What several pages ask of a Plan: the example person, whom to ask, which services there are.

use decide::login;
use plan::{Language, Mechanism, Plan, Reach, ResetBy, Window};

use crate::access::Place;
use crate::content::{Span, Text, mail, text};
use crate::services::{Door, Service, incoming, outgoing};
use crate::words::{self, pick};

/// A Plan as the pages read it.
pub struct Facts<'a> {
    pub plan: &'a Plan,
    pub language: Language,
}

/// Somebody who stands for the reader.
pub struct Person {
    pub name: String,
    pub address: String,
    pub login: String,
}

impl<'a> Facts<'a> {
    /// One of the two.
    pub fn say<T>(&self, french: T, english: T) -> T {
        pick(self.language, french, english)
    }

    /// The first example of the policy, else an invented person.
    pub fn person(&self) -> Person {
        let identity = &self.plan.identity;
        let example = identity.login.examples.first();
        let (first, last) = example.map_or(("Camille", "Moreau"), |it| (it.first.as_str(), it.last.as_str()));
        let made = || login::candidates(&identity.login, first, last).next().unwrap_or_default();
        Person {
            name: format!("{first} {last}"),
            address: login::official_address(identity, first, last),
            login: example.map_or_else(made, |example| example.login.clone()),
        }
    }

    /// The web address of the webmail, when there is one.
    pub fn webmail(&self) -> Option<&'a str> {
        self.plan.web.get(&Reach::Webmail).map(String::as_str)
    }

    /// The page where passwords are changed, when there is one.
    pub fn password_page(&self) -> Option<&'a str> {
        let page = &self.plan.identity.password.change_at;
        (!page.is_empty()).then_some(page.as_str())
    }

    /// The service a mail program reads from: IMAP before POP.
    pub fn reading(&self) -> Option<Service<'a>> {
        incoming(self.plan).into_iter().next()
    }

    /// The service a mail program sends through: the one that is open from furthest.
    pub fn sending(&self) -> Option<Service<'a>> {
        outgoing(self.plan).into_iter().min_by_key(|service| *service.place() != Place::Everywhere)
    }

    /// A sentence that says whom staff ask.
    pub fn ask(&self) -> Text {
        let contact = self.plan.institution.contact.as_str();
        match self.plan.identity.password.reset_by {
            ResetBy::UnitCorrespondent if contact.is_empty() => self.say(
                text!["Adressez-vous au correspondant informatique de votre service."],
                text!["Ask the IT correspondent of your department."],
            ),
            ResetBy::UnitCorrespondent => self.say(
                text!["Adressez-vous au correspondant informatique de votre service, ou à ", mail(contact), "."],
                text!["Ask the IT correspondent of your department, or ", mail(contact), "."],
            ),
            ResetBy::Managers => {
                let managers = if contact.is_empty() { self.postmaster() } else { mail(contact) };
                self.say(
                    text!["Adressez-vous aux gestionnaires de la messagerie (", managers.clone(), ")."],
                    text!["Ask the managers of the mail service (", managers, ")."],
                )
            }
        }
    }

    /// A question and the sentence that says whom to ask.
    pub fn asking(&self, question: &str) -> Text {
        [text![format!("{question} ")], self.ask()].concat()
    }

    /// Whom people elsewhere ask (RFC 5321 4.5.1).
    pub fn postmaster(&self) -> Span {
        mail(format!("postmaster@{}", self.plan.institution.domain))
    }

    /// Who sets a new password.
    pub fn resetter(&self) -> &'static str {
        match self.plan.identity.password.reset_by {
            ResetBy::UnitCorrespondent => {
                self.say("le correspondant informatique de votre service", "the IT correspondent of your department")
            }
            ResetBy::Managers => self.say("les gestionnaires de la messagerie", "the managers of the mail service"),
        }
    }

    /// Is the password itself sent, under TLS? Else an exchange that hides it.
    pub fn plain_password(&self) -> bool {
        self.plan.identity.password.sent_as.iter().any(|it| matches!(it, Mechanism::Plain | Mechanism::Login))
    }

    pub fn size(&self, octets: u64) -> String {
        words::size(self.language, octets)
    }

    /// What is left of a message for attached files: base64 takes four octets for three (RFC 2045 6.8) and line ends.
    pub fn attachments(&self) -> String {
        let octets = u128::from(self.plan.mailboxes.message_size_octets) * 73 / 100;
        let octets = u64::try_from(octets).unwrap_or(u64::MAX);
        // About so much: a tenth of a megabyte is as exact as it can be.
        self.size(if octets >= 1_000_000 { octets - octets % 100_000 } else { octets })
    }

    pub fn duration(&self, seconds: u64) -> String {
        words::duration(self.language, seconds)
    }

    /// `10 par quart d'heure`.
    pub fn window(&self, window: Window) -> String {
        let number = words::number(self.language, u64::from(window.max));
        let width = words::window(self.language, window.width_s);
        self.say(format!("{number} par {width}"), format!("{number} per {width}"))
    }
}

impl Door<'_> {
    pub fn port(&self) -> String {
        self.listener.port.to_string()
    }
}
