//! Unwanted mail (guide section 5): it is marked, not thrown away, and people help to teach the filter.

use plan::{Antispam, CorrectionsAccept, ElseTag, FilterMay, OwnDomains, SpamAction};

use crate::content::{Page, Section, Text, code, keys, link, mail, menu, strong, text};
use crate::facts::Facts;
use crate::writer::{Head, Writer};

pub fn page(facts: &Facts<'_>) -> Page {
    let mut writer = Writer::new(facts.language);
    match &facts.plan.antispam {
        Some(antispam) => {
            marked(facts, antispam, &mut writer);
            wrong(facts, antispam, &mut writer);
        }
        None => writer.paragraph(
            text!["Ce service n'a pas de filtre antispam central : vos messages arrivent tels quels. Utilisez le filtre de votre logiciel de messagerie."],
            text!["This service has no central spam filter: your messages arrive as they are. Use the filter of your mail program."],
        ),
    }
    let head = Head {
        name: "antispam",
        section: Section::Rules,
        title: ("Courrier indésirable (spam)", "Unwanted mail (spam)"),
    };
    let (french, english) = match facts.plan.antispam.as_ref().map(|antispam| antispam.always) {
        Some(SpamAction::Deliver) => (
            text![
                "Le courrier qui ressemble à de la publicité est marqué. Il vous est toujours remis : c'est vous qui décidez."
            ],
            text!["Mail that looks like advertising is marked. You always get it: the decision is yours."],
        ),
        Some(SpamAction::Refuse) => (
            text!["Le courrier qui ressemble à de la publicité est refusé à l'arrivée."],
            text!["Mail that looks like advertising is refused on arrival."],
        ),
        None => (
            text!["Ce service ne trie pas le courrier indésirable."],
            text!["This service does not sort unwanted mail."],
        ),
    };
    writer.page(head, french, english)
}

fn marked(facts: &Facts<'_>, antispam: &Antispam, writer: &mut Writer) {
    let tag = antispam.tag.subject.as_str();
    writer.heading("Comment un message est jugé", "How a message is judged");
    writer.paragraph(
        text!["Chaque message reçoit une note. On regarde sa forme : en-têtes tronqués ou faussés, liens à cliquer, mise en page trompeuse. On le compare aussi à des messages déjà connus comme indésirables."],
        text!["Every message gets a score. Its form is looked at: cut or forged headers, links to click, deceptive layout. It is also compared with messages known to be unwanted."],
    );
    match antispam.always {
        SpamAction::Deliver if tag.is_empty() => writer.paragraph(
            text!["Si la note est mauvaise, un champ d'en-tête du message le dit ; votre logiciel peut le lire. Rien d'autre n'est changé. ", strong("Dans tous les cas, le message est délivré.")],
            text!["If the score is bad, a header field of the message says so; your mail program can read it. Nothing else is changed. ", strong("In every case the message is delivered.")],
        ),
        SpamAction::Deliver => {
            writer.paragraph(
                text!["Si la note est mauvaise, l'objet du message est précédé de ", code(tag), ". Rien d'autre n'est changé : pas de suppression, pas d'effacement, aucune modification du contenu. ", strong("Dans tous les cas, le message est délivré.")],
                text!["If the score is bad, ", code(tag), " is put before the subject. Nothing else is changed: no deletion, no change to the content. ", strong("In every case the message is delivered.")],
            );
        }
        SpamAction::Refuse => writer.paragraph(
            text![
                "Si la note est mauvaise, le message est refusé et son expéditeur en est averti par son propre service."
            ],
            text!["If the score is bad, the message is refused and its sender is told by the sender's own service."],
        ),
    }
    writer.note(
        text![
            "Aucun filtre n'est sûr à 100 %. Un message valable peut être marqué : ",
            strong("parcourez le dossier des indésirables avant de le vider.")
        ],
        text![
            "No filter is always right. A good message may be marked: ",
            strong("look through the junk folder before you empty it.")
        ],
    );
    if let OwnDomains::RequireAligned { else_: ElseTag::Tag } = facts.plan.authenticate.own_domains_from_outside {
        writer.paragraph(
            text!["Un message venu d'ailleurs sous une de nos adresses, sans que rien prouve qu'il est de nous, est marqué de la même façon."],
            text!["Mail from elsewhere under an address of ours, with nothing to prove that it is ours, is marked the same way."],
        );
    }
    tagged(facts, antispam, tag, writer);
}

/// What is tagged beside what is refused, and what people may do with the tag.
fn tagged(facts: &Facts<'_>, antispam: &Antispam, tag: &str, writer: &mut Writer) {
    let files = facts.plan.filters.may.contains(&FilterMay::FileInto);
    let between = antispam.refuse_below_thousandths.is_some_and(|refused| refused < antispam.tag_below_thousandths);
    if between && !tag.is_empty() {
        writer.paragraph(
            text![
                "Si la note est douteuse sans être si mauvaise, le message est délivré et son objet est précédé de ",
                code(tag),
                "."
            ],
            text![
                "If the score is doubtful but not that bad, the message is delivered and ",
                code(tag),
                " is put before its subject."
            ],
        );
    }
    if files && !tag.is_empty() && antispam.always == SpamAction::Deliver {
        writer.paragraph(
            text![
                "Pour ne plus les voir dans votre boîte de réception, créez un filtre : « si l'objet contient ",
                code(tag),
                ", déplacer dans le dossier Indésirables »."
            ],
            text![
                "To keep them out of your inbox, create a filter: “if the subject contains ",
                code(tag),
                ", move to the folder Junk”."
            ],
        );
    }
}

