//! Words of the pages about a mailbox and who uses it.

use plan::{GrantNeeds, Language, Plan, RedirectOtherwise};

use super::Words;
use crate::redirects;

pub(crate) const HELLO: Words = Words("Bonjour {} {}.", "Hello {} {}.");
pub(crate) const TO_KNOW: Words = Words("À savoir", "What you should know");
pub(crate) const MY_MAILBOX: Words = Words("Ma boîte", "My mailbox");
pub(crate) const TASKS: Words = Words("Que voulez-vous faire ?", "What would you like to do?");
pub(crate) const UNIT: Words = Words("Composante", "Unit");
pub(crate) const PASSWORD_ENDS: Words = Words("Votre mot de passe expire le {}.", "Your password ends on {}.");
pub(crate) const SENDING_LOCKED: Words = Words(
    "L’envoi de messages depuis votre compte est bloqué. Ce que vous recevez arrive toujours. Adressez-vous à la messagerie.",
    "Sending from your account is locked. You still receive mail. Ask the people who run the mail service.",
);
pub(crate) const OUTGOING_HELD: Words = Words(
    "Les messages que vous envoyez attendent une vérification : votre compte a paru utilisé par quelqu’un d’autre. Rien n’est perdu.",
    "What you send waits for a check: your account seemed to be used by somebody else. Nothing is lost.",
);
pub(crate) const LOCK_UNTIL: Words = Words("Au plus tard jusqu’au {}.", "Until {} at the latest.");

pub(crate) const STORAGE: Words = Words("Espace et archives", "Space and archives");
pub(crate) const USED: Words = Words("{} utilisés sur {} ({} %)", "{} used of {} ({} %)");
pub(crate) const USED_NO_QUOTA: Words =
    Words("{} utilisés ; votre boîte n’a pas de limite.", "{} used; your mailbox has no limit.");
pub(crate) const QUOTA_NEAR: Words = Words(
    "Votre boîte est presque pleine. Videz la corbeille et les gros messages, ou téléchargez les anciens puis supprimez-les.",
    "Your mailbox is almost full. Empty the trash and large messages, or download old ones and then delete them.",
);
pub(crate) const STORAGE_WHAT: Words = Words(
    "Les messages de plus de trois mois peuvent être téléchargés, puis supprimés dans votre logiciel de courrier.",
    "Messages older than three months can be downloaded, then deleted in your mail program.",
);
pub(crate) const FOLDERS: Words = Words("Vos dossiers", "Your folders");
pub(crate) const FOLDER: Words = Words("Dossier", "Folder");
pub(crate) const MESSAGES: Words = Words("Messages", "Messages");
pub(crate) const SIZE: Words = Words("Taille", "Size");
pub(crate) const OLD: Words = Words("Plus de trois mois", "Older than three months");
pub(crate) const OLD_OF: Words = Words("{} ({})", "{} ({})");
pub(crate) const ARCHIVE: Words = Words("Télécharger", "Download");
pub(crate) const ALL_OF_IT: Words = Words("Tout", "All");
pub(crate) const OLD_ONES: Words = Words("Anciens", "Old ones");
pub(crate) const ARCHIVE_WHAT: Words = Words(
    "L’archive est un fichier mbox, que Thunderbird, Apple Mail et d’autres logiciels savent ouvrir. Elle contient vos messages en clair : gardez-la en lieu sûr.",
    "The archive is an mbox file, which Thunderbird, Apple Mail and other programs can open. It holds your messages as they are: keep it in a safe place.",
);

