//! LIST and LSUB (RFC 9051 6.3.9, RFC 3501 6.3.9, RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::glob::Glob;
use super::state::{Open, Turn, ask};
use super::status::Counted;
use super::{acl, metadata, status};
use crate::imap::command::{List, MetadataOptions, StatusItem, Tag};
use crate::imap::grammar::Coding;
use crate::imap::question::{MailboxRow, Question, Trouble};
use crate::imap::response::{Out, Reply};
use mail::{MailboxName, Rights, SpecialUse};

pub fn list(mut state: Open, tag: Tag, list: List, out: &mut Out) -> Turn {
    if list.patterns == [""] {
        // RFC 9051 6.3.9: an empty pattern asks for the separator and the root.
        out.untagged("LIST (\\Noselect) \"/\" \"\"");
        return state.done(tag, Reply::ok("LIST done"), out);
    }
    if list.return_status.as_ref().is_some_and(|items| items.contains(&StatusItem::HighestModSeq)) {
        state.use_mod_seq(out);
    }
    ask(Question::Mailboxes, move |answer, out| match answer.mailboxes() {
        Ok(rows) => {
            let sizes = list.return_status.as_ref().is_some_and(|items| items.contains(&StatusItem::DeletedStorage));
            status::with_deleted(rows, sizes, out, move |counted, out| match counted {
                Ok(counted) => {
                    let told = lines(&Tree::new(&counted), &list, &state, out);
                    match list.return_metadata {
                        Some((entries, options)) => with_metadata(state, tag, told.into(), entries, options, out),
                        None => state.done(tag, Reply::ok("LIST done"), out),
                    }
                }
                Err(trouble) => state.done(tag, trouble.into(), out),
            })
        }
        // Never an empty list: clients would drop their copies.
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

/// RFC 9590: what was asked of METADATA, mailbox by mailbox. One whose entries may not be read is left out.
fn with_metadata(
    state: Open,
    tag: Tag,
    mut names: VecDeque<MailboxName>,
    entries: Vec<String>,
    options: MetadataOptions,
    out: &mut Out,
) -> Turn {
    let Some(name) = names.pop_front() else { return state.done(tag, Reply::ok("LIST done"), out) };
    ask(Question::Metadata { name: Some(name.clone()) }, move |answer, out| match answer.metadata() {
        Ok(there) => {
            let found = metadata::asked(there, &entries, options.depth);
            metadata::line(&state, Some(&name), &found, options, out);
            // As a step of its own: the names may be many.
            Turn::More(Box::new(move |out| with_metadata(state, tag, names, entries, options, out)))
        }
        Err(Trouble::NoSuchMailbox | Trouble::NoPermission) => with_metadata(state, tag, names, entries, options, out),
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

pub fn lsub(state: Open, tag: Tag, reference: String, pattern: String, out: &mut Out) -> Turn {
    if pattern.is_empty() {
        out.untagged("LSUB (\\Noselect) \"/\" \"\"");
        return state.done(tag, Reply::ok("LSUB done"), out);
    }
    ask(Question::Mailboxes, move |answer, out| match answer.mailboxes() {
        Ok(rows) => {
            subscribed_lines(&rows, &reference, &pattern, state.coding(), out);
            state.done(tag, Reply::ok("LSUB done"), out)
        }
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

/// The mailboxes with the levels above them, also those that are no mailboxes.
struct Tree<'a> {
    names: BTreeMap<MailboxName, Option<&'a Counted>>,
    /// Names with a mailbox somewhere below.
    parents: BTreeSet<MailboxName>,
}

impl<'a> Tree<'a> {
    fn new(rows: &'a [Counted]) -> Tree<'a> {
        let existing = rows.iter().filter(|(row, _)| row.exists);
        let parents: BTreeSet<MailboxName> = existing.flat_map(|(row, _)| row.name.parents()).collect();
        let mut names: BTreeMap<_, _> = parents.iter().map(|name| (name.clone(), None)).collect();
        names.extend(rows.iter().map(|counted| (counted.0.name.clone(), Some(counted))));
        Tree { names, parents }
    }
}

/// Does the row pass the selection options?
fn is_chosen(row: Option<&MailboxRow>, list: &List) -> bool {
    let subscribed = row.is_some_and(|row| row.subscribed);
    let special = row.is_some_and(|row| row.exists && row.special_use.is_some());
    match (list.only_subscribed, list.only_special_use) {
        (true, true) => subscribed && special,
        (true, false) => subscribed,
        (false, true) => special,
        // A name that is only subscribed is none for plain LIST; a level above mailboxes is.
        (false, false) => row.is_none_or(|row| row.exists),
    }
}

/// Writes what matches; says which mailboxes that were.
fn lines(tree: &Tree<'_>, list: &List, state: &Open, out: &mut Out) -> Vec<MailboxName> {
    let (coding, mut told) = (state.coding(), Vec::new());
    let globs: Vec<Glob> = list.patterns.iter().map(|pattern| Glob::new(&list.reference, pattern)).collect();
    // RFC 5258 3: names above a chosen one, for RECURSIVEMATCH.
    let above: BTreeSet<MailboxName> = match list.recursive_match {
        true => {
            let chosen = tree.names.iter().filter(|(_, row)| is_chosen(row.map(|(row, _)| row), list));
            chosen.flat_map(|(name, _)| name.parents()).collect()
        }
        false => BTreeSet::new(),
    };
    for (name, counted) in &tree.names {
        let row = counted.map(|(row, _)| row);
        let (chosen, has_chosen_below) = (is_chosen(row, list), above.contains(name));
        if !(chosen || has_chosen_below) || !globs.iter().any(|glob| glob.matches(name.as_str())) {
            continue;
        }
        out.text(&format!("* LIST ({}) \"/\" ", list_attributes(tree, name, row, list)));
        out.mailbox(name, coding);
        if has_chosen_below {
            let option = if list.only_subscribed { "SUBSCRIBED" } else { "SPECIAL-USE" };
            out.text(&format!(" (\"CHILDINFO\" (\"{option}\"))"));
        }
        out.end_line();
        let Some((row, deleted_octets)) = counted.filter(|(row, _)| row.exists) else { continue };
        // RFC 4314 4: no right to read, no counts.
        if let Some(items) = list.return_status.as_ref().filter(|_| row.rights.contains(Rights::READ)) {
            status::line(row, *deleted_octets, items, state.shared(), out);
        }
        if list.return_rights {
            acl::my_rights_line(state, name, row.rights, out);
        }
        told.push(name.clone());
    }
    told
}

fn list_attributes(tree: &Tree<'_>, name: &MailboxName, row: Option<&MailboxRow>, list: &List) -> String {
    let exists = row.is_some_and(|row| row.exists);
    let mut words: Vec<&str> = Vec::new();
    if !exists {
        words.push("\\NonExistent");
    }
    // What RFC 3501 had for it; and RFC 4314 4: looked up, and not to be read.
    if (!exists && !list.extended) || row.is_some_and(|row| exists && !row.rights.contains(Rights::READ)) {
        words.push("\\Noselect");
    }
    words.push(if tree.parents.contains(name) { "\\HasChildren" } else { "\\HasNoChildren" });
    if row.is_some_and(|row| row.subscribed) && (list.only_subscribed || list.return_subscribed) {
        words.push("\\Subscribed");
    }
    words.extend(row.filter(|row| row.exists).and_then(|row| row.special_use).map(SpecialUse::attribute));
    words.join(" ")
}

/// The attributes of a mailbox that SELECT just opened.
pub fn attributes(special_use: Option<SpecialUse>, subscribed: bool) -> String {
    let words = subscribed.then_some("\\Subscribed").into_iter().chain(special_use.map(SpecialUse::attribute));
    words.collect::<Vec<&str>>().join(" ")
}

/// RFC 3501 6.3.9: subscribed names that match; and when `%` stops above a subscribed name, that level as \Noselect.
fn subscribed_lines(rows: &[MailboxRow], reference: &str, pattern: &str, coding: Coding, out: &mut Out) {
    let glob = Glob::new(reference, pattern);
    let mut names: BTreeMap<MailboxName, bool> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.subscribed) {
        names.insert(row.name.clone(), row.exists);
    }
    if pattern.ends_with('%') {
        let levels: Vec<MailboxName> = names.keys().flat_map(|name| name.parents().collect::<Vec<_>>()).collect();
        for level in levels {
            names.entry(level).or_insert(false);
        }
    }
    for (name, selectable) in names.iter().filter(|(name, _)| glob.matches(name.as_str())) {
        out.text(if *selectable { "* LSUB () \"/\" " } else { "* LSUB (\\Noselect) \"/\" " });
        out.mailbox(name, coding);
        out.end_line();
    }
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;
    use mail::Rights;

    fn client() -> Client {
        let mut client = Client::new();
        client.say("a CREATE lists/rust");
        client.say("a SUBSCRIBE lists/rust");
        client.say("a SUBSCRIBE old/gone");
        client
    }

    #[test]
    fn plain_list_shows_uses_and_children() {
        let mut client = client();
        client.check(
            "a LIST \"\" %",
            "* LIST (\\HasNoChildren) \"/\" INBOX\n* LIST (\\HasNoChildren \\Sent) \"/\" Sent\n\
             * LIST (\\HasNoChildren \\Trash) \"/\" Trash\n* LIST (\\HasChildren) \"/\" lists\na OK LIST done\n",
        );
        client.check("a LIST lists/ %", "* LIST (\\HasNoChildren) \"/\" lists/rust\na OK LIST done\n");
        client.check("a LIST \"\" inbox", "* LIST (\\HasNoChildren) \"/\" INBOX\na OK LIST done\n");
        client.check("a LIST \"\" \"\"", "* LIST (\\Noselect) \"/\" \"\"\na OK LIST done\n");
        client.check("a LIST \"\" nope", "a OK LIST done\n");
    }

    #[test]
    fn a_pattern_longer_than_any_name_is_bad() {
        let mut client = client();
        client.check(&format!("a LIST \"\" {}", "x%".repeat(512)), "a OK LIST done\n");
        client.check(&format!("a LIST y {}", "x%".repeat(512)), "a BAD LIST does not take that\n");
        client.check(&format!("a LSUB y {}", "x%".repeat(512)), "a BAD LSUB does not take that\n");
    }

    #[test]
    fn subscriptions_outlive_mailboxes() {
        let mut client = client();
        client.check(
            "a LIST (SUBSCRIBED) \"\" *",
            "* LIST (\\HasNoChildren \\Subscribed) \"/\" INBOX\n* LIST (\\HasNoChildren \\Subscribed \\Sent) \"/\" Sent\n\
             * LIST (\\HasNoChildren \\Subscribed) \"/\" lists/rust\n\
             * LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" old/gone\na OK LIST done\n",
        );
        client.check(
            "a LSUB \"\" *",
            "* LSUB () \"/\" INBOX\n* LSUB () \"/\" Sent\n* LSUB () \"/\" lists/rust\n* LSUB (\\Noselect) \"/\" old/gone\n\
             a OK LSUB done\n",
        );
        client.check(
            "a LSUB \"\" %",
            "* LSUB () \"/\" INBOX\n* LSUB () \"/\" Sent\n* LSUB (\\Noselect) \"/\" lists\n* LSUB (\\Noselect) \"/\" old\n\
             a OK LSUB done\n",
        );
        client.check("a UNSUBSCRIBE INBOX", "a OK UNSUBSCRIBE done\n");
        client.check("a LSUB \"\" I*", "a OK LSUB done\n");
    }

    #[test]
    fn mailboxes_of_others_hang_under_levels_that_are_none_and_show_their_rights() {
        let mut client = client();
        client.store.borrow_mut().add("Other Users/b/x");
        for rights in ["l", "lr"] {
            client.store.borrow_mut().rights.insert("Other Users/b/x".to_owned(), Rights::parse(rights).unwrap());
            let noselect = if rights == "l" { "\\Noselect " } else { "" };
            let status = if rights == "l" { "" } else { "* STATUS \"Other Users/b/x\" (MESSAGES 0)\n" };
            client.check(
                "a LIST \"\" \"Other*\" RETURN (STATUS (MESSAGES) MYRIGHTS)",
                &format!(
                    "* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users\"\n\
                     * LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users/b\"\n\
                     * LIST ({noselect}\\HasNoChildren) \"/\" \"Other Users/b/x\"\n{status}\
                     * MYRIGHTS \"Other Users/b/x\" {rights}\na OK LIST done\n"
                ),
            );
        }
    }

    #[test]
    fn metadata_comes_with_a_list() {
        let mut client = client();
        client.say("a SETMETADATA lists/rust (/shared/comment \"x\")");
        client.check(
            "a LIST \"\" lists* RETURN (METADATA (/shared/comment))",
            "* LIST (\\HasChildren) \"/\" lists\n* LIST (\\HasNoChildren) \"/\" lists/rust\n\
             * METADATA lists (/shared/comment NIL)\n* METADATA lists/rust (/shared/comment \"x\")\na OK LIST done\n",
        );
    }

    #[test]
    fn extended_list_selects_and_returns() {
        let mut client = client();
        client.check(
            "a LIST (SPECIAL-USE) \"\" * RETURN (SUBSCRIBED)",
            "* LIST (\\HasNoChildren \\Subscribed \\Sent) \"/\" Sent\n* LIST (\\HasNoChildren \\Trash) \"/\" Trash\n\
             a OK LIST done\n",
        );
        client.check(
            "a LIST \"\" (INBOX Sent) RETURN (STATUS (MESSAGES UNSEEN))",
            "* LIST (\\HasNoChildren) \"/\" INBOX\n* STATUS INBOX (MESSAGES 0 UNSEEN 0)\n\
             * LIST (\\HasNoChildren \\Sent) \"/\" Sent\n* STATUS Sent (MESSAGES 0 UNSEEN 0)\na OK LIST done\n",
        );
        client.check(
            "a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" l%",
            "* LIST (\\HasChildren) \"/\" lists (\"CHILDINFO\" (\"SUBSCRIBED\"))\na OK LIST done\n",
        );
    }
}