fn wrong(facts: &Facts<'_>, antispam: &Antispam, writer: &mut Writer) {
    writer.heading("Quand le filtre se trompe", "When the filter is wrong");
    let Some(corrections) = &antispam.corrections else {
        writer.paragraph(
            facts.asking("Un message est marqué à tort, ou ne l'est pas alors qu'il devrait l'être ?"),
            facts.asking("A message is marked by mistake, or should have been and is not?"),
        );
        return;
    };
    let address = || mail(corrections.to.to_string());
    match corrections.accepts {
        CorrectionsAccept::OriginalAsAttachment => {
            writer.paragraph(
                text![
                    "Si un message est marqué à tort, ou ne l'est pas alors qu'il devrait l'être, faites-le suivre ",
                    strong("en pièce jointe"),
                    " à ",
                    address(),
                    ". Les gestionnaires de la messagerie sont seuls à corriger le filtre."
                ],
                text![
                    "If a message is marked by mistake, or should have been and is not, forward it ",
                    strong("as an attachment"),
                    " to ",
                    address(),
                    ". Only the managers of the mail service correct the filter."
                ],
            );
            writer.paragraph(
                text!["Le message d'origine ne doit pas être altéré : le transfert ordinaire, qui le recopie, ne sert à rien ici."],
                text!["The original must not be altered: ordinary forwarding, which copies it, is of no use here."],
            );
            attach(facts, writer);
        }
        CorrectionsAccept::AnyForward => writer.paragraph(
            text![
                "Si un message est marqué à tort, ou ne l'est pas alors qu'il devrait l'être, transférez-le à ",
                address(),
                ", de préférence en pièce jointe."
            ],
            text![
                "If a message is marked by mistake, or should have been and is not, forward it to ",
                address(),
                ", as an attachment if you can."
            ],
        ),
    }
}

/// How each mail program forwards a message whole.
fn attach(facts: &Facts<'_>, writer: &mut Writer) {
    writer.heading("Faire suivre en pièce jointe", "Forwarding as an attachment");
    let mut rows = programs(facts);
    rows.extend(others(facts));
    writer.grid(
        ("Le geste à faire dans chaque logiciel", "What to do in each program"),
        (["Logiciel", "Comment faire"], ["Program", "What to do"]),
        rows,
    );
    writer.paragraph(
        text!["Les réglages de ces logiciels sont à la page ", link("servers", "serveurs et ports"), "."],
        text!["The settings of these programs are on the page ", link("servers", "servers and ports"), "."],
    );
}

/// A program's name, and what to do in it.
type Doing = (Text, Vec<Text>);

fn programs(facts: &Facts<'_>) -> Vec<Doing> {
    let mut rows: Vec<Doing> = Vec::new();
    let mut row = |name: (&str, &str), french: Text, english: Text| {
        rows.push((text![facts.say(name.0, name.1)], vec![facts.say(french, english)]));
    };
    row(
        ("Thunderbird", "Thunderbird"),
        text!["Sélectionnez le message, puis ", menu(["Message", "Transférer en tant que", "Pièce jointe"]), "."],
        text!["Select the message, then ", menu(["Message", "Forward As", "Attachment"]), "."],
    );
    row(
        ("Outlook (classique)", "Outlook (classic)"),
        text![
            "Sélectionnez le message, puis ",
            menu(["Accueil", "Répondre", "Plus", "Transférer en tant que pièce jointe"]),
            " ; ou ",
            keys(["Ctrl", "Alt", "F"]),
            "."
        ],
        text![
            "Select the message, then ",
            menu(["Home", "Respond", "More", "Forward as Attachment"]),
            "; or ",
            keys(["Ctrl", "Alt", "F"]),
            "."
        ],
    );
    row(
        ("Nouvel Outlook", "New Outlook"),
        text![
            "Commencez un nouveau message et faites-y glisser, depuis la liste, le message à signaler : il devient une pièce jointe."
        ],
        text!["Start a new message and drag the message to report into it from the list: it becomes an attachment."],
    );
    row(
        ("Apple Mail", "Apple Mail"),
        text![
            "Sélectionnez le message ; dans le menu ",
            menu(["Message"]),
            ", choisissez la commande qui le réexpédie en pièce jointe."
        ],
        text!["Select the message, then ", menu(["Message", "Forward as Attachment"]), "."],
    );
    row(
        ("K-9 Mail, Thunderbird pour Android", "K-9 Mail, Thunderbird for Android"),
        text!["Ouvrez le message, puis le menu ", menu(["⋮"]), " et le transfert en pièce jointe."],
        text!["Open the message, then the menu ", menu(["⋮"]), " and forward it as an attachment."],
    );
    rows
}

fn others(facts: &Facts<'_>) -> Vec<Doing> {
    let mut rows: Vec<Doing> = Vec::new();
    let mut row = |name: (&str, &str), french: Text, english: Text| {
        rows.push((text![facts.say(name.0, name.1)], vec![facts.say(french, english)]));
    };
    if facts.webmail().is_some() {
        row(
            ("Webmail", "Webmail"),
            text![
                "Ouvrez le message ; dans le menu à côté de ",
                menu(["Transférer"]),
                ", choisissez le transfert en pièce jointe."
            ],
            text![
                "Open the message; in the menu beside ",
                menu(["Forward"]),
                " choose to forward it as an attachment."
            ],
        );
    }
    row(
        ("Un autre logiciel", "Another program"),
        text![
            "Enregistrez le message sur votre disque (fichier ",
            code(".eml"),
            "), puis joignez ce fichier à un nouveau message."
        ],
        text!["Save the message to your disk (a file ", code(".eml"), "), then attach that file to a new message."],
    );
    rows
}
