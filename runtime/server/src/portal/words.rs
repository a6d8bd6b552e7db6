//! What people read, in French and in English. A page has no sentence of its own.

use plan::Language;

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
        let language = language(&parts.next()?.trim().to_ascii_lowercase().split('-').next()?.to_owned())?;
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

pub(super) const HOME: Words = Words("Accueil", "Home");

/// Title and sentence of a page that says what went wrong.
type Problem = (Words, Words);

pub(super) const NO_SUCH_PAGE: Problem = (
    Words("Page introuvable", "Page not found"),
    Words(
        "Cette page n’existe pas. Si vous avez saisi l’adresse, vérifiez-la.",
        "There is no such page. If you typed the address, check it.",
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
