//! `facteur person letter`: a first or forgotten password, on paper for the person alone.

use decide::expiry;
use decide::roles::Act;
use mail::Person;
use maud::{DOCTYPE, html};
use plan::{Language, Plan};
use proto::sasl::Secret;
use serde::{Deserialize, Serialize};

use crate::operate::{Context, OperateError, Operation, Progress, audit, place};
use crate::passwords::{self, SetBy};
use crate::random;
use crate::roles::Subject;

const CONSONANTS: &[u8] = b"bdfgjlmnprtvz";
const VOWELS: &[u8] = b"aeiou";
/// Two syllables a group and three digits: more than 58 bits.
const GROUPS: usize = 4;

/// `POST /password/letter`: draws a password and writes the letter that hands it over. The old one opens nothing more, and this one
/// has to be changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteLetter {
    pub login: String,
    /// As the institution's pages where it is absent.
    pub language: Option<Language>,
}

/// The letter, and the only time the password is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    pub login: String,
    pub text: String,
    pub html: String,
}

impl Operation for WriteLetter {
    type Response = Letter;
    const PATH: &'static str = "/password/letter";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::ResetPassword
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Letter, OperateError> {
        let login = place::login(context, &self.login)?;
        let live = context.live.as_ref().ok_or(OperateError::NoServer)?;
        let plan = live.tables.plan();
        let row = context.store.person(&login)?.ok_or(OperateError::NoSuchLogin { login: self.login })?;
        let password = drawn();
        passwords::set(context, &login, &Secret::new(&password), SetBy::Letter)?;
        audit(context, &format!("password of {login} drawn for a letter"));
        if let Some(server) = &context.server {
            server.sessions.end(&login);
        }
        let words = Words::of(plan, &row.person, self.language.unwrap_or(plan.institution.pages));
        Ok(Letter {
            login: login.to_string(),
            text: words.text(login.as_str(), &password),
            html: words.html(login.as_str(), &password),
        })
    }
}

/// One that is read off paper and typed once: `bafo-nuri-mela-tovi-372`.
fn drawn() -> String {
    let mut groups: Vec<String> = (0..GROUPS).map(|_| format!("{}{}", syllable(), syllable())).collect();
    groups.push((0..3).map(|_| char::from(b'0' + one_of(10))).collect());
    groups.join("-")
}

fn syllable() -> String {
    let letter = |letters: &[u8]| char::from(letters[usize::from(one_of(letters.len() as u8))]);
    [letter(CONSONANTS), letter(VOWELS)].iter().collect()
}

/// A number below `count`, each as likely as any other.
fn one_of(count: u8) -> u8 {
    let whole = u8::MAX - u8::MAX % count;
    loop {
        let [octet] = random::octets::<1>();
        if octet < whole {
            return octet % count;
        }
    }
}

/// A letter without its secret.
struct Words {
    language: &'static str,
    title: String,
    hello: String,
    before: String,
    login: &'static str,
    password: &'static str,
    after: Vec<String>,
}

impl Words {
    fn of(plan: &Plan, person: &Person, language: Language) -> Words {
        let (institution, address) = (&plan.institution.name, person.address.to_string());
        let name = [person.first.as_str(), &person.last].join(" ");
        let name = name.trim();
        let page = expiry::change_at(plan);
        match language {
            Language::French => Words {
                language: "fr",
                title: format!("{institution} : votre compte de messagerie"),
                hello: format!("Bonjour {name},"),
                before: format!("voici de quoi ouvrir votre messagerie. Votre adresse est {address}."),
                login: "Identifiant",
                password: "Mot de passe provisoire",
                after: french(page),
            },
            Language::English => Words {
                language: "en",
                title: format!("{institution}: your mail account"),
                hello: format!("Hello {name},"),
                before: format!("this opens your mail account. Your address is {address}."),
                login: "Login",
                password: "Password for the first time",
                after: english(page),
            },
        }
    }

    fn text(&self, login: &str, password: &str) -> String {
        let mut lines = vec![self.title.clone(), String::new(), self.hello.clone(), self.before.clone(), String::new()];
        lines.push(format!("    {}: {login}", self.login));
        lines.push(format!("    {}: {password}", self.password));
        lines.push(String::new());
        lines.extend(self.after.iter().cloned());
        lines.join("\n") + "\n"
    }

    fn html(&self, login: &str, password: &str) -> String {
        let page = html! {
            (DOCTYPE)
            html lang=(self.language) {
                head {
                    meta charset="utf-8";
                    title { (self.title) }
                    style { "body{font:12pt serif;margin:3cm}dd{font:bold 16pt monospace;margin:0 0 1em}" }
                }
                body {
                    h1 { (self.title) }
                    p { (self.hello) br; (self.before) }
                    dl {
                        dt { (self.login) }
                        dd { (login) }
                        dt { (self.password) }
                        dd { (password) }
                    }
                    @for line in &self.after { p { (line) } }
                }
            }
        };
        page.into_string()
    }
}

fn french(page: &str) -> Vec<String> {
    let first = match page {
        "" => "Ce mot de passe est à vous seul : ne le montrez à personne.".to_owned(),
        page => format!("Ouvrez {page} et choisissez votre mot de passe : celui-ci ne sert qu'à cela."),
    };
    vec![
        first,
        "Votre logiciel de courrier se règle ensuite tout seul avec votre adresse et votre nouveau mot de passe.".to_owned(),
        "Personne ne vous demandera jamais votre mot de passe, ni par courrier ni au téléphone. Détruisez cette lettre.".to_owned(),
    ]
}

fn english(page: &str) -> Vec<String> {
    let first = match page {
        "" => "This password is yours alone: show it to nobody.".to_owned(),
        page => format!("Open {page} and choose your password: this one is for that only."),
    };
    vec![
        first,
        "Your mail program then sets itself up with your address and your new password.".to_owned(),
        "Nobody will ever ask for your password, by mail or on the telephone. Destroy this letter.".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_password_is_easy_to_read_and_each_is_another() {
        let all: std::collections::HashSet<String> = (0..200).map(|_| drawn()).collect();
        assert_eq!(all.len(), 200);
        for one in all {
            let groups: Vec<&str> = one.split('-').collect();
            assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [4, 4, 4, 4, 3], "{one}");
            assert!(
                groups[..4].concat().bytes().all(|letter| CONSONANTS.contains(&letter) || VOWELS.contains(&letter))
            );
        }
    }

    #[test]
    fn a_name_in_a_letter_is_no_markup() {
        let path = format!("{}/../../policies/nantes/policy.plan.ron", env!("CARGO_MANIFEST_DIR"));
        let plan = plan::read(&std::fs::read_to_string(path).unwrap()).unwrap().0;
        let person = Person {
            login: mail::Login::new("toto-j").unwrap(),
            first: "<script>".to_owned(),
            last: "Toto".to_owned(),
            address: "toto@univ-nantes.fr".parse().unwrap(),
            profile: String::new(),
            unit: String::new(),
            home: None,
            quota_octets: 0,
        };
        for language in [Language::French, Language::English] {
            let words = Words::of(&plan, &person, language);
            let (text, html) = (words.text("toto-j", "bafo-nuri"), words.html("toto-j", "bafo-nuri"));
            for needed in ["toto-j", "bafo-nuri", "toto@univ-nantes.fr", expiry::change_at(&plan)] {
                assert!(text.contains(needed) && html.contains(needed), "{needed}: {text}");
            }
            assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
        }
    }
}
