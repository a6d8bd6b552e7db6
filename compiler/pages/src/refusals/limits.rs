//! Refusals by number. The numbers stand on the page of restrictions alone.

use plan::{WhenOver, Windows};

use super::{Ask, Cause, Refusal};
use crate::access::accesses;
use crate::content::{Text, link, strong, text};
use crate::facts::Facts;

fn table() -> (Text, Text) {
    (
        text!["Les nombres permis sont à la page ", link("restrictions", "restrictions d'envoi"), "."],
        text!["The numbers allowed are on the page ", link("restrictions", "sending limits"), "."],
    )
}

fn waits(facts: &Facts<'_>) -> (Text, Text) {
    match facts.plan.when_over.window {
        WhenOver::TryLater => (
            text![strong("Attendez."), " Le message reste dans votre boîte d'envoi et peut partir plus tard."],
            text![strong("Wait."), " The message stays in your outbox and can leave later."],
        ),
        WhenOver::Refuse => (
            text![strong("Attendez,"), " puis envoyez le message de nouveau."],
            text![strong("Wait,"), " then send the message again."],
        ),
    }
}

fn stolen(facts: &Facts<'_>) -> (Text, Text) {
    (
        text![
            "Vous n'avez rien envoyé de tel ? ",
            link("passwords", "Changez de mot de passe"),
            " tout de suite et prévenez ",
            facts.resetter(),
            "."
        ],
        text![
            "You have sent nothing of the kind? ",
            link("passwords", "Change your password"),
            " at once and tell ",
            facts.resetter(),
            "."
        ],
    )
}

pub fn message_window(facts: &Facts<'_>) -> Refusal {
    let (table, wait, stolen) = (table(), waits(facts), stolen(facts));
    Refusal {
        title: ("Trop de messages en peu de temps", "Too many messages in a short time"),
        happened: (
            text!["Le nombre de messages permis pour cette durée est atteint."],
            text!["The number of messages allowed for this span of time is reached."],
        ),
        cause: Cause::Limit,
        todo: (
            vec![wait.0, text!["Pour écrire à beaucoup de monde, utilisez une liste de diffusion."], table.0, stolen.0],
            vec![wait.1, text!["To write to many people, use a mailing list."], table.1, stolen.1],
        ),
        ask: Ask::Everybody,
    }
}

pub fn recipient_window(facts: &Facts<'_>) -> Refusal {
    let (table, wait, stolen) = (table(), waits(facts), stolen(facts));
    let counts = |windows: &Windows| !windows.list().is_empty();
    let attempts = accesses(facts.plan, facts.language).iter().any(|row| counts(&row.limits.recipients_attempted));
    let mut todo = (vec![wait.0], vec![wait.1]);
    if attempts {
        todo.0.push(text![strong("N'insistez pas :"), " chaque essai compte, même refusé, et retarde la réouverture. Retirez le message de la boîte d'envoi ou passez hors connexion."]);
        todo.1.push(text![strong("Do not keep trying:"), " every attempt counts, even a refused one, and puts off the opening. Take the message out of the outbox or work offline."]);
    }
    todo.0.extend([table.0, stolen.0]);
    todo.1.extend([table.1, stolen.1]);
    Refusal {
        title: ("Trop de destinataires en peu de temps", "Too many recipients in a short time"),
        happened: (
            text!["Le nombre de destinataires permis pour cette durée est atteint, tous messages confondus."],
            text!["The number of recipients allowed for this span of time is reached, over all messages."],
        ),
        cause: Cause::Limit,
        todo,
        ask: Ask::Staff,
    }
}

pub fn recipients_in_one_message(facts: &Facts<'_>) -> Refusal {
    let table = table();
    let rest = match facts.plan.when_over.recipients_in_one_message {
        WhenOver::TryLater => (
            text![
                "Les premiers destinataires l'ont reçu. Un serveur de courrier présente les autres plus tard ; un logiciel de messagerie, lui, s'arrête souvent là."
            ],
            text![
                "The first recipients have got it. A mail server offers the others later; a mail program often stops there."
            ],
        ),
        WhenOver::Refuse => (
            text!["Les destinataires en trop ont été refusés et n'ont rien reçu."],
            text!["The recipients beyond the limit were refused and have got nothing."],
        ),
    };
    Refusal {
        title: ("Trop de destinataires dans un message", "Too many recipients in one message"),
        happened: (
            text!["Le message a plus de destinataires (champs « À », « Cc » et « Cci » réunis) qu'il n'est permis."],
            text!["The message has more recipients (“To”, “Cc” and “Bcc” together) than is allowed."],
        ),
        cause: Cause::Limit,
        todo: (
            vec![
                rest.0,
                text!["Envoyez le message en plusieurs fois, en tenant compte des autres limites."],
                text![
                    "Pour un groupe qui dure, demandez une liste de diffusion : elle compte pour un seul destinataire."
                ],
                table.0,
            ],
            vec![
                rest.1,
                text!["Send the message in several parts and mind the other limits."],
                text!["For a group that lasts, ask for a mailing list: it counts as one recipient."],
                table.1,
            ],
        ),
        ask: Ask::Staff,
    }
}

pub fn unknown_recipient_window() -> Refusal {
    Refusal {
        title: ("Trop d'adresses inconnues", "Too many unknown addresses"),
        happened: (
            text![
                "Le serveur d'envoi a essayé trop d'adresses qui n'existent pas ici. Pour un temps, tous ses destinataires sont refusés, même les bons."
            ],
            text![
                "The sending server has tried too many addresses that do not exist here. For a while all its recipients are refused, even the right ones."
            ],
        ),
        cause: Cause::Sender,
        todo: (
            vec![
                text!["Le message arrivera de lui-même si le serveur recommence plus tard."],
                text!["Si vous gérez une liste, ôtez-en les adresses qui n'existent plus."],
            ],
            vec![
                text!["The message will arrive by itself if the server tries again later."],
                text!["If you keep a mailing list, remove the addresses that no longer exist."],
            ],
        ),
        ask: Ask::Everybody,
    }
}
