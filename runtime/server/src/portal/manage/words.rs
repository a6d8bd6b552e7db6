//! What correspondents and managers read.

use plan::Language;

use super::super::Words;

pub const MANAGE: Words = Words("Gestion", "Management");
pub const PEOPLE: Words = Words("Personnes", "People");
pub const PERSON: Words = Words("Une personne", "A person");
pub const REDIRECTS: Words = Words("Redirections demandées", "Redirects asked for");
pub const COMPROMISE: Words = Words("Comptes suspects", "Accounts that look stolen");
pub const QUARANTINE: Words = Words("Quarantaine", "Quarantine");
pub const TEACHING: Words = Words("Signalements de spam", "Spam reports");
pub const RECALL: Words = Words("Rappel d’un message", "Recall of a message");
pub const BLOCKS: Words = Words("Blocages", "Blocks");
pub const DECISION: Words = Words("Pourquoi ce refus ?", "Why was this refused?");
pub const AUDIT: Words = Words("Journal des actes", "Audit");

pub const NAME: Words = Words("Nom", "Name");
pub const LOGIN: Words = Words("Identifiant", "Login");
pub const ADDRESS: Words = Words("Adresse", "Address");
pub const UNIT: Words = Words("Composante", "Unit");
pub const PROFILE: Words = Words("Profil", "Profile");
pub const STATE: Words = Words("État", "State");
pub const THEN: Words = Words("puis {} le {}", "then {} on {}");
pub const LAST_DAY: Words = Words("Dernier jour", "Last day");
pub const ROOM: Words = Words("Espace", "Room");
pub const USED_OF: Words = Words("{} utilisés sur {}", "{} used of {}");
pub const GRANTED: Words = Words("Espace accordé", "Room granted");
pub const IS_CONTAINED: Words = Words("Compte confiné", "Account contained");
pub const IS_LOCKED: Words = Words("Envoi bloqué", "Sending locked");
pub const IS_HELD: Words = Words("Envois retenus", "Outgoing mail held");
pub const HELD_MESSAGES: Words = Words("Messages retenus", "Messages held");
pub const ONLY_UNIT: Words =
    Words("Vous voyez les personnes de vos composantes : {}.", "You see the people of your units: {}.");
pub const SEARCH: Words = Words("Chercher", "Search");
pub const SEARCH_LABEL: Words = Words("Nom, identifiant ou adresse", "Name, login or address");
pub const NOBODY: Words = Words("Personne ne correspond.", "Nobody matches.");
pub const NEXT_PAGE: Words = Words("Page suivante", "Next page");
pub const OLDER: Words = Words("Plus anciens", "Older");
pub const BACK: Words = Words("Retour", "Back");
pub const BECAUSE: Words = Words("Motif", "Reason");
pub const BY: Words = Words("Par", "By");
pub const WHO: Words = Words("Qui", "Who");
pub const WHAT: Words = Words("Quoi", "What");
pub const WHEN: Words = Words("Quand", "When");
pub const UNTIL: Words = Words("Jusqu’à", "Until");
pub const FOR: Words = Words("Pour", "For");
pub const TO: Words = Words("Vers", "To");
pub const ID: Words = Words("Numéro", "Number");
pub const ABOUT: Words = Words("Au sujet de", "About");
pub const NOTHING_FOUND: Words = Words("Rien n’a été trouvé.", "Nothing was found.");
pub const NOTHING_WAITS: Words = Words("Rien n’attend.", "Nothing waits.");

pub const ACCESSES: Words = Words("Dernières connexions", "Last logins");
pub const NEVER: Words = Words("Aucune connexion connue.", "No login is known.");
pub const LAST: Words = Words("Dernière fois", "Last time");
pub const PROTOCOL: Words = Words("Protocole", "Protocol");
pub const NETWORK: Words = Words("Réseau", "Network");
pub const FROM_WHERE: Words = Words("Depuis", "From");
pub const PROGRAM: Words = Words("Logiciel", "Program");
pub const TIMES: Words = Words("Fois", "Times");

