//! Refusals because of where an account stands.

use super::{Ask, Cause, Refusal};
use crate::content::{link, strong, text};

pub fn account_state() -> Refusal {
    Refusal {
        title: ("Ce compte ne le permet pas en ce moment", "The account does not allow this now"),
        happened: (
            text![
                "Le compte n'est pas encore ouvert, arrive à sa fin après un départ, ou a été suspendu. Le mot de passe n'y est pour rien."
            ],
            text![
                "The account has not begun yet, comes to its end after somebody left, or was suspended. The password has nothing to do with it."
            ],
        ),
        cause: Cause::Account,
        todo: (
            vec![
                text!["Si vous arrivez ou changez de fonction : voyez avec votre service si vos dates sont justes."],
                text!["Sinon, demandez à qui s'occupe du courrier : la date et la raison y sont connues."],
            ],
            vec![
                text!["If you arrive or change your position: ask your department whether your dates are right."],
                text!["Else ask those who look after the mail: they know the day and the reason."],
            ],
        ),
        ask: Ask::Staff,
    }
}

pub fn sending_locked() -> Refusal {
    Refusal {
        title: ("L'envoi de ce compte est bloqué", "Sending from this account is locked"),
        happened: (
            text![
                "Ce qui partait de ce compte ne ressemblait pas à son courrier habituel. L'envoi est bloqué pour que personne d'autre n'écrive en votre nom ; vous recevez et lisez toujours."
            ],
            text![
                "What went out from this account was not like its usual mail. Sending is locked so that nobody else writes in your name; you still receive and read."
            ],
        ),
        cause: Cause::Account,
        todo: (
            vec![
                text![strong("Changez votre mot de passe"), ". Voyez ", link("passwords", "mots de passe"), "."],
                text!["Puis écrivez ou téléphonez à l'assistance : le blocage est levé quand tout est en ordre."],
            ],
            vec![
                text![strong("Change your password"), ". See ", link("passwords", "passwords"), "."],
                text!["Then write to the help desk or call it: the lock is lifted when all is well."],
            ],
        ),
        ask: Ask::Staff,
    }
}

pub fn mailbox_closed() -> Refusal {
    Refusal {
        title: ("Cette boîte n'est plus ouverte", "This mailbox is closed"),
        happened: (
            text![
                "L'adresse a existé, mais sa boîte ne prend plus de courrier : le plus souvent, la personne est partie."
            ],
            text!["The address did exist, but its mailbox takes no mail any more: mostly, the person has left."],
        ),
        cause: Cause::Recipient,
        todo: (
            vec![
                text!["Demandez au service concerné qui a pris la suite."],
                text!["Retirez l'adresse de votre carnet et de vos listes."],
            ],
            vec![
                text!["Ask the department who has taken over."],
                text!["Take the address out of your address book and your lists."],
            ],
        ),
        ask: Ask::Everybody,
    }
}
