//! What an account starts with.

use mail::{MailboxName, SpecialUse};
use plan::Language;
use store::DefaultMailbox;

/// The mailboxes beside INBOX, in the institution's language.
pub fn default_mailboxes(language: Language) -> Vec<DefaultMailbox> {
    let names = match language {
        Language::French => ["Archives", "Brouillons", "Indésirables", "Envoyés", "Corbeille"],
        Language::English => ["Archive", "Drafts", "Junk", "Sent", "Trash"],
    };
    names
        .iter()
        .zip(SpecialUse::ALL)
        .filter_map(|(name, special_use)| {
            let name = MailboxName::new(name).ok()?;
            Some(DefaultMailbox { name, special_use: Some(special_use) })
        })
        .collect()
}
