//! The restrictions of the guide (section 2.1): one row an access, one column a limit.

use std::collections::BTreeSet;

use plan::{Limits, SeveralBlocks, UnknownSenders, WhenOver, Window, Windows};

use crate::access::{Access, accesses};
use crate::content::{Page, Row, Section, Table, Text, link, strong, text};
use crate::facts::Facts;
use crate::words::{date, number, percent, short_window};
use crate::writer::{Head, Writer};

/// Marks a figure that attempts count against.
const ATTEMPTS: &str = "\u{a0}¹";

pub fn page(facts: &Facts<'_>) -> Page {
    let rows = accesses(facts.plan, facts.language);
    let mut writer = Writer::new(facts.language);
    if rows.is_empty() {
        writer.paragraph(text!["Ce service ne sert pas à envoyer."], text!["This service does not send mail."]);
    } else {
        writer.table(table(facts, &rows));
        reading(facts, &mut writer, &rows);
        blocked(facts, &mut writer, &rows);
        exceptions(facts, &mut writer);
    }
    let head =
        Head { name: "restrictions", section: Section::Rules, title: ("Restrictions d'envoi", "Sending limits") };
    let (mut french, mut english) = (
        "Afin de limiter les conséquences d'un vol de mot de passe, le nombre de messages et de destinataires est limité.".to_owned(),
        "To limit the harm a stolen password can do, the number of messages and recipients is limited.".to_owned(),
    );
    if rows.len() > 1 {
        french.push_str(" Les limites dépendent de la façon dont vous envoyez.");
        english.push_str(" The limits depend on how you send.");
    }
    writer.page(head, text![french], text![english])
}

/// A limit of the table: what is counted, within how many seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Counted {
    Messages(u32),
    Recipients(u32),
}

fn table(facts: &Facts<'_>, rows: &[Access<'_>]) -> Table {
    let mut counted: BTreeSet<Counted> = BTreeSet::new();
    for row in rows {
        let windows =
            |a: &Windows, b: &Windows| a.list().iter().chain(b.list()).map(|it| it.width_s).collect::<Vec<_>>();
        let messages = windows(&row.limits.messages_attempted, &row.limits.messages_accepted);
        let recipients = windows(&row.limits.recipients_attempted, &row.limits.recipients_accepted);
        counted.extend(messages.into_iter().map(Counted::Messages));
        counted.extend(recipients.into_iter().map(Counted::Recipients));
    }
    let mut columns = vec![
        facts.say("Accès", "Access").to_owned(),
        facts.say("Destinataires\u{a0}/ message", "Recipients\u{a0}/ message").to_owned(),
    ];
    columns.extend(counted.iter().map(|counted| column(facts, *counted)));
    let mut attempts = false;
    let cells = rows.iter().map(|row| {
        let mut cells = vec![text![number(facts.language, row.limits.recipients_in_one_message.into())]];
        cells.extend(counted.iter().map(|counted| cell(facts, row, *counted, &mut attempts)));
        Row { heading: text![row.words.clone()], cells }
    });
    let rows = cells.collect();
    let footnote = facts.say(
        "¹ les tentatives sont comptabilisées : un logiciel qui insiste reste bloqué.",
        "¹ attempts are counted: a program that keeps trying stays blocked.",
    );
    Table {
        caption: facts
            .say("Nombres maximaux, pour chaque façon d'envoyer", "The most that is allowed, for each way of sending")
            .to_owned(),
        columns,
        rows,
        footnotes: if attempts { vec![footnote.to_owned()] } else { Vec::new() },
        figures: true,
    }
}

fn column(facts: &Facts<'_>, counted: Counted) -> String {
    match counted {
        Counted::Messages(3_600) => facts.say("Messages\u{a0}/ heure", "Messages\u{a0}/ hour").to_owned(),
        Counted::Messages(width) => format!("Messages\u{a0}/ {}", short_window(facts.language, width)),
        Counted::Recipients(width) => {
            let width = short_window(facts.language, width);
            facts.say(format!("Destinataires\u{a0}/\u{a0}{width}"), format!("Recipients\u{a0}/\u{a0}{width}"))
        }
    }
}