pub const LETTER: Words = Words("Nouveau mot de passe sur une lettre", "New password on a letter");
pub const LETTER_HINT: Words = Words(
    "Un mot de passe provisoire est tiré au sort et l’ancien ne sert plus. Remettez la lettre en main propre.",
    "A first password is drawn and the old one opens nothing any more. Hand the letter over in person.",
);
pub const LETTER_DO: Words = Words("Préparer la lettre", "Prepare the letter");
pub const LETTER_ONCE: Words = Words(
    "Imprimez cette page maintenant : le mot de passe n’est montré qu’une fois.",
    "Print this page now: the password is shown only once.",
);
pub const UNLOCK: Words = Words("Débloquer la connexion", "Unlock logging in");
pub const UNLOCK_HINT: Words = Words(
    "Après trop de mots de passe faux : les échecs sont oubliés.",
    "After too many wrong passwords: the failures are forgotten.",
);
pub const UNLOCK_DO: Words = Words("Débloquer", "Unlock");
pub const UNLOCKED: Words = Words("Les échecs de connexion sont oubliés.", "Failed logins are forgotten.");
pub const MORE_ROOM: Words = Words("Accorder plus d’espace", "Grant more room");
pub const GIGABYTES: Words = Words("Espace en tout, en Go", "Room in all, in GB");
pub const GRANT: Words = Words("Accorder", "Grant");
pub const END_ROOM: Words = Words("Retirer l’espace accordé", "Take the granted room back");
pub const ROOM_GIVEN: Words = Words("L’espace est accordé.", "The room is granted.");
pub const ROOM_ENDED: Words = Words("L’espace accordé est retiré.", "The granted room is taken back.");
pub const CONTAIN: Words = Words("Confiner un compte volé", "Contain a stolen account");
pub const CONTAIN_HINT: Words = Words(
    "Plus aucune connexion ne réussit, rien ne part, les redirections s’arrêtent. Le courrier continue d’arriver.",
    "No login succeeds any more, nothing goes out, redirects stop. Mail keeps coming in.",
);
pub const CONTAIN_DO: Words = Words("Confiner", "Contain");
pub const CONTAINED: Words = Words(
    "Le compte est confiné. Sessions fermées : {} ; messages retenus : {}.",
    "The account is contained. Sessions ended: {}; messages held: {}.",
);
pub const SENT: Words = Words("Envoyé depuis 72 heures", "Sent within 72 hours");
pub const NOTHING_SENT: Words = Words("Rien n’a été envoyé.", "Nothing was sent.");
pub const UNDO: Words = Words("Lever le confinement", "Undo the containment");
pub const UNDO_HINT: Words = Words(
    "L’ancien mot de passe ne sert plus : préparez ensuite une lettre.",
    "The old password opens nothing: prepare a letter afterwards.",
);
pub const UNDO_DO: Words = Words("Lever", "Undo");
pub const UNDONE: Words = Words("Le confinement est levé.", "The containment is undone.");

pub const HOME_INSTITUTION: Words = Words("Établissement d’origine (domaine)", "Home institution (domain)");
pub const OWN_CASE: Words =
    Words("C’est votre demande : quelqu’un d’autre décide.", "This is your request: somebody else decides.");
pub const APPROVE: Words = Words("Accepter", "Approve");
pub const REFUSE: Words = Words("Refuser", "Refuse");
pub const APPROVED: Words =
    Words("La redirection est acceptée ; la personne est prévenue.", "The redirect is approved; the person is told.");
pub const REFUSED: Words =
    Words("La demande est refusée ; la personne est prévenue.", "The request is refused; the person is told.");

