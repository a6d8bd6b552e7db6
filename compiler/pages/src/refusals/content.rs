//! Refusals of what was sent, and trouble of our own.

use plan::SpamAction;

use super::{Ask, Cause, Refusal};
use crate::content::{link, strong, text};
use crate::facts::Facts;

pub fn too_large(facts: &Facts<'_>) -> Refusal {
    let (size, files) = (facts.size(facts.plan.mailboxes.message_size_octets), facts.attachments());
    Refusal {
        title: ("Le message est trop gros", "The message is too large"),
        happened: (
            text![format!(
                "Le message dépasse {size}. Comme les pièces jointes grossissent en voyageant, cela fait environ {files} de fichiers."
            )],
            text![format!(
                "The message is larger than {size}. As attached files grow on the way, that makes about {files} of files."
            )],
        ),
        cause: Cause::Sender,
        todo: (
            vec![
                text!["Déposez le document sur un espace de partage, et envoyez le lien."],
                text!["Sinon, réduisez les images ou envoyez les fichiers en plusieurs messages."],
                text!["La limite est la même pour tous : voyez ", link("quotas", "quotas"), "."],
            ],
            vec![
                text!["Put the document on a shared space and send the link."],
                text!["Otherwise make the pictures smaller or send the files in several messages."],
                text!["The limit is the same for all: see ", link("quotas", "quotas"), "."],
            ],
        ),
        ask: Ask::Everybody,
    }
}

pub fn bad_content() -> Refusal {
    Refusal {
        title: ("Le message est mal formé", "The message is malformed"),
        happened: (
            text![
                "Le message ne respecte pas la forme que doit avoir un courrier électronique, ou il tourne en rond entre des serveurs."
            ],
            text!["The message does not have the form that e-mail must have, or it runs in a circle between servers."],
        ),
        cause: Cause::Sender,
        todo: (
            vec![
                text!["Envoyez-le de nouveau depuis un autre logiciel de messagerie."],
                text!["Si c'est une application qui l'a produit, transmettez le texte du refus à qui l'entretient."],
                text!["Si vous redirigez votre courrier, vérifiez qu'il ne revient pas à son point de départ."],
            ],
            vec![
                text!["Send it again from another mail program."],
                text!["If an application made it, pass the text of the refusal on to those who look after it."],
                text!["If you redirect your mail, check that it does not come back to where it started."],
            ],
        ),
        ask: Ask::Everybody,
    }
}

pub fn spam(facts: &Facts<'_>) -> Refusal {
    let happened = match facts.plan.antispam.as_ref().map(|antispam| antispam.always) {
        Some(SpamAction::Refuse) => (
            text!["Le message ressemble à de la publicité ou à une escroquerie. Il n'a pas été remis."],
            text!["The message looks like advertising or a swindle. It was not delivered."],
        ),
        Some(SpamAction::Deliver) => (
            text![
                "Le message ressemble à de la publicité ou à une escroquerie. Ici, un tel message est marqué, mais remis : ce refus vient d'un autre service."
            ],
            text![
                "The message looks like advertising or a swindle. Here such a message is marked but delivered: this refusal comes from another service."
            ],
        ),
        None => (
            text![
                "Le message ressemble à de la publicité ou à une escroquerie. Notre service n'en juge pas : ce refus vient d'un autre service."
            ],
            text![
                "The message looks like advertising or a swindle. Our service does not judge that: this refusal comes from another service."
            ],
        ),
    };
    Refusal {
        title: ("Le message ressemble à du spam", "The message looks like spam"),
        happened,
        cause: Cause::Sender,
        todo: (
            vec![
                text![
                    "Écrivez un message plus simple : un objet clair, peu de liens, pas d'image à la place du texte."
                ],
                text![
                    "Comment les messages sont jugés est expliqué à la page ",
                    link("antispam", "courrier indésirable"),
                    "."
                ],
            ],
            vec![
                text!["Write a simpler message: a clear subject, few links, no picture in place of text."],
                text!["How messages are judged is explained on the page ", link("antispam", "unwanted mail"), "."],
            ],
        ),
        ask: Ask::Everybody,
    }
}

