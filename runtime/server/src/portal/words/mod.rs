//! What people read, in French and in English. A page has no sentence of its own.

mod account;
mod mailbox;

use plan::Language;

pub(super) use account::*;
pub(super) use mailbox::*;

/// At the top of each page of a test platform.
pub(super) const TWIN: Words =
    Words("Plateforme de test : aucun message ne quitte ce serveur.", "Test platform: no message leaves this server.");

/// French, English.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words(pub &'static str, pub &'static str);

impl Words {
    pub const fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::French => self.0,
            Language::English => self.1,
        }
    }

    /// With each `{}` replaced by the next of `values`.
    pub fn with(self, language: Language, values: &[&dyn std::fmt::Display]) -> String {
        let mut parts = self.in_language(language).split("{}");
        let mut text = parts.next().unwrap_or_default().to_owned();
        let mut values = values.iter();
        for part in parts {
            if let Some(value) = values.next() {
                text.push_str(&value.to_string());
            }
            text.push_str(part);
        }
        text
    }
}

/// The language of a tag we know.
pub(super) fn language(tag: &str) -> Option<Language> {
    match tag {
        "fr" => Some(Language::French),
        "en" => Some(Language::English),
        _ => None,
    }
}

/// A tag of RFC 5646.
pub(crate) const fn tag(language: Language) -> &'static str {
    match language {
        Language::French => "fr",
        Language::English => "en",
    }
}

pub(super) const fn other(language: Language) -> Language {
    match language {
        Language::French => Language::English,
        Language::English => Language::French,
    }
}

/// The language a browser likes best of those we have; `Accept-Language` (RFC 9110 12.5.4).
pub(super) fn asked(field: &str) -> Option<Language> {
    let ranges = field.split(',').take(32).filter_map(|range| {
        let mut parts = range.split(';');
        let language = language(parts.next()?.trim().to_ascii_lowercase().split('-').next()?)?;
        let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
        (weight > 0.0).then_some((language, weight))
    });
    // The first of those that weigh the same.
    let best = |best: Option<(Language, f32)>, next: (Language, f32)| match best {
        Some(best) if best.1 >= next.1 => Some(best),
        _ => Some(next),
    };
    ranges.fold(None, best).map(|(language, _)| language)
}

pub(super) const THIS_LANGUAGE: Words = Words("Français", "English");
pub(super) const WRONG_TITLE: Words = Words("À corriger :", "To be corrected:");
pub(super) const TO_CONTENT: Words = Words("Aller au contenu", "Skip to content");
pub(super) const MAIL: Words = Words("Messagerie", "Mail");
pub(super) const PAGES: Words = Words("Pages", "Pages");
pub(super) const TO_HOME: Words = Words("Retour à l’accueil", "Back to the home page");
pub(super) const SOMETHING_IS_WRONG: Words = Words("Il y a un problème", "There is a problem");

pub(super) const SIGN_IN: Words = Words("Se connecter", "Sign in");
pub(super) const SIGN_OUT: Words = Words("Se déconnecter", "Sign out");
pub(super) const LOGIN: Words = Words("Identifiant", "Login");
pub(super) const ADDRESS: Words = Words("Adresse", "Address");
pub(super) const PASSWORD: Words = Words("Mot de passe", "Password");
pub(super) const LOGIN_AND_PASSWORD: Words =
    Words("Saisissez votre identifiant et votre mot de passe.", "Enter your login and your password.");
pub(super) const LOGIN_WRONG: Words = Words(
    "L’identifiant ou le mot de passe n’est pas le bon. Vérifiez la touche Majuscules et réessayez.",
    "The login or the password is wrong. Check the Caps Lock key and try again.",
);
pub(super) const LOGIN_LATER: Words = Words(
    "Trop d’essais, ou le serveur est occupé. Votre mot de passe n’a pas été vérifié : réessayez dans quelques minutes.",
    "Too many attempts, or the server is busy. Your password was not checked: try again in some minutes.",
);

