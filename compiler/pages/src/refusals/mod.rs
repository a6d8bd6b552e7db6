//! One page for every reason of `decide`, named by its word: what a refused person reads.
//!
//! Each says what happened, where the cause lies, what to do and whom to ask, for two readers: staff whose program
//! showed the refusal, and people elsewhere whose mail came back.

mod account;
mod connection;
mod content;
mod limits;
mod recipient;
mod sender;

use decide::Reason;

use crate::content::{Page, Section, Text, code, link, strong, text};
use crate::facts::Facts;
use crate::words::pick;
use crate::writer::{Head, Writer};

/// What a page of a reason says, French and English.
struct Refusal {
    title: (&'static str, &'static str),
    happened: (Text, Text),
    cause: Cause,
    todo: (Vec<Text>, Vec<Text>),
    ask: Ask,
}

/// Where the cause lies.
#[derive(Clone, Copy)]
enum Cause {
    /// The settings of the program that sent.
    Settings,
    /// What the sender wrote or did.
    Sender,
    /// A limit that protects everybody.
    Limit,
    /// The mailbox or address of the recipient.
    Recipient,
    /// The account of who sends or logs in.
    Account,
    /// Trouble of this service, which ends by itself.
    Service,
}

/// Whom to ask.
#[derive(Clone, Copy)]
enum Ask {
    /// Only people with an account meet this.
    Staff,
    /// People elsewhere meet it, too.
    Everybody,
}

/// The overview, then a page for each reason.
pub fn pages(facts: &Facts<'_>) -> Vec<Page> {
    let mut pages = vec![overview(facts)];
    pages.extend(Reason::ALL.into_iter().map(|reason| page(facts, reason)));
    pages
}

/// What the page of one reason says.
pub fn of(plan: &plan::Plan, language: plan::Language, reason: Reason) -> Page {
    page(&Facts { plan, language }, reason)
}

fn refusal(facts: &Facts<'_>, reason: Reason) -> Refusal {
    match reason {
        Reason::NoBlock => connection::no_block(facts),
        Reason::TooManyConnections => connection::too_many_connections(),
        Reason::Listed => connection::listed(),
        Reason::TlsRequired => connection::tls_required(),
        Reason::LoginRequired => connection::login_required(),
        Reason::NoLogin => connection::no_login(),
        Reason::LoginFailed => connection::login_failed(facts),
        Reason::TooManyFailedLogins => connection::too_many_failed_logins(facts),
        Reason::PasswordExpired => connection::password_expired(),
        Reason::SenderNotYours => sender::sender_not_yours(),
        Reason::EmptySender => sender::empty_sender(),
        Reason::NotAReport => sender::not_a_report(),
        Reason::MessageWindow => limits::message_window(facts),
        Reason::RecipientWindow => limits::recipient_window(facts),
        Reason::RecipientsInOneMessage => limits::recipients_in_one_message(facts),
        Reason::UnknownRecipientWindow => limits::unknown_recipient_window(),
        Reason::RelayDenied => recipient::relay_denied(),
        Reason::UnknownRecipient => recipient::unknown_recipient(),
        Reason::MalformedRecipient => recipient::malformed_recipient(),
        Reason::RecipientUnsure => recipient::recipient_unsure(),
        Reason::MailboxFull => recipient::mailbox_full(facts),
        Reason::PosesAsUs => sender::poses_as_us(facts),
        Reason::Spam => content::spam(facts),
        Reason::Blocked => sender::blocked(),
        Reason::TooLarge => content::too_large(facts),
        Reason::BadContent | Reason::Loop => content::bad_content(),
        Reason::Infected => content::infected(),
        Reason::Suspect => content::suspect(),
        Reason::ScannerDown => content::scanner_down(),
        Reason::StoreTrouble => content::store_trouble(),
        Reason::AccountState => account::account_state(),
        Reason::SendingLocked => account::sending_locked(),
        Reason::MailboxClosed => account::mailbox_closed(),
    }
}

fn page(facts: &Facts<'_>, reason: Reason) -> Page {
    let Refusal { title, happened, cause, todo, ask } = refusal(facts, reason);
    let mut writer = Writer::new(facts.language);
    writer.heading("Ce qu'il faut faire", "What to do");
    writer.list(todo.0, todo.1);
    writer.heading("D'où cela vient", "Where it comes from");
    let (french, english) = cause.words();
    writer.paragraph(text![french], text![english]);
    writer.heading("À qui demander", "Whom to ask");
    let staff = facts.say(facts.asking("Vous avez un compte ici ?"), facts.asking("You have an account here?"));
    let mut asks = vec![staff];
    match ask {
        Ask::Staff => {}
        Ask::Everybody => asks.push(facts.say(
            text![
                "Vous écrivez de l'extérieur ? Adressez-vous à ",
                facts.postmaster(),
                ", ou à l'assistance de votre propre messagerie."
            ],
            text!["You write from elsewhere? Ask ", facts.postmaster(), ", or the support of your own mail service."],
        )),
    }
    writer.items(asks);
    writer.paragraph(
        text!["Joignez à votre demande le texte complet du refus : ce qui est entre crochets à la fin dit exactement ce qui s'est passé. Le mot de ce refus est ", code(reason.word()), ". ", link("refusals", "Tous les refus"), "."],
        text!["Give the whole text of the refusal when you ask: what stands in brackets at its end says exactly what happened. The word of this refusal is ", code(reason.word()), ". ", link("refusals", "All refusals"), "."],
    );
    let head = Head { name: reason.word(), section: Section::Reason, title };
    writer.page(head, happened.0, happened.1)
}

