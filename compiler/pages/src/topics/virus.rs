//! Viruses (guide section 5): what is looked at, what becomes of an infected message, who is told.

use plan::{Antivirus, Direction, EngineDown, Keep, OnInfection, ReplyTo, Tell};

use crate::content::{Page, Section, Text, strong, text};
use crate::facts::Facts;
use crate::words::all_of;
use crate::writer::{Head, Writer};

pub fn page(facts: &Facts<'_>) -> Page {
    let mut writer = Writer::new(facts.language);
    match &facts.plan.antivirus {
        Some(antivirus) => {
            looked_at(facts, antivirus, &mut writer);
            fates(facts, antivirus, &mut writer);
            down(facts, antivirus, &mut writer);
        }
        None => writer.paragraph(
            text!["Ce service n'analyse pas les messages à la recherche de virus. N'ouvrez une pièce jointe que si vous l'attendiez, et gardez l'antivirus de votre ordinateur à jour."],
            text!["This service does not look for viruses. Open an attached file only if you expected it, and keep the antivirus of your computer up to date."],
        ),
    }
    writer.heading("Sur votre ordinateur", "On your computer");
    writer.paragraph(
        text![
            strong("Un poste de travail doit toujours avoir son propre antivirus, à jour."),
            " La messagerie n'est pas le seul chemin que prennent les virus."
        ],
        text![
            strong("A computer must always have its own antivirus, up to date."),
            " Mail is not the only way viruses take."
        ],
    );
    let head = Head { name: "virus", section: Section::Rules, title: ("Virus", "Viruses") };
    match facts.plan.antivirus.is_some() {
        true => writer.page(
            head,
            text!["Les messages sont analysés par le service. Votre ordinateur doit tout de même être protégé."],
            text!["Messages are scanned by the service. Your computer must be protected all the same."],
        ),
        false => writer.page(
            head,
            text!["Les messages ne sont pas analysés par le service : c'est à votre ordinateur de vous protéger."],
            text!["Messages are not scanned by the service: your computer must protect you."],
        ),
    }
}

fn looked_at(facts: &Facts<'_>, antivirus: &Antivirus, writer: &mut Writer) {
    writer.heading("Ce qui est analysé", "What is scanned");
    let names: Vec<String> = antivirus.engines.iter().map(|name| product(name)).collect();
    let named = all_of(facts.language, &names);
    let by = match names.len() {
        1 => facts.say(format!("Un antivirus ({named}) analyse"), format!("One antivirus ({named}) scans")),
        2 => facts.say(
            format!("Deux antivirus différents ({named}) analysent"),
            format!("Two different antivirus engines ({named}) scan"),
        ),
        n => facts.say(
            format!("{n} antivirus différents ({named}) analysent"),
            format!("{n} different antivirus engines ({named}) scan"),
        ),
    };
    let (inbound, outbound) = (antivirus.on.contains(&Direction::Inbound), antivirus.on.contains(&Direction::Outbound));
    let (french, english) = match (inbound, outbound) {
        (true, false) => ("tous les messages qui arrivent", "all messages that arrive"),
        (false, true) => ("tous les messages qui partent", "all messages that leave"),
        (true, true) | (false, false) => {
            ("tous les messages qui arrivent et tous ceux qui partent", "all messages that arrive and all that leave")
        }
    };
    let updated = antivirus
        .engines
        .iter()
        .filter_map(|name| facts.plan.scanners.get(name)?.updates_at_least)
        .min_by_key(|it| it.max);
    let updated = updated.map_or_else(String::new, |window| {
        let often = facts.window(window);
        facts.say(
            format!(" Ils sont mis à jour plusieurs fois par jour (au moins {often})."),
            format!(" They are updated several times a day (at least {often})."),
        )
    });
    writer.paragraph(text![format!("{by} {french}.{updated}")], text![format!("{by} {english}.{updated}")]);
}

/// The product a scanner's name stands for; another name as it is.
fn product(name: &str) -> String {
    match name {
        "clamav" | "clamd" => "ClamAV".to_owned(),
        "mcafee" => "McAfee VirusScan".to_owned(),
        other => other.to_owned(),
    }
}

