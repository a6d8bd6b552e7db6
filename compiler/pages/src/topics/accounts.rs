//! An account from the first day to the last, who looks after it, and where its owner does.

use plan::{LeavingState, Life, Plan, SecondFactor};

use crate::content::{Page, Section, Span, Text, link, strong, text};
use crate::facts::Facts;
use crate::writer::{Head, Writer};

pub fn page(facts: &Facts<'_>) -> Page {
    let mut writer = Writer::new(facts.language);
    arriving(facts, &mut writer);
    leaving(facts, &mut writer);
    yours(facts, &mut writer);
    writer.paragraph(facts.asking("Une question sur votre compte ?"), facts.asking("A question about your account?"));
    let head = Head {
        name: "accounts",
        section: Section::Rules,
        title: ("Votre compte, de l'arrivée au départ", "Your account, from arrival to departure"),
    };
    writer.page(
        head,
        text!["Ce qui se passe avant le premier jour, après le dernier, et qui en décide."],
        text!["What happens before the first day, after the last, and who decides."],
    )
}

fn arriving(facts: &Facts<'_>, writer: &mut Writer) {
    writer.heading("Votre arrivée", "Your arrival");
    let before = facts.duration(facts.plan.accounts.arriving_s);
    match facts.plan.accounts.arriving_s {
        0 => writer
            .paragraph(text!["Le compte est ouvert le premier jour."], text!["The account is there on the first day."]),
        _ => writer.paragraph(
            text!["Le compte reçoit du courrier et peut être lu ", strong(before.clone()), " avant le premier jour."],
            text!["The account takes mail and can be read ", strong(before), " before the first day."],
        ),
    }
}

fn leaving(facts: &Facts<'_>, writer: &mut Writer) {
    let accounts = &facts.plan.accounts;
    writer.heading("Votre départ", "Your departure");
    let mut rows: Vec<(Text, Vec<Text>)> = Vec::new();
    for step in &accounts.leaving {
        let says = match step.state {
            LeavingState::Grace => facts.say("Rien ne change.", "Nothing changes."),
            LeavingState::ReceiveOnly => facts.say(
                "Vous recevez et lisez encore, vous n'envoyez plus.",
                "You still receive and read, you send no more.",
            ),
            LeavingState::AutoReply => facts.say(
                "De même, et qui vous écrit apprend que vous êtes parti.",
                "The same, and whoever writes to you learns that you left.",
            ),
        };
        rows.push((text![facts.duration(step.for_s)], vec![text![says]]));
    }
    let closed = match facts.plan.retention.closed_accounts {
        Life::For { s } => facts.duration(s),
        Life::WhileAccountLives | Life::Forever => facts.say("sans limite", "without limit").to_owned(),
    };
    let says = facts.say(
        "Le compte est fermé ; le courrier est ensuite effacé.",
        "The account is closed; the mail is erased then.",
    );
    rows.push((text![closed], vec![text![says]]));
    writer.grid(
        ("Après le dernier jour, dans cet ordre", "After the last day, in this order"),
        (["Pendant", "Ce qui se passe"], ["For", "What happens"]),
        rows,
    );
    if !accounts.notices_before_s.is_empty() {
        let before: Vec<String> = accounts.notices_before_s.iter().map(|s| facts.duration(*s)).collect();
        let before = before.join(", ");
        writer.paragraph(
            text![format!("Un courrier vous prévient avant chaque changement : {before} avant.")],
            text![format!("A mail tells you before each change: {before} before.")],
        );
    }
    match accounts.reuse_after {
        Life::For { s } => writer.paragraph(
            text![format!("Votre adresse n'est donnée à personne d'autre avant {}.", facts.duration(s))],
            text![format!("Your address is given to nobody else before {}.", facts.duration(s))],
        ),
        Life::WhileAccountLives | Life::Forever => writer.paragraph(
            text!["Votre adresse n'est jamais donnée à quelqu'un d'autre."],
            text!["Your address is never given to somebody else."],
        ),
    }
}

/// The portal, and who may do what there for others.
fn yours(facts: &Facts<'_>, writer: &mut Writer) {
    let Some(portal) = &facts.plan.portal else { return };
    writer.heading("Gérer votre compte", "Looking after your account");
    let mut french = vec![
        text!["Mot de passe, quota, redirections, connexions : ", Span::Web(portal.at.clone()), "."],
        text!["Une page oubliée se ferme après ", facts.duration(portal.idle_s), " sans activité."],
    ];
    let mut english = vec![
        text!["Password, quota, redirects, logins: ", Span::Web(portal.at.clone()), "."],
        text!["A page you forget is closed after ", facts.duration(portal.idle_s), " without activity."],
    ];
    if facts.plan.identity.password.second_factor != SecondFactor::Never {
        french.push(text!["Un code à usage unique, sur votre téléphone, peut protéger cette page en plus."]);
        english.push(text!["A code of a single use, on your phone, can protect that page as well."]);
    }
    if has_correspondents(facts.plan) {
        french.push(text!["Le correspondant de votre service voit les comptes de ce service, et eux seuls."]);
        english.push(text!["The correspondent of your department sees its accounts, and no others."]);
    }
    french.push(text!["Ce qui est enregistré est dit sous ", link("retention", "Durées de conservation"), "."]);
    english.push(text!["What is recorded is said under ", link("retention", "How long data is kept"), "."]);
    writer.list(french, english);
}

fn has_correspondents(plan: &Plan) -> bool {
    !plan.roles.correspondents.is_empty()
}
