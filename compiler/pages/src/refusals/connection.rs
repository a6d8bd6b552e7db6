//! Refusals before any mail was spoken of: connection, encryption, login.

use plan::WhenOver;

use super::{Ask, Cause, Refusal};
use crate::content::{Text, link, strong, text};
use crate::facts::Facts;

/// The way to the settings, which mends most of these.
fn settings() -> (Text, Text) {
    (
        text!["Comparez les réglages de votre logiciel avec le tableau ", link("servers", "serveurs et ports"), "."],
        text!["Compare the settings of your program with the table of ", link("servers", "servers and ports"), "."],
    )
}

pub fn no_block(facts: &Facts<'_>) -> Refusal {
    let (french, english) = settings();
    let mut todo = (
        vec![
            french,
            text![
                "Une imprimante ou une application doit utiliser le serveur prévu pour les machines, depuis le réseau prévu."
            ],
        ],
        vec![
            english,
            text![
                "A printer or an application must use the server meant for machines, from the network meant for them."
            ],
        ],
    );
    if facts.webmail().is_some() {
        todo.0.push(text!["En attendant, le webmail permet de lire et d'envoyer."]);
        todo.1.push(text!["In the meantime the webmail lets you read and send."]);
    }
    Refusal {
        title: ("Ce serveur n'est pas ouvert à cet endroit", "This server is not open from here"),
        happened: (
            text!["La connexion a été refusée d'emblée : ce serveur ne sert pas le réseau d'où elle vient."],
            text!["The connection was refused at once: this server does not serve the network it came from."],
        ),
        cause: Cause::Settings,
        todo,
        ask: Ask::Everybody,
    }
}

pub fn too_many_connections() -> Refusal {
    Refusal {
        title: ("Trop de connexions à la fois", "Too many connections at once"),
        happened: (
            text![
                "Le serveur d'envoi a ouvert trop de connexions à la fois, ou trop en peu de temps. Le nôtre l'a fait attendre."
            ],
            text![
                "The sending server opened too many connections at once, or too many in a short time. Ours made it wait."
            ],
        ),
        cause: Cause::Limit,
        todo: (
            vec![
                text![
                    strong("Rien, le plus souvent :"),
                    " le serveur d'envoi recommence tout seul et le message arrive avec du retard."
                ],
                text!["Si vous administrez ce serveur, réduisez le nombre de connexions simultanées vers nous."],
            ],
            vec![
                text![
                    strong("Nothing, as a rule:"),
                    " the sending server tries again by itself and the message arrives late."
                ],
                text!["If you run that server, lower the number of connections it opens to us at once."],
            ],
        ),
        ask: Ask::Everybody,
    }
}

pub fn listed() -> Refusal {
    Refusal {
        title: ("Le serveur d'envoi est sur une liste", "The sending server is on a list"),
        happened: (
            text![
                "L'adresse du serveur d'envoi figure sur une liste publique d'adresses d'où part du courrier indésirable. Le texte du refus nomme la liste."
            ],
            text![
                "The address of the sending server is on a public list of addresses that send unwanted mail. The text of the refusal names the list."
            ],
        ),
        cause: Cause::Sender,
        todo: (
            vec![
                text!["Transmettez le texte du refus à qui administre le serveur d'envoi."],
                text![
                    "Si vous l'administrez : trouvez d'où part le courrier indésirable, puis demandez à la liste de retirer l'adresse. Nous ne pouvons pas le faire."
                ],
            ],
            vec![
                text!["Pass the text of the refusal on to those who run the sending server."],
                text![
                    "If you run it: find where the unwanted mail comes from, then ask the list to take the address off. We cannot do that."
                ],
            ],
        ),
        ask: Ask::Everybody,
    }
}

pub fn tls_required() -> Refusal {
    let (french, english) = settings();
    Refusal {
        title: ("La connexion doit être chiffrée", "The connection must be encrypted"),
        happened: (
            text![
                "Votre logiciel a voulu envoyer ou s'identifier sans chiffrer la connexion. Le serveur a refusé, pour que votre mot de passe ne circule pas en clair."
            ],
            text![
                "Your program wanted to send or to log in without encryption. The server refused, so that your password does not travel in the open."
            ],
        ),
        cause: Cause::Settings,
        todo: (
            vec![
                text![
                    "Dans les réglages du serveur sortant, choisissez la sécurité TLS ou STARTTLS qui correspond au port."
                ],
                french,
                text![
                    "Si le mot de passe est déjà parti en clair depuis un réseau public, ",
                    link("passwords", "changez-le"),
                    "."
                ],
            ],
            vec![
                text![
                    "In the settings of the outgoing server choose the security, TLS or STARTTLS, that goes with the port."
                ],
                english,
                text![
                    "If the password has already travelled in the open from a public network, ",
                    link("passwords", "change it"),
                    "."
                ],
            ],
        ),
        ask: Ask::Staff,
    }
}

pub fn login_required() -> Refusal {
    let (french, english) = settings();
    Refusal {
        title: ("Il faut s'identifier pour envoyer", "Log in before you send"),
        happened: (
            text!["Votre logiciel a voulu envoyer sans donner d'identifiant ni de mot de passe."],
            text!["Your program wanted to send without giving a login and a password."],
        ),
        cause: Cause::Settings,
        todo: (
            vec![
                text![
                    "Dans les réglages du serveur sortant, demandez l'authentification, avec le même identifiant et le même mot de passe que pour lire."
                ],
                french,
            ],
            vec![
                text![
                    "In the settings of the outgoing server ask for authentication, with the same login and password as for reading."
                ],
                english,
            ],
        ),
        ask: Ask::Staff,
    }
}

