//! The reference table of the guide (section 2): hosts, ports, encryption, login, from where.

use plan::{HeldOnly, MailDomain};

use crate::content::{Page, Section, Span, Text, code, link, strong, text};
use crate::facts::Facts;
use crate::services::{Service, incoming, outgoing, protocol, relays, tls_words};
use crate::words::all_of;
use crate::writer::{Head, Writer};

pub fn page(facts: &Facts<'_>) -> Page {
    let mut writer = Writer::new(facts.language);
    personal(facts, &mut writer);
    reference(facts, &mut writer);
    advice(facts, &mut writer);
    machines(facts, &mut writer);
    domains(facts, &mut writer);
    let head = Head { name: "servers", section: Section::Settings, title: ("Serveurs et ports", "Servers and ports") };
    writer.page(
        head,
        text!["Le tableau de référence : tout ce qu'un logiciel de messagerie demande, en une page."],
        text!["The reference table: everything a mail program asks for, on one page."],
    )
}

fn personal(facts: &Facts<'_>, writer: &mut Writer) {
    let identity = &facts.plan.identity;
    let person = facts.person();
    let form = |form: &str, example: &str| {
        let form = code(facts.say(readable_fr(form), readable_en(form)));
        facts
            .say(text![form.clone(), ", par exemple ", strong(example)], text![form, ", for example ", strong(example)])
    };
    let mut rows = vec![
        (
            facts.say(text!["Adresse électronique officielle"], text!["Official e-mail address"]),
            vec![form(&identity.address.official, &person.address)],
        ),
        (
            facts.say(text!["Compte de consultation (login)"], text!["Account name (login)"]),
            vec![form(&identity.login.form, &person.login)],
        ),
    ];
    let more = identity.login.examples.iter().skip(1);
    let more: Vec<String> = more.map(|it| format!("{} {} : {}", it.first, it.last, it.login)).collect();
    if !more.is_empty() {
        let said = more.join(" ; ");
        rows.push((
            facts.say(text!["Prénom composé, homonymes"], text!["Compound first names, homonyms"]),
            vec![facts.say(text![said.clone()], text![said.replace(" : ", ": ").replace(" ; ", "; ")])],
        ));
    }
    let former = facts.say(readable_fr(&identity.address.former), readable_en(&identity.address.former));
    if !former.is_empty() {
        rows.push((
            facts.say(text!["Ancienne adresse"], text!["Former address"]),
            vec![facts.say(
                text![code(former.clone()), " : elle reste valable, mais ne la diffusez plus"],
                text![code(former), ": it still works, but please do not give it out any more"],
            )],
        ));
    }
    let function = facts.say(readable_fr(&identity.address.function), readable_en(&identity.address.function));
    if !function.is_empty() {
        rows.push((
            facts.say(text!["Adresse de fonction"], text!["Functional address"]),
            vec![facts.say(text![code(function.clone()), ", sur demande"], text![code(function), ", on request"])],
        ));
    }
    writer.heading("Informations personnelles", "Personal information");
    writer.grid(
        (&format!("L'exemple est celui de {}.", person.name), &format!("The example is that of {}.", person.name)),
        (["Information", "Forme et exemple"], ["Item", "Form and example"]),
        rows,
    );
}

/// `Prenom.Nom@…` from `{First}.{Last}@…`.
fn readable_fr(form: &str) -> String {
    let names = [
        ("{First}", "Prenom"),
        ("{Last}", "Nom"),
        ("{first}", "<prénom>"),
        ("{last}", "<nom>"),
        ("{initials}", "<initiales du prénom>"),
        ("{local}", "<ancien nom>"),
        ("{unit}", "<composante>"),
        ("{Unit}", "Composante"),
        ("{Role}", "Fonction"),
    ];
    names.into_iter().fold(form.to_owned(), |form, (name, word)| form.replace(name, word))
}

fn readable_en(form: &str) -> String {
    let names = [
        ("{First}", "First"),
        ("{Last}", "Last"),
        ("{first}", "<first name>"),
        ("{last}", "<last name>"),
        ("{initials}", "<initials of the first name>"),
        ("{local}", "<former name>"),
        ("{unit}", "<department>"),
        ("{Unit}", "Department"),
        ("{Role}", "Role"),
    ];
    names.into_iter().fold(form.to_owned(), |form, (name, word)| form.replace(name, word))
}

