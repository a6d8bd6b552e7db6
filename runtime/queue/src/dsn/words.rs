//! The part for people: who did not get it, what was said, what to do, whom to ask. Each language is whole.

use std::fmt::Write as _;

use mail::EnhancedCode;
use mail::date::DateTime;
use plan::Language;

use super::{About, Action, Kind, Notification};

/// Display name of From, and the subject, in the institution's language.
pub(super) fn name_and_subject(notification: &Notification<'_>) -> (String, String) {
    let institution = notification.institution;
    match notification.language {
        Language::French => {
            let subject = match notification.kind {
                Kind::Failure => "Message non remis",
                Kind::Delay => "Message retardé",
                Kind::Success => "Message remis",
            };
            (format!("Messagerie {institution}"), subject.to_owned())
        }
        Language::English => {
            let subject = match notification.kind {
                Kind::Failure => "Message not delivered",
                Kind::Delay => "Message delayed",
                Kind::Success => "Message delivered",
            };
            (format!("{institution} mail"), subject.to_owned())
        }
    }
}

/// Both languages, the institution's first. Lines end with CR LF.
pub(super) fn text(notification: &Notification<'_>) -> String {
    let (first, second) = match notification.language {
        Language::French => (french(notification), english(notification)),
        Language::English => (english(notification), french(notification)),
    };
    format!("{first}\n------------------------------------------------------------\n\n{second}").replace('\n', "\r\n")
}

fn french(notification: &Notification<'_>) -> String {
    let at = DateTime::utc(notification.accepted_at_s).to_rfc5322();
    let mut out = match notification.kind {
        Kind::Failure => format!("Votre message du {at} n'a pas pu être remis à :\n"),
        Kind::Delay => format!("Votre message du {at} n'a pas encore été remis à :\n"),
        Kind::Success => format!("Votre message du {at} :\n"),
    };
    for about in notification.about {
        let _ = write!(out, "\n  {}\n", about.recipient);
        match about.action {
            Action::Failed => {
                let _ = writeln!(out, "    {}", french_cause(about.status));
            }
            Action::Delayed => {}
            Action::Delivered => out.push_str("    déposé dans la boîte aux lettres\n"),
            Action::Relayed => out.push_str("    transmis à un serveur qui ne confirme pas les remises\n"),
            Action::Expanded => out.push_str("    transmis aux destinataires de cette adresse\n"),
        }
        said(&mut out, about, "Réponse de", "Cause :", "Règle :");
    }
    out.push('\n');
    if notification.kind == Kind::Delay {
        match notification.will_retry_until_s {
            Some(until_s) => {
                let until = DateTime::utc(until_s).to_rfc5322();
                let _ = writeln!(out, "Les essais continuent jusqu'au {until}. Vous n'avez rien à faire.");
            }
            None => out.push_str("Les essais continuent. Vous n'avez rien à faire.\n"),
        }
    }
    if !notification.contact.is_empty() {
        let _ = writeln!(out, "Questions : {}", one_line(notification.contact));
    }
    out
}

fn english(notification: &Notification<'_>) -> String {
    let at = DateTime::utc(notification.accepted_at_s).to_rfc5322();
    let mut out = match notification.kind {
        Kind::Failure => format!("Your message of {at} could not be delivered to:\n"),
        Kind::Delay => format!("Your message of {at} has not been delivered yet to:\n"),
        Kind::Success => format!("Your message of {at}:\n"),
    };
    for about in notification.about {
        let _ = write!(out, "\n  {}\n", about.recipient);
        match about.action {
            Action::Failed => {
                let _ = writeln!(out, "    {}", english_cause(about.status));
            }
            Action::Delayed => {}
            Action::Delivered => out.push_str("    is in the mailbox\n"),
            Action::Relayed => out.push_str("    was passed to a server that does not confirm deliveries\n"),
            Action::Expanded => out.push_str("    was passed to the recipients behind this address\n"),
        }
        said(&mut out, about, "Reply of", "Cause:", "Rule:");
    }
    out.push('\n');
    if notification.kind == Kind::Delay {
        match notification.will_retry_until_s {
            Some(until_s) => {
                let until = DateTime::utc(until_s).to_rfc5322();
                let _ = writeln!(out, "It is tried again until {until}. There is nothing you need to do.");
            }
            None => out.push_str("It is tried again. There is nothing you need to do.\n"),
        }
    }
    if !notification.contact.is_empty() {
        let _ = writeln!(out, "Questions: {}", one_line(notification.contact));
    }
    out
}

/// What was said, as a quotation, and the rule of ours that ended it.
fn said(out: &mut String, about: &About<'_>, reply_of: &str, cause: &str, rule: &str) {
    if matches!(about.action, Action::Failed | Action::Delayed) && !about.said.is_empty() {
        let _ = match about.remote {
            Some(remote) => writeln!(out, "    {reply_of} {}:\n    > {}", one_line(remote), one_line(about.said)),
            None => writeln!(out, "    {cause} {}", one_line(about.said)),
        };
    }
    if !about.rule.is_empty() {
        let _ = writeln!(out, "    {rule} {}", about.rule);
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// What it means and what to do, by RFC 3463's subject and detail.
fn french_cause(status: EnhancedCode) -> &'static str {
    match (status.1, status.2) {
        (1, 1 | 3 | 6) => "Cette adresse n'existe pas. Vérifiez-la et renvoyez votre message.",
        (1, 2 | 10) | (4, 4) => {
            "Ce domaine n'existe pas ou ne reçoit pas de courrier. Vérifiez la partie droite de l'adresse."
        }
        (2, 2) => {
            "La boîte aux lettres est pleine. Prévenez la personne autrement, ou renvoyez votre message plus tard."
        }
        (2, _) => "La boîte aux lettres n'accepte pas ce message.",
        (3, 4) => "Le message est trop gros pour ce serveur. Réduisez-le ou partagez le fichier autrement.",
        (4, 6) => "Le message tourne en rond entre serveurs. Signalez-le au service indiqué ci-dessous.",
        (4, 7) => {
            "Tous les essais ont échoué pendant la durée prévue. Le message n'est plus essayé ; renvoyez-le si besoin."
        }
        (6, 7) => "Ce serveur n'accepte pas les adresses avec accents.",
        (7, 30) => "Ce message exigeait un chemin chiffré et vérifié, qui n'existe pas vers ce domaine.",
        (7, _) => "Le serveur du destinataire refuse ce message. Sa réponse dit pourquoi.",
        _ => "Le serveur du destinataire ne prend pas ce message. Sa réponse dit pourquoi.",
    }
}

fn english_cause(status: EnhancedCode) -> &'static str {
    match (status.1, status.2) {
        (1, 1 | 3 | 6) => "There is no such address. Check it and send your message again.",
        (1, 2 | 10) | (4, 4) => "This domain does not exist or takes no mail. Check the right part of the address.",
        (2, 2) => "The mailbox is full. Tell the person in another way, or send your message again later.",
        (2, _) => "The mailbox does not take this message.",
        (3, 4) => "The message is too large for this server. Make it smaller or share the file in another way.",
        (4, 6) => "The message runs in a circle between servers. Report it to the contact below.",
        (4, 7) => "All tries failed for as long as they are made. It is not tried any more; send it again if needed.",
        (6, 7) => "This server does not take addresses with accents.",
        (7, 30) => "This message asked for an encrypted and verified path, which this domain does not have.",
        (7, _) => "The recipient's server refuses this message. Its reply says why.",
        _ => "The recipient's server does not take this message. Its reply says why.",
    }
}