pub(crate) const ACTIVITY: Words = Words("Connexions", "Sign-ins");
pub(crate) const ACTIVITY_WHAT: Words = Words(
    "Si vous ne reconnaissez pas une connexion, changez votre mot de passe puis déconnectez tout.",
    "If you do not recognise a sign-in, change your password and then sign out everywhere.",
);
pub(crate) const CONNECTED_NOW: Words = Words("Connecté en ce moment", "Connected now");
pub(crate) const PORTAL: Words = Words("Ce site", "This site");
pub(crate) const THIS_ONE: Words = Words("vous, maintenant", "you, now");
pub(crate) const SINCE_FROM: Words = Words("Depuis le {}, adresse {}", "Since {}, address {}");
pub(crate) const END_IT: Words = Words("Y mettre fin", "End it");
pub(crate) const ENDED: Words = Words("C’est terminé.", "It has ended.");
pub(crate) const END_ALL: Words = Words("Tout déconnecter", "Sign out everywhere");
pub(crate) const END_ALL_WHAT: Words = Words(
    "Ce navigateur aussi sera déconnecté. Les logiciels de courrier se reconnecteront d’eux-mêmes s’ils connaissent encore le bon mot de passe.",
    "This browser is signed out, too. Mail programs come back by themselves as long as they know the right password.",
);
pub(crate) const LAST_LOGINS: Words = Words("Dernières connexions", "Last sign-ins");
pub(crate) const LOGINS_BY_WAY: Words = Words("D’où votre compte a été utilisé", "From where your account was used");
pub(crate) const NO_LOGINS: Words = Words("Aucune connexion n’est connue.", "No sign-in is known.");
pub(crate) const LAST_TIME: Words = Words("Dernière fois", "Last time");
pub(crate) const THROUGH: Words = Words("Pour", "For");
pub(crate) const FROM_WHERE: Words = Words("Depuis", "From");
pub(crate) const PROGRAM: Words = Words("Logiciel", "Program");
pub(crate) const TIMES: Words = Words("Nombre", "Times");
pub(crate) const NOT_SAID: Words = Words("non indiqué", "not said");
pub(crate) const SMTP: Words = Words("Envoyer (SMTP)", "Sending (SMTP)");
pub(crate) const IMAP: Words = Words("Lire (IMAP)", "Reading (IMAP)");
pub(crate) const POP: Words = Words("Lire (POP3)", "Reading (POP3)");

pub(crate) const ADDRESS_BOOK: Words = Words("Annuaire", "Address book");
pub(crate) const WHOM: Words = Words("Qui cherchez-vous ?", "Whom are you looking for?");
pub(crate) const WHOM_HINT: Words = Words(
    "Le début d’un nom, d’un prénom, d’un identifiant ou d’une adresse ; les accents et les majuscules ne comptent pas.",
    "The beginning of a name, a login or an address; accents and capitals do not matter.",
);
pub(crate) const SEARCH: Words = Words("Chercher", "Search");
pub(crate) const TOO_SHORT: Words = Words("Saisissez au moins deux lettres.", "Enter at least two letters.");
pub(crate) const TOO_MANY_SEARCHES: Words = Words(
    "Vous avez fait beaucoup de recherches. Attendez une minute et recommencez.",
    "You have searched very often. Wait a minute and try again.",
);
pub(crate) const FOUND: Words = Words("Personnes trouvées : {}", "People found: {}");
pub(crate) const FOUND_MANY: Words =
    Words("Il y en a d’autres : précisez votre recherche.", "There are more: make your search narrower.");

pub(crate) const SHARING: Words = Words("Partages et délégations", "Sharing and delegation");
pub(crate) const SHARING_WHAT: Words = Words(
    "Qui peut lire vos dossiers ou écrire en votre nom, et ce que d’autres vous ont confié.",
    "Who may read your folders or write in your name, and what others have entrusted to you.",
);
pub(crate) const SEND_FOR_ME: Words = Words("Ils écrivent en votre nom", "They write in your name");
pub(crate) const I_SEND_FOR: Words = Words("Vous écrivez au nom de", "You write in the name of");
pub(crate) const NOBODY: Words = Words("Personne.", "Nobody.");
pub(crate) const FOLDERS_SHARED: Words = Words("Dossiers partagés", "Shared folders");
pub(crate) const NO_FOLDERS_SHARED: Words = Words("Aucun dossier n’est partagé.", "No folder is shared.");
pub(crate) const NO_END: Words = Words("Sans date de fin.", "No end.");
pub(crate) const UNTIL: Words = Words("Jusqu’au {}.", "Until {}.");
pub(crate) const ENDED_ON: Words = Words("Terminé le {}.", "Ended on {}.");
pub(crate) const SENDS_AS: Words = Words("Comme vous, sans que cela se voie.", "As you, without it being seen.");
pub(crate) const SENDS_ON_BEHALF: Words =
    Words("Pour vous, et son nom figure dans le message.", "On your behalf, named in the message.");