fn reference(facts: &Facts<'_>, writer: &mut Writer) {
    let dash = || text!["—"];
    let login = || facts.say(text!["login et mot de passe"], text!["login and password"]);
    let mut rows = Vec::new();
    let named = |french: &str, english: &str, service: &Service<'_>| {
        let protocol = protocol(service.speaks);
        facts.say(text![format!("{french} ({protocol})")], text![format!("{english} ({protocol})")])
    };
    let cells = |service: &Service<'_>| {
        let place = service.place().words(facts.language);
        vec![
            text![code(service.host)],
            text![service.ports(facts.language)],
            text![service.security(facts.language)],
            login(),
            text![place],
        ]
    };
    for service in &incoming(facts.plan) {
        rows.push((named("Entrant", "Incoming", service), cells(service)));
    }
    for service in &outgoing(facts.plan) {
        rows.push((named("Sortant", "Outgoing", service), cells(service)));
    }
    let web =
        |address: &str, place: Text| vec![text![Span::Web(address.to_owned())], dash(), text!["HTTPS"], login(), place];
    if let Some(address) = facts.webmail() {
        let reach = facts.plan.never_reachable_beyond.get(&plan::Reach::Webmail);
        let place = reach.map_or_else(dash, |from| text![crate::access::place(facts.plan, from).words(facts.language)]);
        rows.push((text!["Webmail"], web(address, place)));
    }
    if let Some(address) = facts.password_page() {
        let from = &facts.plan.identity.password.change_from;
        let place = text![crate::access::place(facts.plan, from).words(facts.language)];
        rows.push((facts.say(text!["Changer de mot de passe"], text!["Change your password"]), web(address, place)));
    }
    writer.heading("Tableau de référence", "Reference table");
    writer.grid(
        ("Les serveurs de la messagerie", "The servers of the mail service"),
        (
            ["Serveur", "Adresse", "Port", "Sécurité", "Identification", "Utilisable"],
            ["Server", "Address", "Port", "Security", "Login", "Works"],
        ),
        rows,
    );
}

fn advice(facts: &Facts<'_>, writer: &mut Writer) {
    let programs = &facts.plan.tls.called_ssl_by;
    if !programs.is_empty() {
        let names = all_of(facts.language, programs);
        let (calls, choose) =
            if programs.len() == 1 { ("appelle", "ce logiciel") } else { ("appellent", "ces logiciels") };
        let verb = if programs.len() == 1 { "calls" } else { "call" };
        let there = if programs.len() == 1 { "there" } else { "in those programs" };
        writer.note(
            text![
                format!("{names} {calls} "),
                strong("SSL"),
                " ce que nous appelons ",
                strong("TLS"),
                format!(" : dans {choose}, choisissez « SSL ». Ailleurs, choisissez TLS, SSL/TLS ou STARTTLS.")
            ],
            text![
                format!("{names} {verb} "),
                strong("SSL"),
                " what we call ",
                strong("TLS"),
                format!(": choose “SSL” {there}. Elsewhere choose TLS, SSL/TLS or STARTTLS.")
            ],
        );
    }
    other_ports(facts, writer);
    other_names(facts, writer);
    steps(writer);
}

/// Which of several ports to take.
fn other_ports(facts: &Facts<'_>, writer: &mut Writer) {
    let outgoing = outgoing(facts.plan);
    let doors = outgoing.iter().map(|service| service.doors.len()).sum::<usize>();
    if let (true, Some(door)) = (doors > 1, facts.sending().as_ref().and_then(Service::advised)) {
        let (port, mode) = (door.port(), tls_words(facts.language, door.listener.tls));
        writer.paragraph(
            text![
                "Plusieurs ports servent au même usage. Pour un nouveau réglage, prenez le port ",
                strong(&*port),
                format!(" ({mode}) ; un logiciel déjà réglé sur un autre port du tableau n'a pas à être changé.")
            ],
            text![
                "Several ports do the same job. For a new set-up take port ",
                strong(&*port),
                format!(" ({mode}); a program already set to another port of the table need not be changed.")
            ],
        );
    }
}