pub(super) const LOGIN_DENIED: Words = Words(
    "Ce compte n’est pas ouvert en ce moment. Adressez-vous à votre correspondant informatique.",
    "This account is not open now. Ask the people who run the mail service.",
);
pub(super) const APP_PASSWORD_HERE: Words = Words(
    "C’est un mot de passe d’application : il ne sert qu’à un logiciel de courrier. Saisissez votre mot de passe principal.",
    "This is an app password: it is for a mail program only. Enter your main password.",
);
pub(super) const ELSEWHERE: Words = Words("Sans mot de passe ici", "Without a password here");
pub(super) const ELSEWHERE_AT: Words = Words("Se connecter par {}", "Sign in with {}");
pub(super) const ELSEWHERE_LATER: Words = Words(
    "Le service d’authentification ne répond pas, ou il y a eu trop d’essais. Réessayez dans quelques minutes, ou connectez-vous avec votre mot de passe.",
    "The sign-in service does not answer, or there were too many attempts. Try again in some minutes, or sign in with your password.",
);
pub(super) const ELSEWHERE_AGAIN: Words = Words(
    "Cette connexion a commencé il y a trop longtemps, ou dans un autre navigateur. Recommencez.",
    "This sign-in began too long ago, or in another browser. Start again.",
);
pub(super) const ELSEWHERE_GIVEN_UP: Words = Words(
    "Le service d’authentification n’a pas confirmé votre identité. Recommencez, ou connectez-vous avec votre mot de passe.",
    "The sign-in service did not confirm who you are. Start again, or sign in with your password.",
);
pub(super) const ELSEWHERE_NOBODY: Words = Words(
    "Aucun compte de cette messagerie ne peut être ouvert ainsi. Recommencez ; si cela se répète, adressez-vous à votre correspondant informatique.",
    "No account of this mail service can be opened this way. Start again; if it happens again, ask the people who run the mail service.",
);
pub(super) const SIGNED_IN: Words = Words("Vous êtes connecté", "You are signed in");
pub(super) const CONTINUE: Words = Words("Continuer", "Continue");
pub(super) const CODE_TITLE: Words = Words("Code de vérification", "Verification code");
pub(super) const CODE: Words = Words("Code", "Code");
pub(super) const CODE_HINT: Words = Words(
    "Les six chiffres que montre votre application, ou un de vos codes de secours.",
    "The six digits your application shows, or one of your recovery codes.",
);
pub(super) const CODE_WRONG: Words = Words(
    "Ce n’est pas le bon code. Attendez que l’application en montre un nouveau : chaque code ne sert qu’une fois.",
    "This is not the right code. Wait until the application shows a new one: each code works once.",
);
pub(super) const CODES_OVER: Words =
    Words("Trop de codes faux. Recommencez depuis le début.", "Too many wrong codes. Start again.");

pub(super) const HOME: Words = Words("Accueil", "Home");

pub(super) const NOT_DONE: Words = Words("Cela n’a pas été fait", "This was not done");
pub(super) const GO_BACK: Words = Words("Revenir", "Go back");
pub(super) const REFUSED: Words = Words(
    "Les règles de l’établissement ne le permettent pas : {} (règle {}).",
    "The rules of the institution do not allow it: {} (rule {}).",
);
pub(super) const CANNOT: Words =
    Words("La demande n’a pas pu être suivie : {}.", "The request could not be followed: {}.");
pub(super) const GONE: Words = Words(
    "Ce que vous avez choisi n’existe plus. Revenez à la liste pour voir ce qu’il en est.",
    "What you chose is no longer there. Go back to the list to see how things stand.",
);
pub(super) const BAD_DATE: Words = Words(
    "Cette date n’en est pas une : écrivez par exemple 2026-11-30.",
    "This is no date: write for instance 2026-11-30.",
);
pub(super) const BUSY: Words = Words(
    "La même opération est déjà en cours. Réessayez dans un moment.",
    "The same operation is under way. Try again in a moment.",
);

/// Why a password is refused.
pub(super) fn advice(language: Language, advice: crate::quality::Advice) -> String {
    match language {
        Language::French => advice.french(),
        Language::English => advice.english(),
    }
}

pub(super) const SECOND_FACTOR: Words = Words("Double authentification", "Two-step sign-in");
pub(super) const SECOND_FACTOR_WHAT: Words = Words(
    "Avec elle, un mot de passe volé ne suffit pas pour entrer ici : il faut aussi un code que seul votre téléphone connaît.",
    "With it a stolen password is not enough to enter here: it also takes a code that only your phone knows.",
);
pub(super) const SECOND_FACTOR_ON: Words = Words("La double authentification est activée.", "Two-step sign-in is on.");
pub(super) const SECOND_FACTOR_OFF: Words =
    Words("La double authentification n’est pas activée.", "Two-step sign-in is off.");
pub(super) const SECOND_FACTOR_NEVER: Words =
    Words("L’établissement ne la propose pas.", "The institution does not offer it.");
pub(super) const SECOND_FACTOR_BEGIN: Words = Words("Activer", "Turn on");
pub(super) const SECOND_FACTOR_CONFIRM: Words = Words("Vérifier le code", "Check the code");
pub(super) const SECOND_FACTOR_END: Words = Words("Désactiver", "Turn off");
pub(super) const SECOND_FACTOR_END_WHAT: Words =
    Words("Il faut un code pour désactiver.", "Turning it off takes a code.");
pub(super) const SECOND_FACTOR_ENDED: Words =
    Words("La double authentification est désactivée.", "Two-step sign-in is off now.");
pub(super) const START_AGAIN: Words = Words("Recommencer", "Start again");
pub(super) const TOTP_STEP_APP: Words = Words(
    "Installez sur votre téléphone une application de codes, par exemple FreeOTP, Aegis ou celle de votre choix.",
    "Install an application for codes on your phone, for example FreeOTP, Aegis or one of your choice.",
);
pub(super) const TOTP_STEP_SCAN: Words =
    Words("Visez cette image avec l’application.", "Point the application at this picture.");