/// One figure; two where attempts and successes both have a limit; a dash where there is none.
fn cell(facts: &Facts<'_>, row: &Access<'_>, counted: Counted, attempts: &mut bool) -> Text {
    let (attempted, accepted, width) = match counted {
        Counted::Messages(width) => (&row.limits.messages_attempted, &row.limits.messages_accepted, width),
        Counted::Recipients(width) => (&row.limits.recipients_attempted, &row.limits.recipients_accepted, width),
    };
    let of = |windows: &Windows| windows.list().iter().find(|it| it.width_s == width).map(|it| it.max);
    let mut figures = Vec::new();
    if let Some(max) = of(attempted) {
        *attempts = true;
        figures.push(format!("{}{ATTEMPTS}", number(facts.language, max.into())));
    }
    figures.extend(of(accepted).map(|max| number(facts.language, max.into())));
    if figures.is_empty() { text!["—"] } else { text![figures.join(", ")] }
}

/// How the table is to be read.
fn reading(facts: &Facts<'_>, writer: &mut Writer, rows: &[Access<'_>]) {
    writer.heading("Comment lire ce tableau", "How to read this table");
    let mut french = vec![
        text![
            "Chaque limite vaut sur une durée glissante : « par heure » veut dire « dans les soixante minutes qui précèdent », et non « depuis le début de l'heure »."
        ],
        text![
            "Un message envoyé à vingt personnes compte pour un message et pour vingt destinataires. Une liste ou une adresse de fonction compte pour un seul destinataire."
        ],
    ];
    let mut english = vec![
        text![
            "Every limit holds for a span that moves with the clock: “per hour” means “in the sixty minutes before now”, not “since the hour struck”."
        ],
        text![
            "One message to twenty people counts as one message and as twenty recipients. A list or a functional address counts as one recipient."
        ],
    ];
    let counted = facts.plan.may_send.values().filter(|block| matches!(block.limits, Limits::EachAccount(_)));
    if counted.count() > 1 {
        match facts.plan.one_account_in_several_blocks {
            SeveralBlocks::CountedSeparately => {
                french.push(text!["Chaque ligne a son propre compte : ce que vous envoyez d'une façon ne diminue pas ce que vous pouvez envoyer d'une autre."]);
                english.push(text!["Each row is counted on its own: what you send one way does not lower what you may send another way."]);
            }
            SeveralBlocks::CountedTogether => {
                french.push(text![
                    "Vos envois sont comptés ensemble : ce que vous envoyez d'une façon compte aussi pour les autres."
                ]);
                english
                    .push(text!["All you send is counted together: what you send one way counts for the others, too."]);
            }
        }
    }
    if rows.iter().any(|row| row.each_address) {
        french.push(text!["Les machines qui envoient sans identification sont comptées une par une, d'après leur adresse sur le réseau."]);
        english.push(text!["Machines that send without a login are counted one by one, by their network address."]);
    }
    let mut warned: Vec<u8> = rows.iter().map(|row| row.warn_at).filter(|share| *share > 0).collect();
    warned.sort_unstable();
    warned.dedup();
    if let [share] = warned.as_slice() {
        let share = percent(facts.language, *share);
        french.push(text![format!("À {share} d'une limite, vous recevez un avertissement par courrier électronique.")]);
        english.push(text![format!("At {share} of a limit you get a warning by e-mail.")]);
    } else if !warned.is_empty() {
        french
            .push(text!["À l'approche de certaines limites, vous recevez un avertissement par courrier électronique."]);
        english.push(text!["Near some of the limits you get a warning by e-mail."]);
    }
    writer.list(french, english);
}

