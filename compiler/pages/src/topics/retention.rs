//! How long everything is kept: the answer to a question every person may ask (GDPR, article 13).

use plan::Life;

use crate::content::{Page, Section, Text, link, text};
use crate::facts::Facts;
use crate::writer::{Head, Writer};

pub fn page(facts: &Facts<'_>) -> Page {
    let mut writer = Writer::new(facts.language);
    let kept = &facts.plan.retention;
    writer.heading("Votre courrier", "Your mail");
    writer.grid(
        ("Ce que vous voyez", "What you see"),
        (["Donnée", "Conservée"], ["Data", "Kept"]),
        rows(
            facts,
            &[
                ("Messages et dossiers", "Messages and folders", kept.mail),
                ("Corbeille", "Trash", kept.trash),
                ("Indésirables", "Junk", kept.junk),
                ("Boîte d'un compte fermé", "Mailbox of a closed account", kept.closed_accounts),
            ],
        ),
    );
    recorded(facts, &mut writer);
    writer.paragraph(
        text!["Une copie peut subsister un temps dans les ", link("backup", "sauvegardes"), "."],
        text!["A copy may live on for a while in the ", link("backup", "backups"), "."],
    );
    writer.paragraph(facts.asking("Une question sur vos données ?"), facts.asking("A question about your data?"));
    let head =
        Head {
            name: "retention", section: Section::Rules, title: ("Durées de conservation", "How long data is kept")
        };
    writer.page(
        head,
        text!["Ce que le service garde, et pendant combien de temps."],
        text!["What the service keeps, and for how long."],
    )
}

fn recorded(facts: &Facts<'_>, writer: &mut Writer) {
    let kept = &facts.plan.retention;
    writer.heading("Ce que le service enregistre", "What the service records");
    writer.grid(
        (
            "Ce qui sert à faire fonctionner le service et à rendre compte",
            "What it takes to run the service and to account for it",
        ),
        (["Donnée", "Conservée"], ["Data", "Kept"]),
        rows(
            facts,
            &[
                ("Messages en attente d'envoi", "Messages waiting to be sent", kept.queue),
                ("Messages en quarantaine (virus)", "Messages in quarantine (viruses)", kept.quarantine),
                (
                    "Trace des messages qui n'ont pas pu être remis",
                    "Record of messages that were not delivered",
                    kept.losses,
                ),
                (
                    "Décisions du serveur (accepté, refusé, pourquoi)",
                    "Decisions of the server (accepted, refused, why)",
                    kept.decisions,
                ),
                ("Connexions aux boîtes aux lettres", "Logins to mailboxes", kept.accesses),
                ("Actes des gestionnaires", "Acts of the managers", kept.audit),
                (
                    "Messages confiés pour corriger l'antispam",
                    "Messages given to correct the spam filter",
                    kept.training,
                ),
                ("Compteurs des limites d'envoi", "Counters of the sending limits", kept.limits),
                ("Statistiques", "Statistics", kept.statistics),
                (
                    "Registre des logins (un login n'est jamais réattribué)",
                    "Register of logins (a login is never given twice)",
                    kept.ledger,
                ),
            ],
        ),
    );
}

fn rows(facts: &Facts<'_>, rows: &[(&str, &str, Life)]) -> Vec<(Text, Vec<Text>)> {
    let life = |life: Life| match life {
        Life::For { s } => text![facts.duration(s)],
        Life::WhileAccountLives => facts.say(text!["tant que le compte existe"], text!["as long as the account lives"]),
        Life::Forever => facts.say(text!["sans limite"], text!["without limit"]),
    };
    rows.iter().map(|(french, english, kept)| (text![facts.say(*french, *english)], vec![life(*kept)])).collect()
}