pub fn infected() -> Refusal {
    Refusal {
        title: ("Un virus a été trouvé", "A virus was found"),
        happened: (
            text!["Le message contient un virus reconnu. Il n'a pas été remis."],
            text!["The message holds a known virus. It was not delivered."],
        ),
        cause: Cause::Sender,
        todo: (
            vec![
                text!["N'envoyez pas le fichier autrement."],
                text!["Faites analyser votre ordinateur par son antivirus, à jour."],
                text![
                    "Si vous n'avez pas envoyé ce message, votre mot de passe est peut-être volé : ",
                    link("passwords", "changez-le"),
                    "."
                ],
                text!["Ce que devient un message infecté est expliqué à la page ", link("virus", "virus"), "."],
            ],
            vec![
                text!["Do not send the file another way."],
                text!["Have your computer scanned by its antivirus, up to date."],
                text![
                    "If you have not sent this message, your password may have been stolen: ",
                    link("passwords", "change it"),
                    "."
                ],
                text!["What becomes of an infected message is explained on the page ", link("virus", "viruses"), "."],
            ],
        ),
        ask: Ask::Everybody,
    }
}

pub fn suspect() -> Refusal {
    Refusal {
        title: ("Une pièce jointe est suspecte", "An attached file is suspect"),
        happened: (
            text![
                "Aucun virus n'a été reconnu, mais une pièce jointe est d'une sorte qui en cache souvent : archive chiffrée, document à macros, programme."
            ],
            text![
                "No virus was recognised, but an attached file is of a kind that often hides one: an encrypted archive, a document with macros, a program."
            ],
        ),
        cause: Cause::Sender,
        todo: (
            vec![
                text!["Envoyez le document sous une autre forme : PDF, document sans macros, archive non chiffrée."],
                text![
                    "Pour un document confidentiel, déposez-le sur un espace de partage à accès restreint, et envoyez le lien."
                ],
            ],
            vec![
                text![
                    "Send the document in another form: PDF, a document without macros, an archive that is not encrypted."
                ],
                text!["Put a confidential document on a shared space with limited access, and send the link."],
            ],
        ),
        ask: Ask::Everybody,
    }
}

pub fn scanner_down() -> Refusal {
    Refusal {
        title: ("L'antivirus ne répond pas", "The antivirus does not answer"),
        happened: (
            text!["Le message n'a pas pu être analysé. Il est mis en attente plutôt que remis sans contrôle."],
            text!["The message could not be scanned. It is kept waiting rather than delivered unchecked."],
        ),
        cause: Cause::Service,
        todo: (
            vec![text![
                strong("Rien :"),
                " le message sera présenté de nouveau. Ne l'envoyez pas deux fois. Voyez ",
                link("virus", "virus"),
                "."
            ]],
            vec![text![
                strong("Nothing:"),
                " the message will be offered again. Do not send it twice. See ",
                link("virus", "viruses"),
                "."
            ]],
        ),
        ask: Ask::Everybody,
    }
}

pub fn store_trouble() -> Refusal {
    Refusal {
        title: ("Le service a une difficulté passagère", "The service has passing trouble"),
        happened: (
            text![
                "Le serveur ne peut pas prendre ce message en charge pour l'instant. Il préfère le dire plutôt que de risquer de le perdre."
            ],
            text!["The server cannot take charge of this message just now. It says so rather than risk losing it."],
        ),
        cause: Cause::Service,
        todo: (
            vec![
                text![strong("Rien, le plus souvent :"), " le message sera présenté de nouveau."],
                text!["Si cela dure plus d'une heure, signalez-le."],
            ],
            vec![
                text![strong("Nothing, as a rule:"), " the message will be offered again."],
                text!["If it lasts for more than an hour, report it."],
            ],
        ),
        ask: Ask::Everybody,
    }
}