/// Further names of the servers, and mailboxes that are on other ones.
fn other_names(facts: &Facts<'_>, writer: &mut Writer) {
    let outgoing = outgoing(facts.plan);
    let also: Vec<String> =
        outgoing.iter().chain(&incoming(facts.plan)).flat_map(|it| it.also.clone()).map(str::to_owned).collect();
    if !also.is_empty() {
        let names = all_of(facts.language, &also);
        writer.paragraph(
            text!["Ces autres noms de serveur fonctionnent aussi : ", code(names.clone()), "."],
            text!["These other server names work, too: ", code(names), "."],
        );
    }
    if !facts.plan.routes.homes.is_empty() {
        writer.note(
            text!["Certaines boîtes aux lettres sont encore dans un autre système. Si la vôtre en fait partie, demandez ses réglages avant de changer les vôtres."],
            text!["Some mailboxes are still kept in another system. If yours is one of them, ask for its settings before you change yours."],
        );
    }
}

fn steps(writer: &mut Writer) {
    writer.heading("Pas à pas", "Step by step");
    writer.paragraph(
        text![
            "Ces réglages sont détaillés pour ",
            link("thunderbird", "Thunderbird"),
            ", ",
            link("outlook", "Outlook"),
            ", ",
            link("apple-mail", "Apple Mail"),
            " et ",
            link("k-9", "K-9 Mail"),
            "."
        ],
        text![
            "The settings are explained for ",
            link("thunderbird", "Thunderbird"),
            ", ",
            link("outlook", "Outlook"),
            ", ",
            link("apple-mail", "Apple Mail"),
            " and ",
            link("k-9", "K-9 Mail"),
            "."
        ],
    );
}

fn machines(facts: &Facts<'_>, writer: &mut Writer) {
    let relays = relays(facts.plan);
    if relays.is_empty() {
        return;
    }
    writer.heading("Imprimantes et applications", "Printers and applications");
    writer.paragraph(
        text!["Une machine qui ne sait pas s'identifier envoie par un serveur à part, qui n'est joignable que depuis certains réseaux. Un logiciel de messagerie n'a pas à l'utiliser."],
        text!["A machine that cannot log in sends through a server of its own, which can be reached from some networks only. A mail program should not use it."],
    );
    let rows = relays.iter().map(|service| {
        let place = service.place().words(facts.language);
        let cells = vec![text![service.ports(facts.language)], text![service.security(facts.language)], text![place]];
        (text![code(service.host)], cells)
    });
    writer.grid(
        ("Envoi sans identification", "Sending without a login"),
        (["Serveur", "Port", "Sécurité", "Utilisable"], ["Server", "Port", "Security", "Works"]),
        rows.collect(),
    );
}

/// Only where there is more than the one domain of everybody's address.
fn domains(facts: &Facts<'_>, writer: &mut Writer) {
    let label = |profile: &str| {
        let profile = facts.plan.mailboxes.profiles.get(profile).map_or(profile, |it| it.label.as_str());
        facts.say(
            text![format!("boîtes aux lettres ici, profil « {profile} »")],
            text![format!("mailboxes here, profile “{profile}”")],
        )
    };
    let rows: Vec<(Text, Vec<Text>)> = facts
        .plan
        .domains
        .iter()
        .map(|(name, domain)| {
            let said = match domain {
                MailDomain::Held { only: HeldOnly::FormerAddresses, .. } => facts.say(
                    text!["anciennes adresses, conservées comme alias"],
                    text!["former addresses, kept as aliases"],
                ),
                MailDomain::Held { profile, only: HeldOnly::Everything } => label(profile),
                MailDomain::PassOn { .. } => facts.say(
                    text!["courrier transmis au service qui gère ces adresses"],
                    text!["mail handed on to the service that keeps these addresses"],
                ),
                MailDomain::AliasOf(other) => facts
                    .say(text!["autre nom de ", code(other.as_str())], text!["another name of ", code(other.as_str())]),
            };
            (text![code(facts.say(readable_fr(name), readable_en(name)))], vec![said])
        })
        .collect();
    if rows.len() < 2 {
        return;
    }
    writer.heading("Nos domaines", "Our domains");
    writer.grid(
        ("Ce qui suit l'arobase dans une adresse de l'institution", "What follows the at sign in an address of ours"),
        (["Domaine", "Usage"], ["Domain", "Use"]),
        rows,
    );
}
