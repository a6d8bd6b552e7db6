//! GETMETADATA and SETMETADATA (RFC 5464 4).

use super::state::{Open, Turn, ask};
use crate::imap::command::{Depth, MetadataOf, MetadataOptions, MetadataValue, Tag};
use crate::imap::question::{Question, SPECIAL_USE};
use crate::imap::response::{Code, Out, Reply};
use mail::{MailboxName, SpecialUse};

/// Octets of a value: less than a command may have.
const VALUE_OCTETS_MAX: usize = 32 * 1024;

pub fn get(
    state: Open,
    tag: Tag,
    of: MetadataOf,
    (entries, options): (Vec<String>, MetadataOptions),
    out: &mut Out,
) -> Turn {
    let name = match named(of) {
        Ok(name) => name,
        Err(reply) => return state.done(tag, reply, out),
    };
    ask(Question::Metadata { name: name.clone() }, move |answer, out| match answer.metadata() {
        Ok(there) => {
            let longest = line(&state, name.as_ref(), &asked(there, &entries, options.depth), options, out);
            let reply = Reply::ok("GETMETADATA done");
            state.done(tag, longest.map_or(reply.clone(), |octets| reply.with(Code::LongEntries(octets))), out)
        }
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

/// Entries and their values; `None` for one that was asked by its name and has none.
pub type Found = Vec<(String, Option<Vec<u8>>)>;

/// Those of `there` that were asked, once each: by name, or below a name as far as `depth` says.
pub fn asked(there: Vec<(String, Vec<u8>)>, entries: &[String], depth: Depth) -> Found {
    let is_asked = |name: &str| {
        entries.iter().any(|entry| match name.strip_prefix(entry.as_str()) {
            Some("") => true,
            Some(below) => match (below.strip_prefix('/'), depth) {
                (None, _) | (_, Depth::Zero) => false,
                (Some(below), Depth::One) => !below.contains('/'),
                (Some(_), Depth::Infinity) => true,
            },
            None => false,
        })
    };
    let mut found: Found = there.into_iter().filter(|(name, _)| is_asked(name)).map(|(n, v)| (n, Some(v))).collect();
    if depth == Depth::Zero {
        for entry in entries {
            if !found.iter().any(|(name, _)| name == entry) {
                found.push((entry.clone(), None));
            }
        }
    }
    found
}

/// `* METADATA mailbox (entry value …)`, unless there is nothing to tell; the octets of the longest value that was too long.
/// LIST RETURN (METADATA) writes the same.
pub fn line(
    state: &Open,
    name: Option<&MailboxName>,
    found: &Found,
    options: MetadataOptions,
    out: &mut Out,
) -> Option<u64> {
    let octets = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, |value| value.len() as u64);
    let fits = |value: &Option<Vec<u8>>| options.octets_max.is_none_or(|most| octets(value) <= most);
    let longest = found.iter().filter(|(_, value)| !fits(value)).map(|(_, value)| octets(value)).max();
    let told: Vec<_> = found.iter().filter(|(_, value)| fits(value)).collect();
    if told.is_empty() {
        return longest;
    }
    out.text("* METADATA ");
    match name {
        Some(name) => out.mailbox(name, state.coding()),
        None => out.text("\"\""),
    }
    for (index, (entry, value)) in told.into_iter().enumerate() {
        out.text(if index == 0 { " (" } else { " " });
        out.text(entry);
        out.text(" ");
        match value {
            // `value = nstring / literal8`: NUL stands in no nstring.
            Some(value) if value.contains(&0) => {
                out.text("~");
                out.literal_begins(value.len());
                out.raw(value);
            }
            Some(value) => out.string(value),
            None => out.text("NIL"),
        }
    }
    out.text(")");
    out.end_line();
    longest
}

pub fn set(state: Open, tag: Tag, of: MetadataOf, values: Vec<MetadataValue>, out: &mut Out) -> Turn {
    let too_long = |(_, value): &MetadataValue| value.as_ref().is_some_and(|value| value.len() > VALUE_OCTETS_MAX);
    if values.iter().any(too_long) {
        let code = Code::MaxSize(VALUE_OCTETS_MAX as u64);
        return state.done(tag, Reply::no(code, "a value is too long"), out);
    }
    let name = match named(of) {
        Ok(name) => name,
        Err(reply) => return state.done(tag, reply, out),
    };
    if let Some(name) = &name
        && values.iter().any(|value| !may_be_for(name, value))
    {
        return state.done(tag, Reply::no(Code::UseAttr, "a mailbox cannot be for that here"), out);
    }
    state.ask_done(tag, Question::SetMetadata { name, values }, "SETMETADATA done")
}

/// RFC 6154 4: the use of a mailbox is changed by this entry.
fn may_be_for(name: &MailboxName, (entry, value): &MetadataValue) -> bool {
    match value {
        Some(value) if entry == SPECIAL_USE => {
            !name.is_inbox() && std::str::from_utf8(value).is_ok_and(|value| SpecialUse::named(value).is_some())
        }
        Some(_) | None => true,
    }
}

fn named(of: MetadataOf) -> Result<Option<MailboxName>, Reply> {
    match of {
        MetadataOf::Server => Ok(None),
        MetadataOf::Mailbox(name) => Ok(Some(name?)),
    }
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    #[test]
    fn entries_are_set_read_and_removed() {
        let mut client = Client::new();
        client.check(
            "a SETMETADATA INBOX (/private/Comment \"mine\" /shared/comment {4+}\r\nours)",
            "a OK SETMETADATA done\n",
        );
        client.check(
            "a GETMETADATA INBOX (/private/comment /SHARED/comment /private/x)",
            "* METADATA INBOX (/private/comment \"mine\" /shared/comment \"ours\" /private/x NIL)\na OK GETMETADATA done\n",
        );
        client.check("a SETMETADATA INBOX (/private/comment NIL)", "a OK SETMETADATA done\n");
        client.check(
            "a GETMETADATA INBOX /private/comment",
            "* METADATA INBOX (/private/comment NIL)\na OK GETMETADATA done\n",
        );
        client.check("a GETMETADATA nope /private/x", "a NO [NONEXISTENT] there is no such mailbox\n");
        client.check("a SETMETADATA \"\" (/private/x ~{1+}\r\ny)", "a OK SETMETADATA done\n");
        client.check("a GETMETADATA \"\" /private/x", "* METADATA \"\" (/private/x \"y\")\na OK GETMETADATA done\n");
        client.say("a SETMETADATA \"\" (/private/x ~{3+}\r\na\0b)");
        client
            .check("a GETMETADATA \"\" /private/x", "* METADATA \"\" (/private/x ~{3}\na\0b)\na OK GETMETADATA done\n");
    }

    #[test]
    fn the_use_of_a_mailbox_is_an_entry_that_can_be_changed() {
        let mut client = Client::new();
        client.say("a CREATE Autre");
        client.check(
            "a SETMETADATA Autre (/private/specialuse \"\\\\Sent\")",
            "a NO [USEATTR] another mailbox is for that\n",
        );
        client.check("a SETMETADATA Sent (/private/specialuse NIL)", "a OK SETMETADATA done\n");
        client.check("a SETMETADATA Autre (/private/SpecialUse \"\\\\sent\")", "a OK SETMETADATA done\n");
        client.check(
            "a GETMETADATA Autre /private/specialuse",
            "* METADATA Autre (/private/specialuse \"\\\\Sent\")\na OK GETMETADATA done\n",
        );
        client.check("a LIST \"\" Autre", "* LIST (\\HasNoChildren \\Sent) \"/\" Autre\na OK LIST done\n");
        for (mailbox, value) in [("Autre", "\\\\Inbox"), ("Autre", "x"), ("Autre", ""), ("INBOX", "\\\\Trash")] {
            let command = format!("a SETMETADATA {mailbox} (/private/specialuse \"{value}\")");
            client.check(&command, "a NO [USEATTR] a mailbox cannot be for that here\n");
        }
    }

    #[test]
    fn depth_and_size_choose_what_is_told() {
        let mut client = Client::new();
        client.say("a SETMETADATA INBOX (/private/f/a \"12345\" /private/f/a/b \"1\" /private/fg \"2\")");
        for (options, told) in [
            ("(DEPTH 0) ", "* METADATA INBOX (/private/f NIL)\na OK GETMETADATA done\n"),
            ("(DEPTH 1) ", "* METADATA INBOX (/private/f/a \"12345\")\na OK GETMETADATA done\n"),
            (
                "(DEPTH infinity) ",
                "* METADATA INBOX (/private/f/a \"12345\" /private/f/a/b \"1\")\na OK GETMETADATA done\n",
            ),
            (
                "(DEPTH infinity MAXSIZE 4) ",
                "* METADATA INBOX (/private/f/a/b \"1\")\na OK [METADATA LONGENTRIES 5] GETMETADATA done\n",
            ),
            ("(MAXSIZE 4 DEPTH 1) ", "a OK [METADATA LONGENTRIES 5] GETMETADATA done\n"),
        ] {
            client.check(&format!("a GETMETADATA {options}INBOX /private/f"), told);
            client.check(&format!("a GETMETADATA INBOX {options}/private/f"), told);
        }
    }

    #[test]
    fn what_is_no_entry_is_bad_and_what_is_too_long_is_refused() {
        let mut client = Client::new();
        for entry in ["comment", "/private/", "/private//x", "/private/x/", "/other/x", "/private/a*", "/shared/%"] {
            client.check(&format!("a GETMETADATA INBOX \"{entry}\""), "a BAD GETMETADATA does not take that\n");
        }
        let long = format!("a SETMETADATA INBOX (/private/x {{32769+}}\r\n{})", "x".repeat(32_769));
        client.check(&long, "a NO [METADATA MAXSIZE 32768] a value is too long\n");
        client.check("a GETMETADATA (DEPTH 1) INBOX (DEPTH 1) /private/x", "a BAD GETMETADATA does not take that\n");
    }
}