pub(crate) const WHO: Words = Words("Qui", "Who");
pub(crate) const MAY: Words = Words("Peut", "May");
pub(crate) const UNTIL_WHEN: Words = Words("Durée", "Until");
pub(crate) const MAY_READ: Words = Words("lire", "read");
pub(crate) const MAY_INSERT: Words = Words("ajouter", "add");
pub(crate) const MAY_MARK: Words = Words("marquer", "mark");
pub(crate) const MAY_DELETE: Words = Words("supprimer", "delete");
pub(crate) const MAY_FOLDERS: Words = Words("gérer les dossiers", "manage folders");
pub(crate) const MAY_GRANT: Words = Words("partager", "share");

pub(crate) const CORRECTIONS: Words = Words("Courrier indésirable", "Spam corrections");
pub(crate) const CORRECTIONS_WHAT: Words = Words(
    "Signalez les messages que le filtre a mal classés. Une personne vérifie chaque signalement avant que le filtre n’apprenne.",
    "Report messages the filter judged wrongly. A person checks each report before the filter learns.",
);
pub(crate) const IN_INBOX: Words = Words("Dans la boîte de réception", "In the inbox");
pub(crate) const IN_JUNK: Words = Words("Dans les indésirables", "In the spam folder");
pub(crate) const WHICH_SPAM: Words = Words("Lesquels sont indésirables ?", "Which of them are spam?");
pub(crate) const WHICH_NOT_SPAM: Words = Words("Lesquels ne sont pas indésirables ?", "Which of them are not spam?");
pub(crate) const IS_SPAM: Words = Words("Ce sont des indésirables", "These are spam");
pub(crate) const NOT_SPAM: Words = Words("Ce ne sont pas des indésirables", "These are not spam");
pub(crate) const NO_MESSAGES: Words = Words("Il n’y a pas de message ici.", "There is no message here.");
pub(crate) const NO_SUBJECT: Words = Words("(sans objet)", "(no subject)");
pub(crate) const REPORTED: Words = Words("déjà signalé", "reported already");
pub(crate) const REPORTED_THANKS: Words = Words(
    "Merci. Votre signalement sera examiné ; le message reste où il est.",
    "Thank you. Your report will be looked at; the message stays where it is.",
);
pub(crate) const CHOOSE_ONE: Words = Words("Cochez au moins un message.", "Tick at least one message.");

pub(crate) const REDIRECT: Words = Words("Redirection", "Redirect");
pub(crate) const REDIRECT_NOW: Words = Words("En ce moment", "As things stand");
pub(crate) const REDIRECT_NONE: Words = Words("Votre courrier reste ici.", "Your mail stays here.");
pub(crate) const REDIRECT_TO: Words = Words("Votre courrier part vers {}.", "Your mail goes on to {}.");
pub(crate) const REDIRECT_COPY: Words = Words("Une copie reste ici.", "A copy stays here.");
pub(crate) const REDIRECT_NO_COPY: Words = Words("Rien n’en reste ici.", "Nothing of it stays here.");
pub(crate) const REDIRECT_UNTIL: Words = Words("Jusqu’au {}.", "Until {}.");
pub(crate) const REDIRECT_STOPPED: Words = Words(
    "Les règles ne le permettent plus : votre courrier reste ici. Règle :",
    "The rules no longer allow it: your mail stays here. Rule:",
);
pub(crate) const REDIRECT_END: Words = Words("Arrêter la redirection", "End the redirect");
pub(crate) const REDIRECT_OVER: Words = Words("La redirection est arrêtée.", "The redirect has ended.");
pub(crate) const REDIRECT_NOT_HERE: Words = Words(
    "Dans cet établissement les redirections ne se demandent pas.",
    "In this institution redirects cannot be asked for.",
);
pub(crate) const REDIRECT_ASKED: Words = Words("Votre dernière demande", "Your last request");
pub(crate) const ASKED_ON: Words = Words("Le {}, vers {}.", "On {}, to {}.");
pub(crate) const ASKED_ALLOWED: Words =
    Words("Acceptée aussitôt : les règles la permettent.", "Accepted at once: the rules allow it.");
