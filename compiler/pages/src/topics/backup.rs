//! Backups (guide section 5): what can be had back, until when, and what cannot.

use plan::{Backup, BackupCover, BackupTo, Life, Restores};

use crate::content::{Page, Section, Text, strong, text};
use crate::facts::Facts;
use crate::words::time_of_day;
use crate::writer::{Head, Writer};

pub fn page(facts: &Facts<'_>) -> Page {
    let mut writer = Writer::new(facts.language);
    let head =
        Head { name: "backup", section: Section::Rules, title: ("Sauvegarde et restauration", "Backup and restore") };
    let Some(backup) = &facts.plan.backup else {
        writer.note(
            text![
                strong("Ce service n'est pas sauvegardé."),
                " Un message supprimé est perdu. Gardez une copie de ce qui compte."
            ],
            text![strong("This service is not backed up."), " A deleted message is lost. Keep a copy of what matters."],
        );
        return writer.page(
            head,
            text!["Les boîtes aux lettres ne sont pas sauvegardées."],
            text!["Mailboxes are not backed up."],
        );
    };
    facts_of(facts, backup, &mut writer);
    writer.note(
        text![
            strong("Un message reçu et supprimé le même jour n'est pas sauvegardé :"),
            " il n'existe plus quand la copie est faite, la nuit."
        ],
        text![
            strong("A message received and deleted on the same day is not backed up:"),
            " it is gone when the copy is made at night."
        ],
    );
    not_covered(facts, &mut writer);
    ask(facts, backup, &mut writer);
    let kept = backup.covers.contains(&BackupCover::Mailboxes);
    let (french, english) = if kept {
        (
            "Chaque nuit, une copie des boîtes aux lettres est faite. Un message supprimé par erreur peut en être tiré.",
            "Every night a copy of the mailboxes is made. A message deleted by mistake can be taken from it.",
        )
    } else {
        (
            "Chaque nuit, une copie des programmes et des réglages du service est faite, sans les boîtes aux lettres.",
            "Every night a copy of the programs and settings of the service is made, without the mailboxes.",
        )
    };
    writer.page(head, text![french], text![english])
}

fn facts_of(facts: &Facts<'_>, backup: &Backup, writer: &mut Writer) {
    let time = time_of_day(facts.language, backup.every_night_at_min);
    let (least, most) = (facts.duration(backup.keep_at_least_s), facts.duration(backup.keep_at_most_s));
    let kept = if backup.keep_at_least_s == backup.keep_at_most_s {
        facts.say(text![format!("{least}, puis plus rien")], text![format!("{least}, then nothing")])
    } else {
        facts.say(
            text![format!("{least} au moins, {most} au plus ; au-delà, rien n'est gardé")],
            text![format!("at least {least}, at most {most}; nothing beyond that")],
        )
    };
    let covers: Vec<String> = backup
        .covers
        .iter()
        .map(|cover| match cover {
            BackupCover::System => facts
                .say("les programmes et les réglages du service", "the programs and settings of the service")
                .to_owned(),
            BackupCover::Mailboxes => facts.say("les boîtes aux lettres", "the mailboxes").to_owned(),
        })
        .collect();
    let to = match &backup.to {
        BackupTo::SameDisk => {
            facts.say(text!["sur le disque du serveur lui-même"], text!["on the disk of the server itself"])
        }
        BackupTo::Elsewhere(_) => facts.say(text!["sur une autre machine"], text!["on another machine"]),
    };
    let row = |french: &str, english: &str, cell: Text| (facts.say(text![french], text![english]), vec![cell]);
    writer.grid(
        ("La sauvegarde en bref", "The backup in short"),
        (["Question", "Réponse"], ["Question", "Answer"]),
        vec![
            row(
                "Quand",
                "When",
                facts.say(text![format!("chaque nuit à {time}")], text![format!("every night at {time}")]),
            ),
            row("Quoi", "What", text![crate::words::all_of(facts.language, &covers)]),
            row("Conservée", "Kept", kept),
            row("Où", "Where", to),
        ],
    );
    if backup.to == BackupTo::SameDisk {
        writer.paragraph(
            text!["Cette copie répare une erreur de manipulation. Elle ne protège pas de la perte de la machine."],
            text!["This copy mends a slip. It does not protect against the loss of the machine."],
        );
    }
}

fn not_covered(facts: &Facts<'_>, writer: &mut Writer) {
    writer.heading("Ce qui n'est pas sauvegardé", "What is not backed up");
    let mut french = vec![
        text!["les dossiers enregistrés sur votre ordinateur (« dossiers locaux ») ;"],
        text!["les messages relevés en POP, qui quittent en général le serveur : utilisez IMAP ;"],
        text!["ce qui a été supprimé avant la plus ancienne des copies conservées."],
    ];
    let mut english = vec![
        text!["folders kept on your computer (“local folders”);"],
        text!["messages fetched by POP, which as a rule leave the server: use IMAP;"],
        text!["what was deleted before the oldest copy that is kept."],
    ];
    if let Life::For { s } = facts.plan.retention.closed_accounts {
        let time = facts.duration(s);
        french.push(text![format!("Quand un compte est fermé, sa boîte est gardée {time}, puis effacée : emportez vos messages avant votre départ.")]);
        english.push(text![format!("When an account is closed its mailbox is kept for {time}, then erased: take your messages with you before you leave.")]);
    }
    writer.list(french, english);
}

fn ask(facts: &Facts<'_>, backup: &Backup, writer: &mut Writer) {
    if !backup.covers.contains(&BackupCover::Mailboxes) {
        return;
    }
    writer.heading("Retrouver un message", "Getting a message back");
    let steps_french = vec![
        text!["Regardez d'abord dans la corbeille, puis dans le dossier des indésirables."],
        text!["Notez ce que vous cherchez : l'expéditeur, l'objet, le dossier, le dernier jour où vous l'avez vu."],
        facts.asking("N'attendez pas."),
    ];
    let steps_english = vec![
        text!["Look into the trash first, then into the junk folder."],
        text!["Write down what you look for: sender, subject, folder, the last day you saw it."],
        facts.asking("Do not wait."),
    ];
    writer.steps(steps_french, steps_english);
    if backup.restores.contains(&Restores::Messages) {
        writer.paragraph(text!["Un message peut être restauré seul."], text!["A single message can be restored."]);
    } else {
        writer.paragraph(
            text!["On restaure un dossier entier, à côté de l'actuel ; vous y reprenez le message qui vous manque."],
            text!["A whole folder is restored beside the present one; you take the message you miss from it."],
        );
    }
}
