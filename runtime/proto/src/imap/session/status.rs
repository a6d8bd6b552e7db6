//! STATUS (RFC 9051 6.3.11, RFC 8438 for SIZE, RFC 9208 4.1.4 for DELETED-STORAGE).

use std::collections::BTreeMap;

use super::state::{Open, Shared, Turn, ask};
use crate::imap::command::{Name, StatusItem, Tag};
use crate::imap::question::{MailboxRow, Question, Trouble};
use crate::imap::response::{Out, Reply};
use mail::MailboxName;

pub fn status(mut state: Open, tag: Tag, name: Name, items: Vec<StatusItem>, out: &mut Out) -> Turn {
    let name = match name {
        Ok(name) => name,
        Err(bad) => return state.done(tag, bad.into(), out),
    };
    if items.contains(&StatusItem::HighestModSeq) {
        state.use_mod_seq(out);
    }
    ask(Question::Status { name }, move |answer, out| match answer.mailbox() {
        Ok(row) => with_deleted(vec![row], items.contains(&StatusItem::DeletedStorage), out, move |rows, out| {
            let rows = match rows {
                Ok(rows) => rows,
                Err(trouble) => return state.done(tag, trouble.into(), out),
            };
            rows.iter().for_each(|(row, deleted_octets)| line(row, *deleted_octets, &items, state.shared(), out));
            state.done(tag, Reply::ok("STATUS done"), out)
        }),
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

/// A mailbox and the octets of its messages with `\Deleted`; 0 where nobody wants to know.
pub type Counted = (MailboxRow, u64);

/// Goes on with the octets of deleted messages beside each row, where they are `wanted`.
pub fn with_deleted(
    rows: Vec<MailboxRow>,
    wanted: bool,
    out: &mut Out,
    then: impl FnOnce(Result<Vec<Counted>, Trouble>, &mut Out) -> Turn + Send + 'static,
) -> Turn {
    // One without such messages needs no look at its rows.
    let asked = rows.iter().filter(|row| wanted && row.exists && row.counts.deleted > 0);
    let names: Vec<MailboxName> = asked.map(|row| row.name.clone()).collect();
    if names.is_empty() {
        return then(Ok(rows.into_iter().map(|row| (row, 0)).collect()), out);
    }
    ask(Question::DeletedOctets { names: names.clone() }, move |answer, out| {
        let counted = answer.sizes().map(|sizes| {
            let sizes: BTreeMap<MailboxName, u64> = names.into_iter().zip(sizes).collect();
            let of = |row: MailboxRow| (sizes.get(&row.name).copied().unwrap_or(0), row);
            rows.into_iter().map(of).map(|(size, row)| (row, size)).collect()
        });
        then(counted, out)
    })
}

/// `* STATUS mailbox (MESSAGES 3 …)`; LIST RETURN (STATUS) writes the same.
pub fn line(row: &MailboxRow, deleted_octets: u64, items: &[StatusItem], shared: &Shared, out: &mut Out) {
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
            StatusItem::DeletedStorage => format!("DELETED-STORAGE {deleted_octets}"),
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
            "a STATUS inbox (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED DELETED-STORAGE SIZE)",
            "* STATUS INBOX (MESSAGES 2 RECENT 0 UIDNEXT 3 UIDVALIDITY 101 UNSEEN 1 DELETED 1 DELETED-STORAGE 11 SIZE 22)\na OK STATUS done\n",
        );
        // However often an item is asked, it is answered once: a LIST may answer for thousands of mailboxes.
        let many = "UNSEEN ".repeat(9_000);
        client.check(&format!("a STATUS inbox ({many}SIZE)"), "* STATUS INBOX (UNSEEN 1 SIZE 22)\na OK STATUS done\n");
        client.check(
            &format!("a LIST \"\" Sent RETURN (STATUS ({many}MESSAGES UNSEEN))"),
            "* LIST (\\HasNoChildren \\Sent) \"/\" Sent\n* STATUS Sent (UNSEEN 0 MESSAGES 0)\na OK LIST done\n",
        );
        client.check("a STATUS nope (MESSAGES)", "a NO [NONEXISTENT] there is no such mailbox\n");
    }
}