fn fates(facts: &Facts<'_>, antivirus: &Antivirus, writer: &mut Writer) {
    writer.heading("Ce que devient un message infecté", "What becomes of an infected message");
    let directions = [
        (Direction::Inbound, "Message reçu", "Message received", &antivirus.inbound),
        (Direction::Outbound, "Message que vous envoyez", "Message you send", &antivirus.outbound_from_person),
        (
            Direction::Outbound,
            "Message d'une application",
            "Message of an application",
            &antivirus.outbound_from_machine,
        ),
    ];
    let looked = directions.into_iter().filter(|(direction, ..)| antivirus.on.contains(direction));
    let rows = looked.map(|(_, french, english, answers)| {
        (facts.say(text![french], text![english]), vec![fate(facts, answers.infected), fate(facts, answers.suspect)])
    });
    writer.grid(
        (
            "« Suspect » : pièce jointe chiffrée, macro, ou fichier qui ressemble à un virus",
            "“Suspect”: an encrypted attachment, a macro, or a file that looks like a virus",
        ),
        (["Message", "Virus reconnu", "Suspect"], ["Message", "Known virus", "Suspect"]),
        rows.collect(),
    );
    let silent = |answer: OnInfection| answer.tell == Tell::Nobody && answer.reply == ReplyTo::AcceptSilently;
    if silent(antivirus.inbound.infected) {
        writer.heading("Pourquoi personne n'est prévenu", "Why nobody is told");
        writer.paragraph(
            text!["Les virus maquillent les adresses. Prévenir l'expéditeur supposé, c'est presque toujours écrire à un innocent, et charger le réseau et les serveurs pour rien. Conformément aux avis des organismes de sécurité, ni l'expéditeur ni le destinataire n'est donc averti ; les gestionnaires gardent une trace de chaque message arrêté."],
            text!["Viruses forge addresses. To warn the supposed sender is nearly always to write to somebody innocent, and to load the network and the servers for nothing. As security agencies advise, neither sender nor recipient is told; the managers keep a record of every message that was stopped."],
        );
    }
}

fn fate(facts: &Facts<'_>, answer: OnInfection) -> Text {
    let kept = match (answer.reply, answer.keep) {
        (ReplyTo::Refuse, Keep::Quarantine) => {
            facts.say("refusé, une copie en quarantaine", "refused, a copy in quarantine")
        }
        (ReplyTo::Refuse, Keep::Deliver | Keep::Nothing) => facts.say("refusé", "refused"),
        (ReplyTo::Accept | ReplyTo::AcceptSilently, Keep::Quarantine) => {
            facts.say("mis en quarantaine", "put in quarantine")
        }
        (ReplyTo::Accept | ReplyTo::AcceptSilently, Keep::Deliver) => facts.say("délivré", "delivered"),
        (ReplyTo::Accept | ReplyTo::AcceptSilently, Keep::Nothing) => facts.say("supprimé", "deleted"),
    };
    let told = match answer.tell {
        Tell::Nobody if answer.keep == Keep::Deliver => return text![kept],
        Tell::Nobody => facts.say("personne n'est prévenu", "nobody is told"),
        Tell::Sender => facts.say("vous le savez aussitôt", "you know at once"),
        Tell::Recipient => facts.say("le destinataire est prévenu", "the recipient is told"),
        Tell::Managers => facts.say("les gestionnaires sont prévenus", "the managers are told"),
    };
    text![format!("{kept} ; {told}").replace(" ; ", facts.say(" ; ", "; "))]
}

fn down(facts: &Facts<'_>, antivirus: &Antivirus, writer: &mut Writer) {
    let EngineDown::TryLater { for_s, then } = &antivirus.engine_down;
    writer.heading("Quand un antivirus est en panne", "When an engine is down");
    let time = facts.duration(*for_s);
    match then {
        Some(then) if then.rescan => writer.paragraph(
            text![format!("Les messages attendent chez leur expéditeur, pendant {time} au plus. Passé ce délai, les autres antivirus suffisent, et le message est analysé de nouveau dès que la panne est finie.")],
            text![format!("Messages wait at their senders, for {time} at most. After that the other engines suffice, and the message is scanned again as soon as the engine is back.")],
        ),
        Some(_) => writer.paragraph(
            text![format!("Les messages attendent chez leur expéditeur, pendant {time} au plus. Passé ce délai, les autres antivirus suffisent.")],
            text![format!("Messages wait at their senders, for {time} at most. After that the other engines suffice.")],
        ),
        None => writer.paragraph(
            text!["Les messages attendent chez leur expéditeur jusqu'à la fin de la panne : rien ne passe sans avoir été analysé."],
            text!["Messages wait at their senders until the engine is back: nothing passes without having been scanned."],
        ),
    }
}