pub(crate) const ASKED_WAITS: Words = Words(
    "En attente : une personne doit l’approuver. Votre courrier reste ici jusque-là.",
    "Waiting: a person has to approve it. Your mail stays here until then.",
);
pub(crate) const ASKED_REFUSED: Words =
    Words("Refusée par les règles : {} (règle {}).", "Refused by the rules: {} (rule {}).");
pub(crate) const ASKED_REFUSED_BY: Words = Words("Refusée par {} : {}", "Refused by {}: {}");
pub(crate) const ASKED_APPROVED: Words = Words("Approuvée par {}.", "Approved by {}.");
pub(crate) const ASKED_ENDED: Words = Words("Terminée.", "Ended.");
pub(crate) const REDIRECT_ASK: Words = Words("Demander une redirection", "Ask for a redirect");
pub(crate) const REDIRECT_RULES: Words = Words(
    "Les fournisseurs grand public (Gmail, Orange, Free, Yahoo…) sont refusés : votre courrier professionnel doit rester dans des établissements qui en répondent.",
    "Public providers (Gmail, Orange, Free, Yahoo…) are refused: mail of your work has to stay with institutions that answer for it.",
);
pub(crate) const REDIRECT_WHERE: Words = Words("Vers quelle adresse ?", "To which address?");
pub(crate) const REDIRECT_WHY: Words = Words("Pourquoi ?", "Why?");
pub(crate) const REDIRECT_WHY_HINT: Words =
    Words("La personne qui approuve lira cette phrase.", "Whoever approves it will read this sentence.");
pub(crate) const REDIRECT_HOME: Words = Words(
    "Domaine de votre établissement d’origine (facultatif)",
    "Domain of the institution you come from (optional)",
);
pub(crate) const REDIRECT_HOME_HINT: Words = Words("Par exemple univ-rennes.fr", "For example univ-rennes.fr");
pub(crate) const REDIRECT_LAST_DAY: Words = Words("Dernier jour (facultatif)", "Last day (optional)");
pub(crate) const REDIRECT_KEEP: Words = Words("Garder une copie ici", "Keep a copy here");
pub(crate) const REDIRECT_SEND: Words = Words("Envoyer la demande", "Send the request");
pub(crate) const REDIRECT_SENT: Words = Words(
    "La demande est enregistrée ; voyez ci-dessous ce qu’il en est.",
    "The request is recorded; see below how it stands.",
);
pub(crate) const NO_ADDRESS: Words = Words(
    "Ce n’est pas une adresse : écrivez-la en entier, par exemple nom@univ-rennes.fr.",
    "This is no address: write it in full, for example name@univ-rennes.fr.",
);
pub(crate) const NO_REASON: Words = Words("Dites pourquoi, en une phrase.", "Say why, in one sentence.");
pub(crate) const NO_DOMAIN: Words = Words("Ce n’est pas un nom de domaine.", "This is no domain name.");

const OURS: Words = Words(
    "cette adresse est de notre établissement, le courrier y reviendrait",
    "the address is one of ours, mail would come back",
);
const PROVIDER: Words = Words(
    "les fournisseurs grand public comme celui-ci sont refusés",
    "public mailbox providers like this one are refused",
);
const NO_REDIRECT_THERE: Words =
    Words("aucune redirection n’est permise vers ce domaine", "no redirect to this domain is allowed");
