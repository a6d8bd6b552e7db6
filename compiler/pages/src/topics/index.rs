//! The front page: the settings most people come for, and the way to everything else.

use crate::content::{Page, Section, Span, code, link, strong, text};
use crate::facts::Facts;
use crate::html::section_name;
use crate::services::{Door, Service, tls_words};
use crate::writer::{Head, Writer};

/// Lists the other pages under their leads.
pub fn index(facts: &Facts<'_>, pages: &[Page]) -> Page {
    let mut writer = Writer::new(facts.language);
    settings(facts, &mut writer);
    for section in [Section::Settings, Section::Rules, Section::Refusals] {
        let name = section_name(facts.language, section).unwrap_or_default();
        writer.heading(name, name);
        let of_section = pages.iter().filter(|page| page.section == section);
        let links = of_section.map(|page| (link(&page.name, page.title.clone()), page.lead.clone()));
        writer.links(links.collect());
    }
    writer.heading("Une question ?", "Any questions?");
    writer.paragraph(facts.ask(), facts.ask());
    let head = Head { name: "index", section: Section::Start, title: ("Votre messagerie", "Your e-mail") };
    writer.page(
        head,
        text!["Tout ce qu'il faut pour lire et envoyer votre courrier électronique professionnel."],
        text!["All you need to read and send your e-mail at work."],
    )
}

fn settings(facts: &Facts<'_>, writer: &mut Writer) {
    writer.heading("L'essentiel", "In short");
    let person = facts.person();
    let mut rows = vec![(
        facts.say(text!["Votre adresse"], text!["Your address"]),
        vec![
            facts.say(text!["par exemple ", strong(&*person.address)], text!["for example ", strong(&*person.address)]),
        ],
    )];
    let mut row = |french: &str, english: &str, cell| rows.push((facts.say(text![french], text![english]), vec![cell]));
    let service = |service: Service<'_>| {
        let door = service.advised().map(Door::port).unwrap_or_default();
        let security = service.advised().map(|door| tls_words(facts.language, door.listener.tls));
        text![code(service.host), format!(", port {door}, {}", security.unwrap_or_default())]
    };
    if let Some(reading) = facts.reading() {
        row("Pour lire", "To read", service(reading));
    }
    if let Some(sending) = facts.sending() {
        row("Pour envoyer", "To send", service(sending));
    }
    if let Some(webmail) = facts.webmail() {
        row("Dans un navigateur", "In a browser", text![Span::Web(webmail.to_owned())]);
    }
    let size = facts.size(facts.plan.mailboxes.message_size_octets);
    row(
        "Taille d'un message",
        "Size of a message",
        facts.say(text![format!("{size} au plus")], text![format!("at most {size}")]),
    );
    writer.grid(
        (
            "Les réglages en bref ; le détail est à la page des serveurs.",
            "The settings in short; the page on servers has them all.",
        ),
        (["Réglage", "Valeur"], ["Setting", "Value"]),
        rows,
    );
}