fn blocked(facts: &Facts<'_>, writer: &mut Writer, rows: &[Access<'_>]) {
    writer.heading("Si vous êtes bloqué", "If you are blocked");
    let later = facts.plan.when_over.window == WhenOver::TryLater;
    let attempted = rows.iter().flat_map(|row| [&row.limits.messages_attempted, &row.limits.recipients_attempted]);
    let attempts: Vec<&Window> = attempted.flat_map(Windows::list).collect();
    if later {
        writer.paragraph(
            text!["Au-delà d'une limite, le serveur refuse pour un temps : rien n'est perdu, le message reste dans votre boîte d'envoi. La voie se rouvre d'elle-même, à mesure que vos envois passés sortent de la durée comptée."],
            text!["Over a limit the server refuses for a while: nothing is lost, the message stays in your outbox. The way opens again by itself as what you sent before grows old enough."],
        );
    } else {
        writer.paragraph(
            text!["Au-delà d'une limite, le serveur refuse le message : il faudra l'envoyer de nouveau plus tard. La voie se rouvre d'elle-même, à mesure que vos envois passés sortent de la durée comptée."],
            text!["Over a limit the server refuses the message: it must be sent again later. The way opens again by itself as what you sent before grows old enough."],
        );
    }
    let longest = attempts.iter().max_by_key(|it| it.width_s).copied();
    if let Some(longest) = longest {
        let wait = facts.duration(u64::from(longest.width_s));
        writer.note(
            text![
                strong("N'insistez pas."),
                format!(" Pour les limites marquées ¹, les essais refusés comptent aussi : un logiciel qui essaie sans arrêt reste bloqué aussi longtemps qu'il essaie. Retirez le message de la boîte d'envoi ou passez hors connexion ; au plus tard {wait} après le dernier essai, tout est de nouveau permis.")
            ],
            text![
                strong("Do not keep trying."),
                format!(" For limits marked ¹ refused attempts count, too: a program that goes on trying stays blocked for as long as it does. Take the message out of the outbox or work offline; at the latest {wait} after the last attempt everything is allowed again.")
            ],
        );
    }
    writer.list(
        vec![
            text!["Pour écrire à beaucoup de monde, utilisez une liste de diffusion plutôt qu'un long champ « À »."],
            text![
                "Si vous n'avez rien envoyé de tel, votre mot de passe est peut-être connu de quelqu'un d'autre : ",
                link("passwords", "changez-le"),
                " et prévenez ",
                facts.resetter(),
                "."
            ],
        ],
        vec![
            text!["To write to many people, use a mailing list rather than a long “To” field."],
            text![
                "If you have sent nothing of the kind, somebody else may know your password: ",
                link("passwords", "change it"),
                " and tell ",
                facts.resetter(),
                "."
            ],
        ],
    );
}

/// Grants and registered applications: that there are some and until when, never whose.
fn exceptions(facts: &Facts<'_>, writer: &mut Writer) {
    let grants = &facts.plan.limit_grants;
    let senders = facts.plan.senders.as_ref();
    let known = senders.map_or(0, |senders| senders.known.len());
    let strict = senders.is_some_and(|senders| senders.unknown == UnknownSenders::Refuse);
    writer.heading("Dérogations", "Exceptions");
    let (mut french, mut english) = (Vec::new(), Vec::new());
    if let Some(last) = grants.iter().map(|grant| grant.until.as_str()).max() {
        let last = date(facts.language, last);
        let count = grants.len();
        french.push(if count == 1 {
            text![format!("Une dérogation est en cours, jusqu'au {last}. Elle est accordée à un compte, avec un motif et une date de fin.")]
        } else {
            text![format!("{count} dérogations sont en cours, la dernière jusqu'au {last}. Chacune est accordée à un compte, avec un motif et une date de fin.")]
        });
        english.push(if count == 1 {
            text![format!("One exception is in force, until {last}. It was given to one account, with a reason and an end date.")]
        } else {
            text![format!("{count} exceptions are in force, the last until {last}. Each was given to one account, with a reason and an end date.")]
        });
    }
    if known > 0 {
        french.push(text![format!("Applications déclarées, avec des limites propres : {known}.")]);
        english.push(text![format!("Registered applications with limits of their own: {known}.")]);
    }
    if strict {
        french.push(text!["Une application qui n'est pas déclarée ne peut pas envoyer sans identification."]);
        english.push(text!["An application that is not registered cannot send without a login."]);
    }
    french.push(facts.asking("Un besoin particulier (élections, inscriptions…) ? Demandez une dérogation à l'avance."));
    english.push(facts.asking("A special need (elections, enrolments…)? Ask for an exception beforehand."));
    writer.list(french, english);
}
