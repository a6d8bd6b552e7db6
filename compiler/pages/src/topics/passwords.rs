//! Passwords (guide section 4): choosing, changing, losing, mistyping.

use plan::{AtExpiry, InitialPassword, PasswordQuality, WhenOver, Window};

use crate::access::place;
use crate::content::{Page, Section, Span, Text, code, link, strong, text};
use crate::facts::Facts;
use crate::writer::{Head, Writer};

pub fn page(facts: &Facts<'_>) -> Page {
    let mut writer = Writer::new(facts.language);
    yours(facts, &mut writer);
    change(facts, &mut writer);
    wrong(facts, &mut writer);
    stolen(facts, &mut writer);
    let head = Head {
        name: "passwords",
        section: Section::Settings,
        title: ("Identifiant et mot de passe", "Login and password"),
    };
    writer.page(
        head,
        text!["Le même identifiant et le même mot de passe servent à lire et à envoyer."],
        text!["The same login and the same password serve to read and to send."],
    )
}

fn yours(facts: &Facts<'_>, writer: &mut Writer) {
    let rules = &facts.plan.identity.password;
    let person = facts.person();
    writer.heading("Vos identifiants", "Your login");
    let given = match rules.initial {
        InitialPassword::HandedOverInWriting => facts.say("vous sont remis par écrit", "are handed to you in writing"),
        InitialPassword::SentToOldAddress => {
            facts.say("vous sont envoyés à votre ancienne adresse", "are sent to your former address")
        }
    };
    let mut french = vec![text![
        "Votre identifiant (login) et votre premier mot de passe ",
        given,
        ". Pour ",
        person.name.clone(),
        ", par exemple, l'identifiant est ",
        code(&*person.login),
        "."
    ]];
    let mut english = vec![text![
        "Your login and your first password ",
        given,
        ". For ",
        person.name,
        ", for example, the login is ",
        code(&*person.login),
        "."
    ]];
    if rules.case_sensitive {
        french.push(text!["Les MAJUSCULES et les minuscules comptent."]);
        english.push(text!["CAPITALS and small letters are told apart."]);
    }
    if rules.quality == PasswordQuality::HardToGuess {
        french.push(text!["Un mot de passe trop facile à deviner est refusé par le serveur."]);
        english.push(text!["A password that is too easy to guess is refused by the server."]);
    }
    french.push(text![
        strong("Ne le communiquez à personne."),
        " Aucun informaticien ne vous le demandera, ni par courrier ni par téléphone."
    ]);
    english.push(text![strong("Tell it to nobody."), " No IT staff will ever ask for it, by mail or by telephone."]);
    writer.list(french, english);
}

fn change(facts: &Facts<'_>, writer: &mut Writer) {
    let rules = &facts.plan.identity.password;
    writer.heading("Changer de mot de passe", "Changing your password");
    match rules.renew_every_months {
        0 => writer.paragraph(
            text!["Un mot de passe n'expire pas. Changez-le dès que vous avez un doute."],
            text!["A password does not expire. Change it as soon as you have a doubt."],
        ),
        1 => writer.paragraph(
            text!["Le mot de passe doit être changé ", strong("tous les mois"), "."],
            text!["The password must be changed ", strong("every month"), "."],
        ),
        months => writer.paragraph(
            text!["Le mot de passe doit être changé ", strong(format!("tous les {months} mois")), "."],
            text!["The password must be changed ", strong(format!("every {months} months")), "."],
        ),
    }
    if rules.renew_every_months > 0 {
        let (french, english) = match rules.at_expiry {
            AtExpiry::ReadOnlyImap => (
                "Passé ce délai, vous pouvez encore lire votre courrier, mais plus en envoyer, jusqu'à ce qu'il soit changé.",
                "After that you can still read your mail but not send any, until it is changed.",
            ),
            AtExpiry::Refuse => (
                "Passé ce délai, vous ne pouvez plus ni lire ni envoyer, jusqu'à ce qu'il soit changé.",
                "After that you can neither read nor send, until it is changed.",
            ),
            AtExpiry::WarnOnly => {
                ("Passé ce délai, un avertissement vous le rappelle.", "After that a warning reminds you.")
            }
        };
        writer.paragraph(text![french], text![english]);
    }
    match facts.password_page() {
        Some(page) => {
            let place = place(facts.plan, &rules.change_from).words(facts.language);
            writer.paragraph(
                text!["La page pour le faire : ", Span::Web(page.to_owned()), format!(", utilisable {place}.")],
                text!["The page to do so: ", Span::Web(page.to_owned()), format!(", which works {place}.")],
            );
        }
        None => writer.paragraph(facts.asking("Vous voulez le changer ?"), facts.asking("Do you want to change it?")),
    }
    writer.paragraph(
        text![
            "Après un changement, mettez à jour ",
            strong("tous"),
            " vos appareils : ordinateur, téléphone, tablette."
        ],
        text!["After a change bring ", strong("all"), " your devices up to date: computer, telephone, tablet."],
    );
    writer.heading("Mot de passe oublié", "Forgotten password");
    writer.paragraph(
        text![
            "Un nouveau mot de passe est donné par ",
            facts.resetter(),
            ". Il ne peut pas être retrouvé, seulement remplacé."
        ],
        text!["A new password is given by ", facts.resetter(), ". It cannot be found again, only replaced."],
    );
}

