//! STATUS (RFC 9051 6.3.11, RFC 8438 for SIZE).

use super::state::{Open, Shared, Turn, ask};
use crate::imap::command::{Name, StatusItem, Tag};
use crate::imap::question::{MailboxRow, Question};
use crate::imap::response::{Out, Reply};

pub fn status(mut state: Open, tag: Tag, name: Name, items: Vec<StatusItem>, out: &mut Out) -> Turn {
    let name = match name {
        Ok(name) => name,
        Err(bad) => return state.done(tag, bad.into(), out),
    };
    if items.contains(&StatusItem::HighestModSeq) {
        state.use_mod_seq(out);
    }
    ask(Question::Status { name }, move |answer, out| match answer.mailbox() {
        Ok(row) => {
            line(&row, &items, state.shared(), out);
            state.done(tag, Reply::ok("STATUS done"), out)
        }
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

/// `* STATUS mailbox (MESSAGES 3 …)`; LIST RETURN (STATUS) writes the same.
pub fn line(row: &MailboxRow, items: &[StatusItem], shared: &Shared, out: &mut Out) {
    out.text("* STATUS ");
    out.mailbox(&row.name, shared.coding());
    let counts = &row.counts;
    let items: Vec<String> = items
        .iter()
        .map(|item| match item {
            StatusItem::Messages => format!("MESSAGES {}", counts.messages),
            StatusItem::Recent => "RECENT 0".to_owned(),
            StatusItem::UidNext => format!("UIDNEXT {}", counts.uid_next),
            StatusItem::UidValidity => format!("UIDVALIDITY {}", counts.uid_validity),
            StatusItem::Unseen => format!("UNSEEN {}", counts.unseen),
            StatusItem::Deleted => format!("DELETED {}", counts.deleted),
            StatusItem::MailboxId => format!("MAILBOXID ({})", counts.mailbox),
            StatusItem::AppendLimit => format!("APPENDLIMIT {}", shared.config.append_octets_max),
            StatusItem::HighestModSeq => format!("HIGHESTMODSEQ {}", counts.highest_mod_seq),
            StatusItem::Size => format!("SIZE {}", counts.size_octets),
        })
        .collect();
    out.text(&format!(" ({})", items.join(" ")));
    out.end_line();
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    #[test]
    fn status_counts_and_the_selected_mailbox_may_be_asked_too() {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n", "a: 2\n\nb\n"]);
        client.say("a STORE 2 +FLAGS (\\Seen \\Deleted)");
        client.check(
            "a STATUS inbox (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE)",
            "* STATUS INBOX (MESSAGES 2 RECENT 0 UIDNEXT 3 UIDVALIDITY 101 UNSEEN 1 DELETED 1 SIZE 22)\na OK STATUS done\n",
        );
        client.check("a STATUS nope (MESSAGES)", "a NO [NONEXISTENT] there is no such mailbox\n");
    }
}
