//! Refusals of the recipient's address.

use plan::Then;

use super::{Ask, Cause, Refusal};
use crate::content::{link, strong, text};
use crate::facts::Facts;

pub fn relay_denied() -> Refusal {
    Refusal {
        title: ("Ce serveur ne transmet pas vers l'extérieur", "This server does not pass mail on"),
        happened: (
            text![
                "Le message était destiné à une adresse qui n'est pas de chez nous, et il a été présenté au serveur qui ne reçoit que notre courrier."
            ],
            text![
                "The message was meant for an address that is not ours, and it was offered to the server that takes only mail for us."
            ],
        ),
        cause: Cause::Settings,
        todo: (
            vec![
                text![
                    "Si vous avez un compte ici, le serveur sortant de votre logiciel est erroné : voyez ",
                    link("servers", "serveurs et ports"),
                    "."
                ],
                text!["Sinon, envoyez par le serveur de votre propre messagerie."],
            ],
            vec![
                text![
                    "If you have an account here, the outgoing server in your program is wrong: see ",
                    link("servers", "servers and ports"),
                    "."
                ],
                text!["Otherwise send through the server of your own mail service."],
            ],
        ),
        ask: Ask::Everybody,
    }
}

pub fn unknown_recipient() -> Refusal {
    Refusal {
        title: ("Cette adresse n'existe pas", "This address does not exist"),
        happened: (
            text!["L'annuaire ne connaît pas l'adresse du destinataire. Le message n'a pas été remis."],
            text!["The directory does not know the recipient's address. The message was not delivered."],
        ),
        cause: Cause::Recipient,
        todo: (
            vec![
                text!["Relisez l'adresse lettre par lettre : une faute de frappe, un accent, un trait d'union oublié."],
                text![
                    "Prenez-la dans un message que cette personne vous a écrit, plutôt que dans la saisie automatique."
                ],
                text!["La personne est peut-être partie : demandez à son service qui la remplace."],
            ],
            vec![
                text!["Read the address letter by letter: a slip, an accent, a forgotten hyphen."],
                text!["Take it from a message this person wrote to you rather than from what your program completes."],
                text!["The person may have left: ask the department who has taken over."],
            ],
        ),
        ask: Ask::Everybody,
    }
}

pub fn malformed_recipient() -> Refusal {
    Refusal {
        title: ("Ce n'est pas une adresse valable", "This is not a valid address"),
        happened: (
            text!["Ce qui a été donné comme adresse du destinataire ne peut désigner aucune boîte aux lettres."],
            text!["What was given as the recipient's address cannot name any mailbox."],
        ),
        cause: Cause::Sender,
        todo: (
            vec![
                text!["Cherchez une espace, une virgule au lieu d'un point, un signe @ en trop ou en moins."],
                text!["Corrigez aussi l'adresse dans votre carnet."],
            ],
            vec![
                text!["Look for a space, a comma instead of a dot, an @ too many or too few."],
                text!["Correct the address in your address book, too."],
            ],
        ),
        ask: Ask::Everybody,
    }
}

pub fn recipient_unsure() -> Refusal {
    Refusal {
        title: ("L'adresse ne peut pas être vérifiée pour l'instant", "The address cannot be checked just now"),
        happened: (
            text![
                "L'annuaire, ou le service qui gère cette adresse, ne répond pas. Le message est mis en attente, il n'est pas rejeté."
            ],
            text![
                "The directory, or the service that keeps this address, does not answer. The message is kept waiting, it is not rejected."
            ],
        ),
        cause: Cause::Service,
        todo: (
            vec![text![
                strong("Rien :"),
                " le message sera présenté de nouveau et arrivera avec du retard. Ne l'envoyez pas deux fois."
            ]],
            vec![text![
                strong("Nothing:"),
                " the message will be offered again and arrive late. Do not send it twice."
            ]],
        ),
        ask: Ask::Everybody,
    }
}

pub fn mailbox_full(facts: &Facts<'_>) -> Refusal {
    let rules = &facts.plan.mailboxes.when_full;
    let later = match rules.then {
        Then::Refuse => {
            let time = facts.duration(rules.full_try_later_s);
            (
                text![format!(
                    "Avec un refus en 4, le message attend encore : il arrivera si de la place est faite (une boîte pleine fait attendre {time}). Avec un refus en 5, il ne sera pas remis."
                )],
                text![format!(
                    "With a refusal in 4 the message still waits: it arrives if room is made (a full mailbox keeps mail waiting for {time}). With a refusal in 5 it will not be delivered."
                )],
            )
        }
        Then::TryLater => (
            text!["Le message attend : il arrivera si de la place est faite."],
            text!["The message waits: it arrives if room is made."],
        ),
    };
    Refusal {
        title: ("La boîte du destinataire est pleine", "The recipient's mailbox is full"),
        happened: (
            text!["Le destinataire existe, mais sa boîte aux lettres n'a plus de place."],
            text!["The recipient exists, but there is no room left in the mailbox."],
        ),
        cause: Cause::Recipient,
        todo: (
            vec![
                later.0,
                text!["Si vous écrivez : prévenez cette personne autrement, par téléphone par exemple."],
                text![
                    "Si c'est votre boîte : faites de la place, en commençant par la corbeille. Voyez ",
                    link("quotas", "quotas"),
                    "."
                ],
            ],
            vec![
                later.1,
                text!["If you are writing: tell the person another way, by telephone for example."],
                text!["If it is your mailbox: make room, the trash first. See ", link("quotas", "quotas"), "."],
            ],
        ),
        ask: Ask::Everybody,
    }
}