pub const IN_ALL: Words = Words("Messages : {}, soit {} en tout.", "Messages: {}, {} in all.");
pub const IN_QUARANTINE: Words = Words("Un message en quarantaine", "A message in quarantine");
pub const SUBJECT: Words = Words("Objet", "Subject");
pub const SENDER: Words = Words("Expéditeur", "Sender");
pub const FOUND: Words = Words("Trouvé", "Found");
pub const HEADER: Words = Words("En-tête", "Header");
pub const TEXT: Words = Words("Texte", "Text");
pub const SAFE_TEXT: Words = Words(
    "Le texte est montré tel quel : rien n’est ouvert ni chargé.",
    "The text is shown as it is: nothing is opened or loaded.",
);
pub const PARTS: Words = Words("Parties", "Parts");
pub const KIND: Words = Words("Type", "Kind");
pub const FILE: Words = Words("Fichier", "File");
pub const SIZE: Words = Words("Taille", "Size");
pub const LINKS: Words = Words("Liens", "Links");
pub const RELEASE: Words = Words("Remettre aux destinataires", "Release to its recipients");
pub const RELEASE_HINT: Words =
    Words("Le message est livré comme il est venu.", "The message is delivered as it came.");
pub const RESCAN: Words =
    Words("Seulement si les antivirus le laissent passer maintenant", "Only if the engines let it pass now");
pub const RELEASED: Words = Words(
    "Remis. Boîtes ici : {} ; destinataires ailleurs : {}.",
    "Released. Mailboxes here: {}; recipients elsewhere: {}.",
);
pub const PURGE: Words = Words("Supprimer pour toujours", "Delete for ever");
pub const PURGED: Words = Words("Le message est supprimé.", "The message is deleted.");

pub const PROPOSED: Words = Words("Proposé", "Proposed");
pub const RECEIVED: Words = Words("Reçus ici", "Received here");
pub const SPAM: Words = Words("spam", "spam");
pub const HAM: Words = Words("légitime", "legitimate");
pub const DISPUTED: Words = Words("avis contraires", "disputed");
pub const CASE: Words = Words("Un cas", "A case");
pub const INTEGRITY: Words = Words("Intégrité", "Integrity");
pub const REASONS: Words = Words("Raisons du score", "Reasons of the score");
pub const LEARN_SPAM: Words = Words("Apprendre comme spam", "Learn as spam");
pub const LEARN_HAM: Words = Words("Apprendre comme légitime", "Learn as legitimate");
pub const CLOSE_CASE: Words = Words("Clore sans apprendre", "Close without learning");
pub const DECIDED: Words =
    Words("Messages appris : {} ; signalements clos : {}.", "Messages learned: {}; reports closed: {}.");

pub const FIND: Words = Words("Chercher un message livré", "Find a delivered message");
pub const FIND_HINT: Words = Words("Tout ce qui est donné doit correspondre.", "All that is given has to match.");
pub const RECALLS: Words = Words("Rappels", "Recalls");
pub const URL_HOST: Words = Words("Hôte d’un lien", "Host of a link");
pub const ATTACHMENT: Words = Words("Pièce jointe (SHA-256)", "Attachment (SHA-256)");
pub const COPIES: Words = Words(
    "Exemplaires : {} ; personnes : {} ; lus : {} ; partis ailleurs : {}.",
    "Copies: {}; people: {}; read: {}; gone elsewhere: {}.",
);
pub const WHO_HAS: Words = Words("Qui l’a", "Who has it");
pub const MAILBOX: Words = Words("Dossier", "Mailbox");
pub const READ: Words = Words("lu", "read");
pub const ANSWERED: Words = Words("répondu", "answered");
pub const FORWARDED: Words = Words("transféré", "forwarded");
pub const TAKE: Words = Words("Retirer de toutes les boîtes", "Take out of all mailboxes");
pub const TAKE_HINT: Words = Words(
    "Au-delà du nombre de comptes que dit la politique, un second gestionnaire doit accepter.",
    "Above the number of accounts the policy says, a second manager has to agree.",
);
pub const SECOND_MANAGER: Words =
    Words("Ce rappel attend l’accord d’un second gestionnaire.", "This recall waits for a second manager.");
pub const WAITS_SECOND: Words =
    Words("Le rappel attend un second gestionnaire.", "The recall waits for a second manager.");
pub const TAKEN: Words = Words("Exemplaires retirés : {} ; personnes : {}.", "Copies taken: {}; people: {}.");
pub const PUT_BACK: Words = Words("Remettre en place", "Put back");
pub const IS_BACK: Words = Words("Exemplaires remis en place : {}.", "Copies put back: {}.");

