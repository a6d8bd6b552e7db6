//! Why a password is refused and what to do, in words people understand.

use serde::{Deserialize, Serialize};

/// One thing that is wrong with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    Empty,
    /// Fewer characters than the number.
    TooShort(usize),
    /// More octets than the number.
    TooLong(usize),
    /// A character that a mail program cannot send.
    Control,
    /// Their name, login or address, or the institution's.
    AboutYou,
    /// Among the passwords everybody tries first.
    Common,
    /// A word or a name by itself, or nearly.
    Word,
    /// Keys that lie beside each other, or `abc` and `4321`.
    Row,
    Repeats,
    Date,
    /// Nothing in particular, but it is found in too few tries.
    Guessable,
    /// They had it before.
    UsedBefore,
}

impl Advice {
    pub fn french(self) -> String {
        match self {
            Advice::Empty => "Tapez un mot de passe.".to_owned(),
            Advice::TooShort(least) => format!("Il est trop court : prenez au moins {least} caractères."),
            Advice::TooLong(most) => format!("Il est trop long : {most} octets au plus."),
            Advice::Control => {
                "Il contient un caractère qu'un logiciel de courrier ne sait pas envoyer : retirez-le.".to_owned()
            }
            Advice::AboutYou => {
                "Il contient votre nom, votre identifiant ou le nom de l'établissement, que tout le monde connaît : \
                 prenez des mots sans rapport avec vous."
                    .to_owned()
            }
            Advice::Common => {
                "C'est un des mots de passe que les voleurs essaient en premier : prenez-en un autre, par exemple \
                 quatre mots sans rapport entre eux."
                    .to_owned()
            }
            Advice::Word => {
                "Un mot ou un prénom se devine vite, même avec un chiffre ou une majuscule : ajoutez deux ou trois \
                 mots sans rapport."
                    .to_owned()
            }
            Advice::Row => {
                "Des touches voisines ou des suites comme abc et 4321 se devinent vite : prenez plutôt des mots sans \
                 rapport entre eux."
                    .to_owned()
            }
            Advice::Repeats => "Répéter la même chose n'aide pas : ajoutez d'autres mots.".to_owned(),
            Advice::Date => "Les dates et les années se devinent vite : ajoutez d'autres mots.".to_owned(),
            Advice::Guessable => "Il se devine en trop peu d'essais : ajoutez un ou deux mots peu courants.".to_owned(),
            Advice::UsedBefore => "Vous l'avez déjà utilisé : prenez-en un nouveau.".to_owned(),
        }
    }

    pub fn english(self) -> String {
        match self {
            Advice::Empty => "Type a password.".to_owned(),
            Advice::TooShort(least) => format!("It is too short: take at least {least} characters."),
            Advice::TooLong(most) => format!("It is too long: {most} octets at most."),
            Advice::Control => "It has a character that a mail program cannot send: take it out.".to_owned(),
            Advice::AboutYou => {
                "It has your name, your login or the institution's name in it, which everybody knows: take words that \
                 have nothing to do with you."
                    .to_owned()
            }
            Advice::Common => {
                "It is one of the passwords thieves try first: take another one, for instance four words that have \
                 nothing to do with each other."
                    .to_owned()
            }
            Advice::Word => {
                "A word or a first name is guessed soon, also with a digit or a capital: add two or three unrelated \
                 words."
                    .to_owned()
            }
            Advice::Row => {
                "Neighbouring keys and sequences such as abc and 4321 are guessed soon: take unrelated words instead."
                    .to_owned()
            }
            Advice::Repeats => "Repeating the same thing does not help: add other words.".to_owned(),
            Advice::Date => "Dates and years are guessed soon: add other words.".to_owned(),
            Advice::Guessable => "It is found in too few tries: add one or two uncommon words.".to_owned(),
            Advice::UsedBefore => "You had it before: take a new one.".to_owned(),
        }
    }
}