const LACKS: Words =
    Words("une personne doit l’approuver ; il manque : {}", "somebody has to approve it; what is missing: {}");
const APPROVER: Words = Words("une personne qui approuve", "an approver");
const REASON: Words = Words("un motif", "a reason");
const END_DATE: Words = Words("une date de fin", "an end date");
const APPROVAL_ENDED: Words = Words("l’approbation est terminée", "the approval has ended");
const NOT_ASKED_HERE: Words = Words(
    "les redirections ne se demandent pas ici : un gestionnaire du courrier les met en place",
    "redirects are not asked for here: a mail manager sets them",
);
const CHANGED_ELSEWHERE: Words = Words(
    "les mots de passe ne se changent pas depuis le réseau où vous êtes",
    "passwords are not changed from the network you are in",
);
const KEPT_ELSEWHERE: Words = Words(
    "ce mot de passe est tenu par l’annuaire de l’établissement, et c’est là qu’il se change",
    "this password is kept by the directory of the institution, and changed there",
);

/// Why a rule of the policy refuses what people ask for here; `None` for rules only those who run the service meet. `why` is
/// what the command line says.
pub(crate) fn refusal(plan: &Plan, language: Language, rule: &str, why: &str) -> Option<String> {
    let asks = rule.starts_with("redirects.on_grant.")
        || (rule == "redirects.otherwise" && plan.redirects.otherwise == RedirectOtherwise::Ask);
    let words = match rule {
        _ if asks => return Some(not_approved(language, why)),
        "redirects.refused_examples" => PROVIDER,
        "redirects.otherwise" => NO_REDIRECT_THERE,
        "redirects.asked_through" => NOT_ASKED_HERE,
        "identity.password.change_from" => CHANGED_ELSEWHERE,
        "identity.directory.passwords" => KEPT_ELSEWHERE,
        _ if rule.starts_with("domains.") => OURS,
        _ => return None,
    };
    Some(words.in_language(language).to_owned())
}

fn not_approved(language: Language, why: &str) -> String {
    let all = [(GrantNeeds::Approver, APPROVER), (GrantNeeds::Reason, REASON), (GrantNeeds::EndDate, END_DATE)];
    let lacks = all.into_iter().filter(|(need, _)| why.contains(redirects::need_word(*need)));
    let lacks: Vec<&str> = lacks.map(|(_, words)| words.in_language(language)).collect();
    match lacks[..] {
        [] => APPROVAL_ENDED.in_language(language).to_owned(),
        _ => LACKS.with(language, &[&lacks.join(", ")]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_the_policy_are_said_in_the_language_of_the_page() {
        let plan = plan::read(include_str!("../../../../../policies/nantes/policy.plan.ron")).unwrap().0;
        let say = |language, rule: &str, why: &str| refusal(&plan, language, rule, why);
        let (fr, en) = (Language::French, Language::English);
        let lacks = redirects::words(&decide::RedirectStop::Lacks {
            rule: String::new(),
            needs: vec![GrantNeeds::Reason, GrantNeeds::EndDate],
        });
        let grant = "redirects.on_grant.foreign-researcher";
        assert!(say(fr, grant, &lacks).unwrap().ends_with("il manque : un motif, une date de fin"));
        assert!(say(en, grant, &lacks).unwrap().ends_with("what is missing: a reason, an end date"));
        assert_eq!(say(fr, grant, "it ended").unwrap(), "l’approbation est terminée");
        for rule in ["redirects.refused_examples", "redirects.otherwise", "domains.univ-nantes.fr"] {
            assert_ne!(say(fr, rule, "x").unwrap(), say(en, rule, "x").unwrap(), "{rule}");
        }
        assert_eq!(say(fr, "response.recall_alone_at_most", "x"), None);
    }
}
