//! Quotas of the guide (section 5): room by profile, size of a message, what counts, what happens when it is full.

use plan::{Counted, Quota, Then};

use crate::content::{Page, Section, Text, link, strong, text};
use crate::facts::Facts;
use crate::words::{all_of, percent};
use crate::writer::{Head, Writer};

pub fn page(facts: &Facts<'_>) -> Page {
    let mut writer = Writer::new(facts.language);
    profiles(facts, &mut writer);
    message(facts, &mut writer);
    counted(facts, &mut writer);
    full(facts, &mut writer);
    let head = Head { name: "quotas", section: Section::Rules, title: ("Quotas", "Quotas") };
    writer.page(
        head,
        text!["L'espace de stockage est commun à tous. Voici la place dont chacun dispose, et ce qui se passe quand elle est prise."],
        text!["Storage is shared by all. This is how much room everybody has, and what happens when it is used up."],
    )
}

fn profiles(facts: &Facts<'_>, writer: &mut Writer) {
    let rules = &facts.plan.mailboxes;
    let mut profiles: Vec<_> = rules.profiles.iter().collect();
    profiles.sort_by_key(|(name, profile)| {
        (**name != rules.otherwise, matches!(profile.quota, Quota::OnRequest { .. }), (*name).clone())
    });
    let rows = profiles.iter().map(|(_, profile)| {
        let quota = match profile.quota {
            Quota::Fixed { octets } => text![facts.size(octets)],
            Quota::OnRequest { above_octets } => {
                let size = facts.size(above_octets);
                facts.say(
                    text![format!("plus de {size}, selon les besoins")],
                    text![format!("more than {size}, as needed")],
                )
            }
        };
        (text![profile.label.clone()], vec![quota])
    });
    let rows: Vec<(Text, Vec<Text>)> = rows.collect();
    let several = rows.len() > 1;
    writer.heading("Place dans la boîte aux lettres", "Room in the mailbox");
    writer.grid(
        ("Quota de la boîte aux lettres, par profil", "Quota of the mailbox, by profile"),
        (["Profil type de l'utilisateur", "Quota"], ["Profile", "Quota"]),
        rows,
    );
    if several {
        let usual = rules.profiles.get(&rules.otherwise).map_or(rules.otherwise.as_str(), |profile| &profile.label);
        writer.paragraph(
            text![format!("Sans autre indication, votre profil est « {usual} ».")],
            text![format!("Unless you were told otherwise, your profile is “{usual}”.")],
        );
    }
    writer.paragraph(facts.asking("Besoin de plus de place ?"), facts.asking("Do you need more room?"));
}

fn message(facts: &Facts<'_>, writer: &mut Writer) {
    let (size, files) = (facts.size(facts.plan.mailboxes.message_size_octets), facts.attachments());
    writer.heading("Taille d'un message", "Size of a message");
    let row = |french: &str, english: &str, value: &str| (facts.say(text![french], text![english]), vec![text![value]]);
    writer.grid(
        ("La même limite pour tous, à l'envoi comme à la réception", "The same limit for all, to send and to receive"),
        (["Limite", "Taille"], ["Limit", "Size"]),
        vec![
            row("Message entier", "The whole message", &size),
            row("Pièces jointes, environ", "Attached files, about", &files),
        ],
    );
    writer.paragraph(
        text!["Les pièces jointes grossissent en voyageant : un fichier occupe dans le message un bon tiers de plus que sur votre disque. Pour un document plus gros, déposez-le sur un espace de partage et envoyez le lien."],
        text!["Attached files grow as they travel: in the message a file takes over a third more than on your disk. Put a larger document on a shared space and send the link."],
    );
}

fn counted(facts: &Facts<'_>, writer: &mut Writer) {
    let items = facts.plan.mailboxes.counts.iter().map(|counted| match counted {
        Counted::Inbox => facts.say(text!["la boîte de réception"], text!["the inbox"]),
        Counted::ServerFolders => facts.say(
            text!["les dossiers conservés sur le serveur, avec ceux où vos filtres rangent le courrier"],
            text!["the folders kept on the server, with those your filters sort mail into"],
        ),
        Counted::Trash => facts.say(
            text!["la corbeille, ", strong("tant qu'elle n'est pas vidée")],
            text!["the trash, ", strong("until it is emptied")],
        ),
    });
    let items: Vec<Text> = items.collect();
    writer.heading("Ce qui compte dans le quota", "What counts");
    if items.is_empty() {
        writer.paragraph(text!["Rien n'est compté."], text!["Nothing is counted."]);
        return;
    }
    writer.items(items);
    writer.paragraph(
        text![
            "Un dossier enregistré sur votre ordinateur (« dossiers locaux ») ne compte pas, mais il n'est pas ",
            link("backup", "sauvegardé"),
            " non plus."
        ],
        text![
            "A folder kept on your own computer (“local folders”) does not count, but it is not ",
            link("backup", "backed up"),
            " either."
        ],
    );
    writer.paragraph(
        text!["Pour faire de la place : videz la corbeille, supprimez les messages aux grosses pièces jointes, archivez ceux qui ont plus de trois mois."],
        text!["To make room: empty the trash, delete messages with large attached files, archive those older than three months."],
    );
}

fn full(facts: &Facts<'_>, writer: &mut Writer) {
    let rules = &facts.plan.mailboxes.when_full;
    let warnings: Vec<String> = rules.warn_at_percent.iter().map(|share| percent(facts.language, *share)).collect();
    writer.heading("Quand la boîte se remplit", "When the mailbox fills up");
    let (mut french, mut english) = (Vec::new(), Vec::new());
    if !warnings.is_empty() {
        let shares = all_of(facts.language, &warnings);
        french.push(text![format!("À {shares} du quota, vous recevez un avertissement.")]);
        english.push(text![format!("At {shares} of the quota you get a warning.")]);
    }
    if rules.grace_percent > 0 {
        let grace = percent(facts.language, rules.grace_percent);
        french.push(text![format!("Le quota atteint, le courrier arrive encore, jusqu'à {grace} au-delà.")]);
        english.push(text![format!("With the quota reached, mail still arrives, up to {grace} beyond it.")]);
    }
    let time = facts.duration(rules.full_try_later_s);
    match rules.then {
        Then::Refuse => {
            french.push(text![format!("Ensuite, les messages sont mis en attente chez leur expéditeur pendant {time}. Rien n'est perdu si vous faites de la place à temps.")]);
            french
                .push(text!["Après ce délai, ils sont refusés, et l'expéditeur en est averti par son propre service."]);
            english.push(text![format!("After that, messages are kept waiting at their senders for {time}. Nothing is lost if you make room in time.")]);
            english.push(text!["After that time they are refused, and the senders are told by their own service."]);
        }
        Then::TryLater => {
            french.push(text![
                "Ensuite, les messages sont mis en attente chez leur expéditeur, qui abandonne après quelques jours."
            ]);
            english.push(text!["After that, messages are kept waiting at their senders, who give up after some days."]);
        }
    }
    writer.steps(french, english);
    writer.paragraph(
        text!["Ce que reçoit l'expéditeur est expliqué à la page ", link("mailbox-full", "boîte pleine"), "."],
        text!["What the sender reads is explained on the page ", link("mailbox-full", "mailbox full"), "."],
    );
}
