//! Redirection (guide section 5): accepted and refused cases, and whom to ask.

use plan::{AskedThrough, DomainPattern, GrantNeeds, GrantTo, RedirectOtherwise, Redirects};

use crate::content::{Page, Section, Span, Text, code, link, text};
use crate::facts::Facts;
use crate::words::{all_of, pick};
use crate::writer::{Head, Writer};

pub fn page(facts: &Facts<'_>) -> Page {
    let rules = &facts.plan.redirects;
    let closed = rules.allow.is_empty() && rules.on_grant.is_empty() && rules.otherwise == RedirectOtherwise::Refuse;
    let closed = closed || rules.asked_through == AskedThrough::Nobody && rules.allow.is_empty();
    let mut writer = Writer::new(facts.language);
    if closed {
        writer.paragraph(
            text!["Le courrier de ce service n'est pas redirigé automatiquement vers une autre adresse."],
            text!["Mail of this service is not redirected to another address automatically."],
        );
    } else {
        why(&mut writer);
        accepted(facts, rules, &mut writer);
        refused(facts, rules, &mut writer);
        ask(facts, rules, &mut writer);
    }
    instead(facts, &mut writer);
    let head = Head {
        name: "redirects",
        section: Section::Rules,
        title: ("Redirection automatique", "Automatic redirection"),
    };
    writer.page(
        head,
        text!["Faire suivre tout son courrier vers une autre adresse : ce qui est possible, et ce qui ne l'est pas."],
        text!["Having all your mail sent on to another address: what is possible and what is not."],
    )
}

fn why(writer: &mut Writer) {
    writer.heading("Pourquoi des règles", "Why there are rules");
    writer.paragraph(
        text!["Le courrier électronique est un moyen de communication officiel : un message envoyé à votre adresse doit arriver, et s'il n'arrive pas, il faut pouvoir dire pourquoi. Une redirection n'est donc possible que vers un service auquel on peut se fier, et qui répond quand on l'interroge."],
        text!["E-mail is an official means of communication: a message sent to your address must arrive, and if it does not, we must be able to say why. So mail is redirected only to a service that can be trusted, and that answers when asked."],
    );
}

fn accepted(facts: &Facts<'_>, rules: &Redirects, writer: &mut Writer) {
    let mut rows: Vec<(Text, Vec<Text>)> = Vec::new();
    for (name, pattern) in &rules.allow {
        rows.push((
            text![name.to_uppercase()],
            vec![addresses(facts, pattern), facts.say(text!["acceptée"], text!["accepted"])],
        ));
    }
    for grant in rules.on_grant.values() {
        let (who, to) = match grant.to {
            GrantTo::HomeInstitution => (
                facts.say("Chercheur en déplacement ou détaché", "Visiting researcher"),
                facts.say(
                    "l'adresse professionnelle de l'établissement d'origine",
                    "the professional address at the home institution",
                ),
            ),
            GrantTo::AnyDomain => (
                facts.say("Cas particulier", "Special case"),
                facts.say("l'adresse que dit l'autorisation", "the address the authorisation names"),
            ),
        };
        let needs: Vec<String> = grant
            .needs
            .iter()
            .map(|need| match need {
                GrantNeeds::Approver => facts.say("l'accord d'un responsable", "approval").to_owned(),
                GrantNeeds::Reason => facts.say("un motif", "a reason").to_owned(),
                GrantNeeds::EndDate => facts.say("une date de fin", "an end date").to_owned(),
            })
            .collect();
        let needs = all_of(facts.language, &needs);
        let on = facts.say(text![format!("sur autorisation : {needs}")], text![format!("with authorisation: {needs}")]);
        rows.push((text![who], vec![text![to], on]));
    }
    if rows.is_empty() {
        return;
    }
    writer.heading("Cas acceptés", "Accepted cases");
    writer.grid(
        ("Vers une adresse professionnelle que l'on connaît", "To a professional address that we know"),
        (
            ["Vous dépendez de", "Adresse de destination", "Redirection"],
            ["You belong to", "Destination", "Redirection"],
        ),
        rows,
    );
}