pub const DOMAIN: Words = Words("Domaine", "Domain");
pub const CLIENT: Words = Words("Adresse IP ou réseau", "IP address or network");
pub const REPLY_TO: Words = Words("Adresse de réponse", "Reply address");
pub const DAYS: Words = Words("Nombre de jours", "Number of days");
pub const NO_BLOCKS: Words = Words("Rien n’est bloqué.", "Nothing is blocked.");
pub const ADD_BLOCK: Words = Words("Bloquer", "Block");
pub const BLOCKED: Words = Words("C’est bloqué.", "It is blocked.");
pub const REMOVE: Words = Words("Retirer", "Remove");
pub const REMOVE_WHAT: Words = Words("Retirer {}", "Remove {}");
pub const UNBLOCKED: Words = Words("Ce n’est plus bloqué.", "It is no longer blocked.");

pub const NO_CASES: Words = Words("Aucun compte suspect.", "No account looks stolen.");
pub const SIGN: Words = Words("Indice", "Sign");
pub const QUEUE_ID: Words = Words("Numéro dans la file", "Queue id");
pub const LIFT: Words = Words("Lever", "Lift");
pub const LIFT_HINT: Words = Words(
    "Le courrier retenu repart, sauf si vous choisissez de le supprimer.",
    "Held mail goes on, unless you choose to discard it.",
);
pub const DISCARD: Words = Words("Supprimer le courrier retenu", "Discard the held mail");
pub const LIFTED: Words = Words("Le cas est levé.", "The case is lifted.");

pub const REPLY: Words = Words("Réponse du serveur", "Reply of the server");
pub const REPLY_HINT: Words = Words(
    "Collez le texte complet, avec ce qui est entre crochets à la fin.",
    "Paste the whole text, with what stands in brackets at its end.",
);
pub const DAY: Words = Words("Jour", "Day");
pub const MESSAGE: Words = Words("Message-ID ou numéro dans la file", "Message-ID or queue id");
pub const LOOK_UP: Words = Words("Expliquer", "Explain");
pub const MEANS: Words = Words("Ce que cela veut dire", "What it means");
pub const NO_REPLY: Words = Words(
    "Ce texte n’a pas de crochets à la fin : ce n’est pas une réponse complète de ce serveur.",
    "This text has no brackets at its end: it is no whole reply of this server.",
);
pub const BY_RULE: Words = Words("Décidé par la règle {}.", "Decided by the rule {}.");
pub const OTHER_PLAN: Words = Words(
    "Décidé sous une autre politique ({}) que celle d’aujourd’hui ({}).",
    "Decided under another policy ({}) than today’s ({}).",
);
pub const STORY: Words = Words("Histoire du message", "Story of the message");
pub const RULE: Words = Words("Règle", "Rule");
pub const DECISIONS: Words = Words("Décisions", "Decisions");
pub const RECIPIENTS: Words = Words("Destinataires", "Recipients");

/// A state of an account, as operations name it; what is none stays as it is.
pub fn state(language: Language, word: &str) -> &str {
    let words = match word {
        "arriving" => Words("à venir", "arriving"),
        "active" => Words("actif", "active"),
        "grace" => Words("en sursis", "grace"),
        "receive-only" => Words("réception seule", "receive-only"),
        "auto-reply" => Words("réponse automatique", "auto-reply"),
        "suspended" => Words("suspendu", "suspended"),
        "held" => Words("gelé", "held"),
        "closed" => Words("fermé", "closed"),
        "erased" => Words("effacé", "erased"),
        _ => return word,
    };
    words.in_language(language)
}

/// Is what was reported what was delivered? In words of an operation.
pub fn integrity(language: Language, words: &str) -> String {
    match (words, words.strip_prefix("altered: ")) {
        ("intact", _) => Words("intact", "intact").in_language(language).to_owned(),
        ("unknown here", _) => Words("inconnu ici", "unknown here").in_language(language).to_owned(),
        (_, Some(how)) => Words("modifié : {}", "altered: {}").with(language, &[&how]),
        (words, None) => words.to_owned(),
    }
}