pub(super) const TOTP_STEP_TYPE: Words =
    Words("Ou saisissez-y cette clé à la main :", "Or type this key into it by hand:");
pub(super) const TOTP_STEP_CODE: Words =
    Words("Saisissez le code que l’application montre.", "Enter the code the application shows.");
pub(super) const QR_CODE: Words =
    Words("Code QR ; la clé écrite à côté dit la même chose.", "QR code; the key written beside it says the same.");
pub(super) const RECOVERY_LEFT: Words = Words("Codes de secours restants : {}", "Recovery codes left: {}");
pub(super) const RECOVERY_CODES: Words = Words("Vos codes de secours", "Your recovery codes");
pub(super) const RECOVERY_WHAT: Words = Words(
    "Gardez-les en lieu sûr : chacun remplace une fois le téléphone s’il est perdu. Ils ne seront plus jamais affichés.",
    "Keep them in a safe place: each stands in once for a lost phone. They will never be shown again.",
);
pub(super) const RECOVERY_KEPT: Words = Words("Je les ai notés", "I have written them down");

/// Title and sentence of a page that says what went wrong.
pub(crate) type Problem = (Words, Words);

pub(super) const NO_SUCH_PAGE: Problem = (
    Words("Page introuvable", "Page not found"),
    Words(
        "Cette page n’existe pas. Si vous avez saisi l’adresse, vérifiez-la.",
        "There is no such page. If you typed the address, check it.",
    ),
);
pub(super) const NOT_YOURS: Problem = (
    Words("Page réservée", "This page is not yours to see"),
    Words(
        "Cette page est réservée aux correspondants et aux gestionnaires de la messagerie.",
        "This page is for correspondents and managers of the mail service.",
    ),
);
pub(super) const NOT_FROM_THERE: Problem = (
    Words("Pas depuis ce réseau", "Not from this network"),
    Words(
        "Cette page ne s’ouvre que depuis le réseau de l’établissement. Rien ne manque à votre compte : revenez-y depuis l’intérieur.",
        "This page opens only from the institution’s own network. Nothing is wrong with your account: come back from inside.",
    ),
);
pub(super) const NOT_THIS_WAY: Problem = (
    Words("Demande impossible", "This cannot be asked for"),
    Words("Cette adresse ne répond pas à ce genre de demande.", "This address does not answer this kind of request."),
);
pub(super) const NOT_A_FORM: Problem = (
    Words("Formulaire illisible", "Unreadable form"),
    Words(
        "Le formulaire n’a pas pu être lu. Rien n’a été modifié : revenez en arrière et recommencez.",
        "The form could not be read. Nothing was changed: go back and try again.",
    ),
);
pub(super) const BAD_LINK: Problem = (
    Words("Lien illisible", "Unreadable link"),
    Words(
        "L’adresse de cette page n’a pas pu être lue : elle est incomplète ou mal copiée.",
        "The address of this page could not be read: it is incomplete, or was not copied right.",
    ),
);
pub(super) const TOO_LARGE: Problem = (
    Words("Formulaire trop long", "The form is too large"),
    Words(
        "Le formulaire dépasse la taille permise. Rien n’a été modifié.",
        "The form is larger than it may be. Nothing was changed.",
    ),
);
pub(super) const TOO_SLOW: Problem = (
    Words("Formulaire incomplet", "The form did not arrive"),
    Words(
        "Le formulaire n’est pas arrivé en entier. Rien n’a été modifié : vérifiez votre connexion et recommencez.",
        "The form did not arrive whole. Nothing was changed: check your connection and try again.",
    ),
);
pub(super) const NOT_FROM_HERE: Problem = (
    Words("Formulaire périmé", "The form is no longer valid"),
    Words(
        "Ce formulaire est trop ancien ou ne vient pas de ce site. Rien n’a été modifié : revenez à la page et recommencez.",
        "This form is too old or does not come from this site. Nothing was changed: go back to the page and try again.",
    ),
);
pub(super) const TROUBLE: Problem = (
    Words("Service momentanément indisponible", "The service is not available"),
    Words(
        "Un incident de notre côté empêche d’afficher cette page. Réessayez dans quelques minutes.",
        "A fault on our side keeps this page from being shown. Try again in some minutes.",
    ),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_a_browser_likes_best() {
        for (field, language) in [
            ("fr-FR,fr;q=0.9,en;q=0.8", Some(Language::French)),
            ("en;q=0.3, fr;q=0.2", Some(Language::English)),
            ("de, es;q=0.5", None),
            ("de, EN-gb;q=0.5, fr;q=0.4", Some(Language::English)),
            ("fr;q=0, en;q=0.1", Some(Language::English)),
            ("", None),
        ] {
            assert_eq!(asked(field), language, "{field}");
        }
    }

    #[test]
    fn values_take_their_places() {
        let words = Words("{} sur {}", "{} of {}");
        assert_eq!(words.with(Language::English, &[&"a {} b", &3]), "a {} b of 3");
        assert_eq!(words.with(Language::French, &[&1]), "1 sur ");
    }
}