impl Cause {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Cause::Settings => (
                "D'un réglage du logiciel ou de la machine qui envoie. Le message n'est pas en cause.",
                "From a setting of the program or machine that sends. The message is not at fault.",
            ),
            Cause::Sender => (
                "De l'envoi lui-même : il faut le corriger avant de recommencer.",
                "From what was sent: correct it before you send it again.",
            ),
            Cause::Limit => (
                "D'une limite qui protège tout le monde. Ni vous ni votre correspondant n'avez forcément commis d'erreur.",
                "From a limit that protects everybody. Neither you nor your correspondent need have made a mistake.",
            ),
            Cause::Recipient => (
                "De l'adresse ou de la boîte aux lettres du destinataire.",
                "From the address or the mailbox of the recipient.",
            ),
            Cause::Account => (
                "De l'état du compte : ses dates, ou une mesure prise par ceux qui s'occupent du courrier.",
                "From where the account stands: its dates, or a step taken by those who look after the mail.",
            ),
            Cause::Service => (
                "D'une difficulté passagère de notre service. Rien n'est à corriger de votre côté.",
                "From passing trouble in our service. There is nothing to correct on your side.",
            ),
        }
    }
}

fn overview(facts: &Facts<'_>) -> Page {
    let mut writer = Writer::new(facts.language);
    writer.heading("Lire un refus", "Reading a refusal");
    writer.paragraph(
        text![
            "Le refus commence par un nombre et finit par des crochets, par exemple ",
            code("550 5.1.1 no such mailbox here [unknown-recipient …]"),
            ". Le nombre dit si c'est définitif ; le mot entre crochets dit pourquoi."
        ],
        text![
            "A refusal begins with a number and ends with brackets, for example ",
            code("550 5.1.1 no such mailbox here [unknown-recipient …]"),
            ". The number says whether it is final; the word in brackets says why."
        ],
    );
    let row = |digit: &str, french: &str, english: &str| (text![digit], vec![facts.say(text![french], text![english])]);
    writer.grid(
        ("Le premier chiffre", "The first digit"),
        (["Chiffre", "Ce que cela veut dire"], ["Digit", "What it means"]),
        vec![
            row(
                "4",
                "Pas maintenant. Le message attend et sera présenté de nouveau, sans que vous ayez rien à faire.",
                "Not now. The message waits and is offered again; you need do nothing.",
            ),
            row("5", "Non. Le message ne partira pas tel quel.", "No. The message will not go as it is."),
        ],
    );
    reasons(facts, &mut writer);
    rules(facts, &mut writer);
    let head = Head {
        name: "refusals",
        section: Section::Refusals,
        title: ("Message refusé : que faire ?", "Message refused: what to do"),
    };
    writer.page(
        head,
        text!["Un message refusé revient avec une explication. Cherchez ici le mot qu'elle contient entre crochets."],
        text!["A refused message comes back with an explanation. Look up the word it has in brackets here."],
    )
}

fn reasons(facts: &Facts<'_>, writer: &mut Writer) {
    writer.heading("Le mot entre crochets", "The word in brackets");
    let rows = Reason::ALL.into_iter().map(|reason| {
        let title = refusal(facts, reason).title;
        (text![code(reason.word())], vec![text![link(reason.word(), pick(facts.language, title.0, title.1))]])
    });
    writer.grid(
        ("Chaque mot, et sa page", "Every word, and its page"),
        (["Mot", "Ce que cela veut dire"], ["Word", "What it means"]),
        rows.collect(),
    );
}

/// People who are logged in read the rule instead of the word.
fn rules(facts: &Facts<'_>, writer: &mut Writer) {
    writer.heading("Une règle au lieu d'un mot", "A rule instead of a word");
    writer.paragraph(
        text!["Si vous étiez identifié, les crochets contiennent le nom de la règle qui a refusé, avec des points. Cherchez-en la partie qui figure dans ce tableau ; ", strong("donnez toujours le texte entier"), " à qui vous aide."],
        text!["If you were logged in, the brackets hold the name of the rule that refused, with dots in it. Look for the part that is in this table; ", strong("always give the whole text"), " to whoever helps you."],
    );
    let rules = [
        ("recipients_in_one_message", Reason::RecipientsInOneMessage),
        ("recipients_attempted, recipients_accepted", Reason::RecipientWindow),
        ("messages_attempted, messages_accepted", Reason::MessageWindow),
        ("may_send. … .as", Reason::SenderNotYours),
        ("may_send. … .empty_sender", Reason::EmptySender),
        ("reception.KnownRecipient", Reason::UnknownRecipient),
        ("mailboxes.when_full", Reason::MailboxFull),
        ("mailboxes.message_size", Reason::TooLarge),
        ("accounts", Reason::AccountState),
        ("antivirus. … .infected", Reason::Infected),
        ("antivirus. … .suspect", Reason::Suspect),
    ];
    let rows = rules.into_iter().map(|(part, reason)| {
        let title = refusal(facts, reason).title;
        (text![code(part)], vec![text![link(reason.word(), pick(facts.language, title.0, title.1))]])
    });
    writer.grid(
        ("La partie qui compte", "The part that counts"),
        (["Règle", "Ce que cela veut dire"], ["Rule", "What it means"]),
        rows.collect(),
    );
}