pub fn no_login() -> Refusal {
    let (french, english) = settings();
    Refusal {
        title: ("On ne s'identifie pas sur ce serveur", "There is no login on this server"),
        happened: (
            text!["Votre logiciel a voulu s'identifier sur un serveur qui ne sert pas à envoyer depuis un compte."],
            text!["Your program wanted to log in to a server that is not meant for sending from an account."],
        ),
        cause: Cause::Settings,
        todo: (
            vec![text!["Le nom du serveur sortant ou le port est erroné : corrigez-le."], french],
            vec![text!["The name of the outgoing server or the port is wrong: correct it."], english],
        ),
        ask: Ask::Staff,
    }
}

pub fn password_expired() -> Refusal {
    Refusal {
        title: ("Mot de passe expiré", "Password expired"),
        happened: (
            text![
                "Le mot de passe est trop ancien, ou c'est celui de la lettre, qui ne sert qu'une fois. Rien n'est perdu."
            ],
            text![
                "The password is too old, or it is the one of the letter, which is for the first time only. Nothing is lost."
            ],
        ),
        cause: Cause::Settings,
        todo: (
            vec![
                text![
                    "Changez de mot de passe à la page que nomme le refus ; voyez ",
                    link("passwords", "identifiant et mot de passe"),
                    "."
                ],
                text!["Tapez ensuite le nouveau dans chaque appareil, pour lire et pour envoyer."],
                text!["Envoyez de nouveau le message : votre logiciel l'a gardé."],
            ],
            vec![
                text![
                    "Change the password at the page the refusal names; see ",
                    link("passwords", "login and password"),
                    "."
                ],
                text!["Then type the new one into each device, for reading and for sending."],
                text!["Send the message again: your program has kept it."],
            ],
        ),
        ask: Ask::Staff,
    }
}

pub fn login_failed(facts: &Facts<'_>) -> Refusal {
    let login = facts.person().login;
    Refusal {
        title: ("Identifiant ou mot de passe refusé", "Login or password refused"),
        happened: (
            text!["L'identifiant ou le mot de passe n'est pas le bon. Le serveur ne dit pas lequel des deux."],
            text!["The login or the password is not right. The server does not say which."],
        ),
        cause: Cause::Settings,
        todo: (
            vec![
                text![format!("L'identifiant n'est pas l'adresse : il est de la forme {login}.")],
                text!["Retapez le mot de passe en surveillant les majuscules et le pavé numérique."],
                text![
                    "Avez-vous changé de mot de passe récemment ? Changez-le aussi dans cet appareil, pour lire et pour envoyer."
                ],
                text![
                    "S'il a expiré ou si vous l'avez oublié, voyez ",
                    link("passwords", "identifiant et mot de passe"),
                    "."
                ],
            ],
            vec![
                text![format!("The login is not the address: it looks like {login}.")],
                text!["Type the password again and mind capitals and the number pad."],
                text![
                    "Did you change your password lately? Change it in this device, too, for reading and for sending."
                ],
                text!["If it has expired or you have forgotten it, see ", link("passwords", "login and password"), "."],
            ],
        ),
        ask: Ask::Staff,
    }
}

pub fn too_many_failed_logins(facts: &Facts<'_>) -> Refusal {
    let (french, english) = match facts.plan.logins.when_over {
        WhenOver::TryLater => (
            text![strong("Attendez"), ", sans recommencer : la voie se rouvre d'elle-même."],
            text![strong("Wait"), " without trying again: the way opens by itself."],
        ),
        WhenOver::Refuse => (
            text![strong("Attendez"), " : jusque-là, même le bon mot de passe est refusé."],
            text![strong("Wait"), ": until then even the right password is refused."],
        ),
    };
    Refusal {
        title: ("Trop d'erreurs de mot de passe", "Too many wrong passwords"),
        happened: (
            text![
                "Il y a eu trop d'essais infructueux pour ce compte, ou depuis cet endroit. Pour un temps, même le bon mot de passe est refusé."
            ],
            text![
                "There were too many failed attempts for this account, or from this place. For a while even the right password is refused."
            ],
        ),
        cause: Cause::Limit,
        todo: (
            vec![
                french,
                text![
                    "Cherchez l'appareil qui garde un ancien mot de passe : téléphone, tablette, ordinateur de la maison."
                ],
                text![
                    "Si ce n'est pas vous, quelqu'un cherche à deviner votre mot de passe : prévenez ",
                    facts.resetter(),
                    "."
                ],
                text!["Les nombres permis sont à la page ", link("passwords", "identifiant et mot de passe"), "."],
            ],
            vec![
                english,
                text!["Look for the device that keeps an old password: telephone, tablet, computer at home."],
                text!["If it was not you, somebody is guessing your password: tell ", facts.resetter(), "."],
                text!["The numbers allowed are on the page ", link("passwords", "login and password"), "."],
            ],
        ),
        ask: Ask::Staff,
    }
}
