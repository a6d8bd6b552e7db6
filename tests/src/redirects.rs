//! Where mail may go on to, and what each way of asking for it answers: the command, the portal in both languages, the attribute
//! of a directory, `people.ron`. One table for all of them, for policies that allow `cnrs.fr`, refuse `PublicProviders` and say
//! `otherwise: Refuse`.

use Answer::{Allowed, NotAllowed, Ours, Provider};

/// What the policy says of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Allowed,
    Provider,
    NotAllowed,
    /// It is in a domain of ours: mail would come back.
    Ours,
}

/// A target without its `@OURS` where it is of ours.
pub const CASES: [(&str, Answer); 29] = [
    ("toto@cnrs.fr", Allowed),
    ("toto@lab.cnrs.fr", Allowed),
    ("toto@LAB.CNRS.FR", Allowed),
    ("toto@gmail.com", Provider),
    ("toto@orange.fr", Provider),
    ("toto@free.fr", Provider),
    ("toto@yahoo.co.uk", Provider),
    ("toto@hotmail.com", Provider),
    // French providers of twenty years ago: people still have mailboxes there.
    ("toto@wanadoo.fr", Provider),
    ("toto@voila.fr", Provider),
    ("toto@neuf.fr", Provider),
    ("toto@club-internet.fr", Provider),
    ("toto@libertysurf.fr", Provider),
    ("toto@noos.fr", Provider),
    ("toto@aliceadsl.fr", Provider),
    ("toto@cegetel.net", Provider),
    ("toto@9online.fr", Provider),
    ("toto@tele2.fr", Provider),
    ("toto@numericable.fr", Provider),
    ("toto@bbox.fr", Provider),
    ("toto@laposte.net", Provider),
    // Thrown away after ten minutes.
    ("toto@yopmail.com", NotAllowed),
    ("toto@mailinator.com", NotAllowed),
    // What looks like a partner.
    ("toto@notcnrs.fr", NotAllowed),
    ("toto@cnrs.fr.elsewhere.example", NotAllowed),
    ("toto@unknown.example", NotAllowed),
    ("toto@[192.0.2.1]", NotAllowed),
    // Whoever it leads to, mail would come here first.
    ("accueil", Ours),
    ("nobody-at-all", Ours),
];

/// The table with whole addresses.
pub fn cases(ours: &str) -> impl Iterator<Item = (String, Answer)> {
    CASES.into_iter().map(move |(to, answer)| match to.contains('@') {
        true => (to.to_owned(), answer),
        false => (format!("{to}@{ours}"), answer),
    })
}

impl Answer {
    /// Words of the command, and of what is said of an entry of a directory.
    pub fn by_command(self) -> &'static str {
        match self {
            Allowed => "",
            Provider => "public mailbox providers",
            NotAllowed => "no redirect to this domain",
            Ours => "one of ours",
        }
    }

    /// Words of the compiler.
    pub fn by_compiler(self) -> &'static str {
        match self {
            Allowed => "",
            Provider => "is among the refused examples",
            NotAllowed => "is allowed by nothing",
            Ours => "is in a domain of ours",
        }
    }

    /// Words of the portal.
    pub fn by_page(self, language: &str) -> &'static str {
        match (self, language) {
            (Allowed, "fr") => "Acceptée aussitôt",
            (Allowed, _) => "Accepted at once",
            (Provider, "fr") => "fournisseurs grand public",
            (NotAllowed, "fr") => "aucune redirection",
            (Ours, "fr") => "de notre établissement",
            (other, _) => other.by_command(),
        }
    }
}
