//! Refusals of the sender's address.

use super::{Ask, Cause, Refusal};
use crate::content::{code, link, text};
use crate::facts::Facts;

pub fn sender_not_yours() -> Refusal {
    Refusal {
        title: ("Cette adresse d'expéditeur n'est pas la vôtre", "This sender address is not yours"),
        happened: (
            text![
                "Le message portait, comme expéditeur, une adresse qui n'appartient pas au compte ou à la machine qui l'envoyait."
            ],
            text!["The message had a sender address that does not belong to the account or machine that sent it."],
        ),
        cause: Cause::Settings,
        todo: (
            vec![
                text![
                    "Choisissez votre adresse dans le champ « De » : celle de ce compte, un de ses alias, ou une adresse de fonction dont vous êtes membre."
                ],
                text!["Pour écrire au nom d'un service, demandez à faire partie de son adresse de fonction."],
                text![
                    "N'envoyez pas votre courrier personnel par ce serveur : utilisez celui de votre messagerie personnelle."
                ],
            ],
            vec![
                text![
                    "Choose your own address in the “From” field: that of this account, one of its aliases, or a functional address you belong to."
                ],
                text!["To write for a department, ask to become a member of its functional address."],
                text!["Do not send your private mail through this server: use that of your private mail service."],
            ],
        ),
        ask: Ask::Staff,
    }
}

pub fn empty_sender() -> Refusal {
    Refusal {
        title: ("Message sans expéditeur", "Message without a sender"),
        happened: (
            text![
                "Le message n'avait pas d'adresse d'expéditeur. Seuls des avis automatiques, adressés à une seule personne, peuvent partir ainsi, et pas de partout."
            ],
            text![
                "The message had no sender address. Only automatic reports to one person may be sent so, and not from everywhere."
            ],
        ),
        cause: Cause::Settings,
        todo: (
            vec![
                text!["Indiquez votre adresse dans les réglages du compte."],
                text!["Si c'est une application, donnez-lui une adresse d'expéditeur qui existe et que quelqu'un lit."],
            ],
            vec![
                text!["Give your address in the account settings."],
                text!["If it is an application, give it a sender address that exists and that somebody reads."],
            ],
        ),
        ask: Ask::Staff,
    }
}

pub fn not_a_report() -> Refusal {
    Refusal {
        title: ("Sans expéditeur, seul un avis automatique passe", "Without a sender, only a report passes"),
        happened: (
            text![
                "Un message sans adresse d'expéditeur doit être un avis automatique : accusé de lecture, avis de non-remise. Celui-ci n'en était pas un."
            ],
            text![
                "A message without a sender address must be an automatic report: a read receipt, a notice of failure. This one was not."
            ],
        ),
        cause: Cause::Settings,
        todo: (
            vec![
                text!["Envoyez le message avec votre adresse comme expéditeur."],
                text!["Vérifiez les réglages d'après ", link("servers", "serveurs et ports"), "."],
            ],
            vec![
                text!["Send the message with your address as the sender."],
                text!["Check your settings against ", link("servers", "servers and ports"), "."],
            ],
        ),
        ask: Ask::Staff,
    }
}

pub fn blocked() -> Refusal {
    Refusal {
        title: ("Refusé nommément", "Refused by name"),
        happened: (
            text![
                "L'expéditeur, le serveur d'envoi, un lien ou une pièce jointe de ce message figure parmi ce que nous refusons en ce moment, le plus souvent parce qu'une escroquerie est passée par là."
            ],
            text![
                "The sender, the sending server, a link or an attachment of this message is among what we refuse at present, mostly because a swindle came that way."
            ],
        ),
        cause: Cause::Sender,
        todo: (
            vec![
                text![
                    "Si votre compte ou votre site a été détourné, changez son mot de passe et faites-le réparer d'abord."
                ],
                text![
                    "Sinon, écrivez à l'adresse ci-dessous : elle reste joignable, et un refus fait par erreur est levé."
                ],
                text!["N'essayez pas d'une autre adresse : un message honnête n'en a pas besoin."],
            ],
            vec![
                text!["If your account or your site was taken over, change its password and have it repaired first."],
                text!["Else write to the address below: it stays reachable, and a refusal made by mistake is lifted."],
                text!["Do not try from another address: an honest message needs none."],
            ],
        ),
        ask: Ask::Everybody,
    }
}

pub fn poses_as_us(facts: &Facts<'_>) -> Refusal {
    let domain = facts.plan.institution.domain.as_str();
    Refusal {
        title: ("Message venu d'ailleurs sous une de nos adresses", "Mail from elsewhere under an address of ours"),
        happened: (
            text![
                "Le message affichait une adresse en ",
                code(format!("…@{domain}")),
                ", mais il venait d'ailleurs et rien ne prouvait qu'il soit de nous. C'est ainsi que procèdent les escrocs."
            ],
            text![
                "The message showed an address in ",
                code(format!("…@{domain}")),
                ", but it came from elsewhere and nothing proved that it is ours. This is what swindlers do."
            ],
        ),
        cause: Cause::Settings,
        todo: (
            vec![
                text![
                    "Si vous avez un compte ici : envoyez par notre serveur, d'où que vous soyez. Voyez ",
                    link("servers", "serveurs et ports"),
                    "."
                ],
                text![
                    "Si un site ou une application écrit en notre nom, qui l'entretient doit le faire déclarer et signer ses messages (SPF, DKIM)."
                ],
            ],
            vec![
                text![
                    "If you have an account here: send through our server, wherever you are. See ",
                    link("servers", "servers and ports"),
                    "."
                ],
                text![
                    "If a site or application writes in our name, those who look after it must have it registered and its messages signed (SPF, DKIM)."
                ],
            ],
        ),
        ask: Ask::Everybody,
    }
}
