//! What the managers hear of second looks.

use std::sync::Arc;

use mail::Address;
use store::Op;

use crate::durable;
use crate::notices::{self, Words};
use crate::service::Service;

/// Messages one notice names.
const NAMED_MAX: usize = 20;

/// Tells the managers, in one commit with `ops`.
pub async fn alarm(service: &Arc<Service>, words: Words, ops: Vec<Op>) {
    let managers = Address::new("postmaster", service.tables.plan().institution.domain.clone());
    match managers {
        Ok(managers) => drop(notices::tell(service, &managers, words, ops).await),
        Err(_) => {
            tracing::error!("the managers have no address");
            if let Err(error) = durable::commit(&service.store, ops).await {
                tracing::error!("a second look cannot end: {error}");
            }
        }
    }
}

/// The lines of a notice, not all of very many.
fn lines(all: &[String]) -> String {
    let mut lines: Vec<&str> = all.iter().take(NAMED_MAX).map(String::as_str).collect();
    if all.len() > NAMED_MAX {
        lines.push("…");
    }
    lines.join("\r\n")
}

/// Found where copies had left already.
pub fn out_of_reach(all: &[String]) -> Words {
    let (count, lines) = (all.len(), lines(all));
    Words {
        subject: "Antivirus : un virus est déjà parti / a virus has left already".to_owned(),
        french: format!(
            "un second examen a trouvé un virus dans {count} message(s) dont des copies sont parties ou ont été relevées.\r\n\
             Ce qui était encore ici est en quarantaine (facteur quarantine list). Hors d'atteinte :\r\n{lines}"
        ),
        english: format!(
            "a second look found a virus in {count} message(s) of which copies have left or were fetched and deleted.\r\n\
             What was still here is in quarantine (facteur quarantine list). Out of reach:\r\n{lines}"
        ),
    }
}

/// Never looked at.
pub fn unlooked(all: &[String]) -> Words {
    let (count, lines) = (all.len(), lines(all));
    Words {
        subject: "Antivirus : des messages restent sans examen / messages stay without a look".to_owned(),
        french: format!(
            "{count} message(s) passés pendant l'arrêt d'un antivirus ne peuvent pas être examinés après coup :\r\n{lines}"
        ),
        english: format!(
            "{count} message(s) that passed while an engine was down cannot be looked at again:\r\n{lines}"
        ),
    }
}

/// Owed for longer than a day.
pub fn waiting(count: u64, engines: &str) -> Words {
    Words {
        subject: "Antivirus : un second examen se fait attendre / a second look is late".to_owned(),
        french: format!(
            "{count} message(s) attendent depuis plus d'un jour d'être examinés par {engines}. Ils ont été distribués\r\n\
             parce que cet antivirus ne répondait pas (antivirus.engine_down)."
        ),
        english: format!(
            "{count} message(s) have waited for more than a day to be looked at by {engines}. They were delivered\r\n\
             because that engine gave no verdict (antivirus.engine_down)."
        ),
    }
}