fn wrong(facts: &Facts<'_>, writer: &mut Writer) {
    let rules = &facts.plan.logins;
    let rows = |french: &str, english: &str, windows: &[Window]| -> Vec<(Text, Vec<Text>)> {
        windows.iter().map(|window| (text![facts.say(french, english)], vec![text![facts.window(*window)]])).collect()
    };
    let mut all = rows(
        "Pour un compte, depuis un même réseau",
        "For one account, from one network",
        rules.each_account_and_network.list(),
    );
    all.extend(rows(
        "Pour une même adresse sur le réseau",
        "For one network address",
        rules.each_client_address.list(),
    ));
    if all.is_empty() {
        return;
    }
    writer.heading("Trop d'erreurs de mot de passe", "Too many wrong passwords");
    writer.paragraph(
        text!["Pour qu'un mot de passe ne puisse pas être deviné, le nombre d'erreurs est limité :"],
        text!["So that passwords cannot be guessed, the number of failures is limited:"],
    );
    writer.grid(
        ("Erreurs de mot de passe permises", "Failures that are allowed"),
        (["Comptées", "Au plus"], ["Counted", "At most"]),
        all,
    );
    let (french, english) = match rules.when_over {
        WhenOver::TryLater => (
            "Au-delà, même le bon mot de passe est refusé, pour un temps.",
            "Beyond that even the right password is refused, for a while.",
        ),
        WhenOver::Refuse => (
            "Au-delà, même le bon mot de passe est refusé jusqu'à la fin de la durée.",
            "Beyond that even the right password is refused until the span is over.",
        ),
    };
    writer.list(
        vec![
            text![french, " Voyez ", link("too-many-failed-logins", "ce qu'il faut faire"), "."],
            text!["Un même mot de passe erroné, répété, ne compte qu'une fois : un ancien mot de passe resté dans un téléphone ne vous bloque pas."],
            text!["Les erreurs sont comptées réseau par réseau : quelqu'un qui essaie de loin ne peut pas vous bloquer sur place."],
        ],
        vec![
            text![english, " See ", link("too-many-failed-logins", "what to do"), "."],
            text!["The same wrong password, repeated, counts once: an old password left in a telephone does not block you."],
            text!["Failures are counted network by network: somebody trying from afar cannot block you on the spot."],
        ],
    );
}

fn stolen(facts: &Facts<'_>, writer: &mut Writer) {
    writer.heading("Si vous pensez qu'on vous l'a pris", "If you think it was stolen");
    writer.steps(
        vec![
            text!["Changez-le tout de suite."],
            text!["Prévenez ", facts.resetter(), "."],
            text!["Regardez vos filtres et vos messages envoyés : un voleur y laisse souvent des traces."],
        ],
        vec![
            text!["Change it at once."],
            text!["Tell ", facts.resetter(), "."],
            text!["Look at your filters and sent messages: a thief often leaves traces there."],
        ],
    );
}