fn addresses(facts: &Facts<'_>, pattern: &DomainPattern) -> Text {
    match pattern {
        DomainPattern::Suffix(domain) => facts.say(
            text![code(format!("…@{domain}")), " et ses sous-domaines"],
            text![code(format!("…@{domain}")), " and its subdomains"],
        ),
        DomainPattern::Exact(domain) => text![code(format!("…@{domain}"))],
        DomainPattern::Brand(brand) => text![brand.clone()],
        DomainPattern::PublicProviders => {
            facts.say(text!["les messageries grand public"], text!["mailbox providers for the public"])
        }
    }
}

fn refused(facts: &Facts<'_>, rules: &Redirects, writer: &mut Writer) {
    writer.heading("Cas refusés", "Refused cases");
    let mut names: Vec<String> = Vec::new();
    for pattern in &rules.refused_examples {
        match pattern {
            DomainPattern::Brand(brand) => names.push(capital(brand)),
            DomainPattern::Suffix(domain) | DomainPattern::Exact(domain) => names.push(domain.to_string()),
            DomainPattern::PublicProviders => {}
        }
    }
    if rules.refused_examples.contains(&DomainPattern::PublicProviders) {
        names.push(
            pick(facts.language, "les autres messageries grand public", "other mailbox providers for the public")
                .to_owned(),
        );
    }
    if !names.is_empty() {
        let names = all_of(facts.language, &names);
        writer.paragraph(
            text![format!("Vers une messagerie personnelle : {names}. Il est impossible de garantir qu'un message y sera bien remis, et très difficile d'en savoir la raison quand il ne l'est pas.")],
            text![format!("To a private mailbox: {names}. It cannot be guaranteed that a message is delivered there, and it is very hard to learn why when it is not.")],
        );
    }
    match rules.otherwise {
        RedirectOtherwise::Refuse => writer.paragraph(
            text!["Toute autre adresse est refusée, même pour un usage professionnel."],
            text!["Any other address is refused, even for professional use."],
        ),
        RedirectOtherwise::Ask => writer.paragraph(
            text!["Toute autre adresse est examinée au cas par cas."],
            text!["Any other address is looked at case by case."],
        ),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn ask(facts: &Facts<'_>, rules: &Redirects, writer: &mut Writer) {
    writer.heading("Demander une redirection", "How to ask");
    match rules.asked_through {
        AskedThrough::UnitItService => writer.paragraph(
            text!["Adressez votre demande au service informatique de votre composante, avec l'adresse de destination."],
            text!["Ask the IT service of your department, and give the address of destination."],
        ),
        AskedThrough::Portal => match facts.plan.web.get(&plan::Reach::Portal) {
            Some(portal) => writer.paragraph(
                text!["Faites votre demande sur le portail : ", Span::Web(portal.clone()), "."],
                text!["Ask on the portal: ", Span::Web(portal.clone()), "."],
            ),
            None => writer.paragraph(text!["Faites votre demande sur le portail."], text!["Ask on the portal."]),
        },
        AskedThrough::Nobody => writer.paragraph(
            text!["Une nouvelle redirection ne peut pas être demandée."],
            text!["A new redirection cannot be asked for."],
        ),
    }
}

fn instead(facts: &Facts<'_>, writer: &mut Writer) {
    writer.heading("Lire son courrier ailleurs", "Reading your mail elsewhere");
    let (mut french, mut english) = (
        text![
            "Vous pouvez lire votre boîte professionnelle à côté de votre boîte personnelle, sans rien rediriger : ajoutez ce compte à votre logiciel de messagerie ("
        ],
        text![
            "You can read your work mailbox beside your private one without redirecting anything: add this account to your mail program ("
        ],
    );
    french.extend(text![link("thunderbird", "Thunderbird"), ", ", link("k-9", "K-9 Mail"), "…)"]);
    english.extend(text![link("thunderbird", "Thunderbird"), ", ", link("k-9", "K-9 Mail"), "…)"]);
    if let Some(webmail) = facts.webmail() {
        french.extend(text![", ou ouvrez le webmail : ", Span::Web(webmail.to_owned())]);
        english.extend(text![", or open the webmail: ", Span::Web(webmail.to_owned())]);
    }
    french.extend(text!["."]);
    english.extend(text!["."]);
    writer.paragraph(french, english);
}
