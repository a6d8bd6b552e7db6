//! One page a mail program: its steps in its own words, and the exact settings of this Plan.

use plan::TlsMode;

use crate::content::{Page, Section, Text, code, link, menu, strong, text};
use crate::facts::Facts;
use crate::services::{Service, protocol, tls_words};
use crate::writer::{Head, Writer};

/// What a program calls things.
struct Program {
    page: &'static str,
    /// As `tls.called_ssl_by` names it.
    name: &'static str,
    about: (&'static str, &'static str),
    implicit: &'static str,
    starttls: &'static str,
    password: (&'static str, &'static str),
    /// The row headings: server, port, security, authentication, user name.
    fields: [(&'static str, &'static str); 5],
    steps: fn(&Facts<'_>) -> (Vec<Text>, Vec<Text>),
}

const PROGRAMS: [Program; 4] = [
    Program {
        page: "thunderbird",
        name: "Thunderbird",
        about: ("Thunderbird, sous Windows, macOS ou Linux.", "Thunderbird on Windows, macOS or Linux."),
        implicit: "SSL/TLS",
        starttls: "STARTTLS",
        password: ("Mot de passe normal", "Normal password"),
        fields: [
            ("Nom d'hôte", "Hostname"),
            ("Port", "Port"),
            ("Sécurité de la connexion", "Connection security"),
            ("Méthode d'authentification", "Authentication method"),
            ("Nom d'utilisateur", "Username"),
        ],
        steps: thunderbird,
    },
    Program {
        page: "outlook",
        name: "Outlook",
        about: (
            "Outlook pour Windows (versions classiques et Microsoft 365).",
            "Outlook for Windows (classic and Microsoft 365).",
        ),
        implicit: "SSL/TLS",
        starttls: "STARTTLS",
        password: ("Mot de passe", "Password"),
        fields: [
            ("Serveur", "Server"),
            ("Port", "Port"),
            ("Méthode de chiffrement", "Encryption method"),
            ("Authentification", "Authentication"),
            ("Nom d'utilisateur", "User name"),
        ],
        steps: outlook,
    },
    Program {
        page: "apple-mail",
        name: "Apple Mail",
        about: ("Mail, sur Mac, iPhone et iPad.", "Mail on Mac, iPhone and iPad."),
        implicit: "TLS",
        starttls: "STARTTLS",
        password: ("Mot de passe", "Password"),
        fields: [
            ("Nom d'hôte", "Host name"),
            ("Port", "Port"),
            ("TLS/SSL", "TLS/SSL"),
            ("Authentification", "Authentication"),
            ("Nom d'utilisateur", "User name"),
        ],
        steps: apple,
    },
    Program {
        page: "k-9",
        name: "K-9 Mail",
        about: ("K-9 Mail et Thunderbird, sur Android.", "K-9 Mail and Thunderbird on Android."),
        implicit: "SSL/TLS",
        starttls: "StartTLS",
        password: ("Mot de passe normal", "Normal password"),
        fields: [
            ("Serveur", "Server"),
            ("Port", "Port"),
            ("Sécurité", "Security"),
            ("Authentification", "Authentication"),
            ("Nom d'utilisateur", "Username"),
        ],
        steps: k9,
    },
];

pub fn pages(facts: &Facts<'_>) -> Vec<Page> {
    PROGRAMS.iter().map(|program| page(facts, program)).collect()
}

fn page(facts: &Facts<'_>, program: &Program) -> Page {
    let mut writer = Writer::new(facts.language);
    let person = facts.person();
    writer.paragraph(
        text![
            "L'exemple est celui de ",
            strong(&*person.name),
            " ; remplacez son nom, son adresse et son identifiant par les vôtres. Ayez sous la main votre ",
            link("passwords", "identifiant et votre mot de passe"),
            "."
        ],
        text![
            "The example is that of ",
            strong(&*person.name),
            "; put your own name, address and login in its place. Have your ",
            link("passwords", "login and password"),
            " at hand."
        ],
    );
    settings(facts, program, &mut writer);
    writer.heading("Pas à pas", "Step by step");
    let (french, english) = (program.steps)(facts);
    writer.steps(french, english);
    trouble(facts, &mut writer);
    let head = Head { name: program.page, section: Section::Settings, title: (program.name, program.name) };
    writer.page(head, text![format!("Régler {}", program.about.0)], text![format!("Setting up {}", program.about.1)])
}

fn settings(facts: &Facts<'_>, program: &Program, writer: &mut Writer) {
    let (reading, sending) = (facts.reading(), facts.sending());
    let person = facts.person();
    let of = |service: &Option<Service<'_>>, cell: &dyn Fn(&Service<'_>) -> Text| {
        service.as_ref().map_or_else(|| text!["—"], cell)
    };
    let both = |cell: &dyn Fn(&Service<'_>) -> Text| vec![of(&reading, cell), of(&sending, cell)];
    let [server, port, security, authentication, user] =
        program.fields.map(|(french, english)| text![facts.say(french, english)]);
    let rows = vec![
        (facts.say(text!["Protocole"], text!["Protocol"]), both(&|service| text![protocol(service.speaks)])),
        (server, both(&|service| text![code(service.host)])),
        (port, both(&|service| text![service.advised().map(|door| door.port()).unwrap_or_default()])),
        (
            security,
            both(&|service| {
                text![
                    service.advised().map(|door| security_words(facts, program, door.listener.tls)).unwrap_or_default()
                ]
            }),
        ),
        (authentication, both(&|_| password_words(facts, program))),
        (user, both(&|_| text![code(&*person.login)])),
    ];
    writer.heading("Les réglages", "The settings");
    writer.grid(
        ("À recopier tels quels, sauf le nom d'utilisateur", "To be copied as they are, but for the user name"),
        (["Réglage", "Courrier entrant", "Courrier sortant"], ["Setting", "Incoming mail", "Outgoing mail"]),
        rows,
    );
    if facts.plan.tls.called_ssl_by.iter().any(|name| name == program.name) {
        writer.note(
            text![
                format!("{} appelle ", program.name),
                strong("SSL"),
                " ce que nous appelons ",
                strong("TLS"),
                " : c'est la même protection, choisissez-la."
            ],
            text![
                format!("{} calls ", program.name),
                strong("SSL"),
                " what we call ",
                strong("TLS"),
                ": it is the same protection, choose it."
            ],
        );
    }
}

fn security_words(facts: &Facts<'_>, program: &Program, mode: TlsMode) -> String {
    let called_ssl = facts.plan.tls.called_ssl_by.iter().any(|name| name == program.name);
    match mode {
        TlsMode::Implicit if called_ssl => facts.say("SSL (c'est-à-dire TLS)", "SSL (that is, TLS)").to_owned(),
        TlsMode::Implicit => program.implicit.to_owned(),
        TlsMode::Required | TlsMode::Offered => program.starttls.to_owned(),
        TlsMode::None => tls_words(facts.language, TlsMode::None).to_owned(),
    }
}

fn password_words(facts: &Facts<'_>, program: &Program) -> Text {
    if facts.plain_password() {
        text![facts.say(program.password.0, program.password.1)]
    } else {
        facts.say(text!["Mot de passe chiffré"], text!["Encrypted password"])
    }
}

fn thunderbird(facts: &Facts<'_>) -> (Vec<Text>, Vec<Text>) {
    let person = facts.person();
    (
        vec![
            text![
                "Ouvrez ",
                menu(["☰", "Paramètres des comptes", "Gestion des comptes", "Ajouter un compte de messagerie"]),
                "."
            ],
            text![
                "Donnez votre nom, votre adresse (",
                code(&*person.address),
                ") et votre mot de passe, puis choisissez ",
                menu(["Configurer manuellement"]),
                "."
            ],
            text![
                "Recopiez les deux colonnes du tableau : courrier entrant, puis courrier sortant. Attention : le nom d'utilisateur est l'identifiant, pas l'adresse."
            ],
            text!["Choisissez ", menu(["Retester"]), ", puis ", menu(["Terminé"]), "."],
            text!["Envoyez-vous un message pour vérifier."],
        ],
        vec![
            text!["Open ", menu(["☰", "Account Settings", "Account Actions", "Add Mail Account"]), "."],
            text![
                "Give your name, your address (",
                code(&*person.address),
                ") and your password, then choose ",
                menu(["Configure manually"]),
                "."
            ],
            text![
                "Copy both columns of the table: incoming mail, then outgoing mail. Mind that the username is the login, not the address."
            ],
            text!["Choose ", menu(["Re-test"]), ", then ", menu(["Done"]), "."],
            text!["Send yourself a message to check."],
        ],
    )
}

fn outlook(facts: &Facts<'_>) -> (Vec<Text>, Vec<Text>) {
    let person = facts.person();
    let kind = facts.reading().map_or("IMAP", |service| protocol(service.speaks));
    (
        vec![
            text!["Ouvrez ", menu(["Fichier", "Ajouter un compte"]), "."],
            text![
                "Donnez votre adresse (",
                code(&*person.address),
                "), ouvrez ",
                menu(["Options avancées"]),
                " et cochez ",
                strong("Me laisser configurer mon compte manuellement"),
                "."
            ],
            text!["Choisissez le type de compte ", strong(kind), "."],
            text![
                "Recopiez les deux colonnes du tableau : courrier entrant, puis courrier sortant. Ne cochez pas « authentification par mot de passe sécurisé (SPA) »."
            ],
            text![
                "Donnez votre mot de passe. Si Outlook essaie de s'identifier avec votre adresse, ouvrez ",
                menu(["Paramètres du compte", "Paramètres du serveur"]),
                " et mettez votre identifiant (",
                code(&*person.login),
                ") comme nom d'utilisateur, pour les deux serveurs."
            ],
            text!["Envoyez-vous un message pour vérifier."],
        ],
        vec![
            text!["Open ", menu(["File", "Add Account"]), "."],
            text![
                "Give your address (",
                code(&*person.address),
                "), open ",
                menu(["Advanced options"]),
                " and tick ",
                strong("Let me set up my account manually"),
                "."
            ],
            text!["Choose the account type ", strong(kind), "."],
            text![
                "Copy both columns of the table: incoming mail, then outgoing mail. Do not tick “Secure Password Authentication (SPA)”."
            ],
            text![
                "Give your password. If Outlook tries to log in with your address, open ",
                menu(["Account Settings", "Server Settings"]),
                " and put your login (",
                code(&*person.login),
                ") as the user name of both servers."
            ],
            text!["Send yourself a message to check."],
        ],
    )
}

fn apple(facts: &Facts<'_>) -> (Vec<Text>, Vec<Text>) {
    let person = facts.person();
    (
        vec![
            text![
                strong("Sur un Mac : "),
                menu(["Mail", "Ajouter un compte", "Autre compte Mail"]),
                ". ",
                strong("Sur un iPhone ou un iPad : "),
                menu(["Réglages", "Apps", "Mail", "Comptes", "Ajouter un compte", "Autre"]),
                "."
            ],
            text![
                "Donnez votre nom, votre adresse (",
                code(&*person.address),
                ") et votre mot de passe. Mail dira peut-être qu'il ne peut pas vérifier le compte : continuez."
            ],
            text![
                "Recopiez les noms d'hôte et l'identifiant (",
                code(&*person.login),
                ") pour la réception et pour l'envoi."
            ],
            text![
                "Une fois le compte créé, ouvrez ses réglages de serveur, décochez la gestion automatique des réglages de connexion, et vérifiez les ports et la sécurité d'après le tableau."
            ],
            text!["Envoyez-vous un message pour vérifier."],
        ],
        vec![
            text![
                strong("On a Mac: "),
                menu(["Mail", "Add Account", "Other Mail Account"]),
                ". ",
                strong("On an iPhone or iPad: "),
                menu(["Settings", "Apps", "Mail", "Accounts", "Add Account", "Other"]),
                "."
            ],
            text![
                "Give your name, your address (",
                code(&*person.address),
                ") and your password. Mail may say that it cannot verify the account: go on."
            ],
            text!["Copy the host names and the login (", code(&*person.login), ") for incoming and for outgoing mail."],
            text![
                "With the account created, open its server settings, untick the automatic management of connection settings, and check ports and security against the table."
            ],
            text!["Send yourself a message to check."],
        ],
    )
}

fn k9(facts: &Facts<'_>) -> (Vec<Text>, Vec<Text>) {
    let person = facts.person();
    (
        vec![
            text!["Ouvrez ", menu(["☰", "Paramètres", "Ajouter un compte"]), "."],
            text![
                "Donnez votre adresse (",
                code(&*person.address),
                "), puis choisissez ",
                menu(["Configurer manuellement"]),
                " ou ",
                menu(["Modifier la configuration"]),
                "."
            ],
            text![
                "Dans ",
                strong("Paramètres du serveur entrant"),
                ", recopiez la première colonne du tableau et donnez votre mot de passe."
            ],
            text![
                "Dans ",
                strong("Paramètres du serveur sortant"),
                ", recopiez la seconde colonne. L'identifiant et le mot de passe sont les mêmes."
            ],
            text![
                "Dans ",
                strong("Options du compte"),
                ", donnez votre nom tel que vos correspondants le verront, puis ",
                menu(["Terminer"]),
                "."
            ],
            text!["Envoyez-vous un message pour vérifier."],
        ],
        vec![
            text!["Open ", menu(["☰", "Settings", "Add account"]), "."],
            text![
                "Give your address (",
                code(&*person.address),
                "), then choose ",
                menu(["Configure manually"]),
                " or ",
                menu(["Edit configuration"]),
                "."
            ],
            text![
                "Under ",
                strong("Incoming server settings"),
                " copy the first column of the table and give your password."
            ],
            text![
                "Under ",
                strong("Outgoing server settings"),
                " copy the second column. Login and password are the same."
            ],
            text![
                "Under ",
                strong("Account options"),
                " give your name as your correspondents will see it, then ",
                menu(["Finish"]),
                "."
            ],
            text!["Send yourself a message to check."],
        ],
    )
}

fn trouble(facts: &Facts<'_>, writer: &mut Writer) {
    writer.heading("Si cela ne marche pas", "If it does not work");
    let mut french = vec![
        text![
            "« Mot de passe refusé » : essayez d'abord ",
            if facts.webmail().is_some() { "dans le webmail" } else { "de le taper de nouveau, lentement" },
            ". S'il est refusé là aussi, voyez ",
            link("login-failed", "identifiant ou mot de passe refusé"),
            "."
        ],
        text![
            "« Connexion impossible » : vérifiez le nom du serveur, le port et la sécurité, lettre par lettre. Certains réseaux d'hôtel ou de gare ferment des ports : essayez ailleurs."
        ],
    ];
    let mut english = vec![
        text![
            "“Password refused”: first try it ",
            if facts.webmail().is_some() { "in the webmail" } else { "again, slowly" },
            ". If it is refused there, too, see ",
            link("login-failed", "login or password refused"),
            "."
        ],
        text![
            "“Cannot connect”: check server name, port and security letter by letter. Some networks in hotels and stations close ports: try elsewhere."
        ],
    ];
    french.push(facts.asking("Toujours rien ?"));
    english.push(facts.asking("Still nothing?"));
    writer.list(french, english);
}
