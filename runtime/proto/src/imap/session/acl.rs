//! SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314 3).

use super::state::{Open, Turn, ask};
use crate::imap::command::{Name, Tag};
use crate::imap::question::Question;
use crate::imap::response::{Code, Out, Reply};
use mail::{Identifier, MailboxName, Rights, RightsChange};

/// Each of those that can be given alone (RFC 4314 3.4), the obsolete ones at the end.
const GIVEN_ALONE: &str = "l r s w i p k x t e a c d";

pub fn get(state: Open, tag: Tag, name: Name, out: &mut Out) -> Turn {
    let name = match name {
        Ok(name) => name,
        Err(bad) => return state.done(tag, bad.into(), out),
    };
    ask(Question::Acl { name: name.clone() }, move |answer, out| match answer.acl() {
        Ok(entries) => {
            begin(&state, "ACL", &name, out);
            for (identifier, rights) in entries {
                out.text(" ");
                out.string(identifier.as_bytes());
                out.text(&format!(" {}", shown(rights)));
            }
            out.end_line();
            state.done(tag, Reply::ok("GETACL done"), out)
        }
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

pub fn my_rights(state: Open, tag: Tag, name: Name, out: &mut Out) -> Turn {
    let name = match name {
        Ok(name) => name,
        Err(bad) => return state.done(tag, bad.into(), out),
    };
    ask(Question::MyRights { name: name.clone() }, move |answer, out| match answer.rights() {
        Ok(rights) => {
            my_rights_line(&state, &name, rights, out);
            state.done(tag, Reply::ok("MYRIGHTS done"), out)
        }
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

/// `myrights-data = "MYRIGHTS" SP mailbox SP rights`; LIST RETURN (MYRIGHTS) writes the same.
pub fn my_rights_line(state: &Open, name: &MailboxName, rights: Rights, out: &mut Out) {
    begin(state, "MYRIGHTS", name, out);
    out.text(&format!(" {}", shown(rights)));
    out.end_line();
}

pub fn list_rights(state: Open, tag: Tag, name: Name, identifier: Option<Identifier>, out: &mut Out) -> Turn {
    let (name, identifier) = match named(name, identifier) {
        Ok(both) => both,
        Err(reply) => return state.done(tag, reply, out),
    };
    let question = Question::FixedRights { name: name.clone(), identifier: identifier.clone() };
    ask(question, move |answer, out| match answer.rights() {
        Ok(fixed) => {
            begin(&state, "LISTRIGHTS", &name, out);
            out.text(" ");
            out.string(identifier.to_string().as_bytes());
            let may_be_given =
                GIVEN_ALONE.split(' ').filter(|right| Rights::parse(right).is_some_and(|it| !fixed.meets(it)));
            out.text(&format!(" {}", shown(fixed)));
            may_be_given.for_each(|right| out.text(&format!(" {right}")));
            out.end_line();
            state.done(tag, Reply::ok("LISTRIGHTS done"), out)
        }
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

pub fn set(
    state: Open,
    tag: Tag,
    (name, identifier): (Name, Option<Identifier>),
    (change, rights): (RightsChange, Option<Rights>),
    out: &mut Out,
) -> Turn {
    // RFC 4314 3.1: a right there is not is BAD.
    let Some(rights) = rights else { return state.done(tag, Reply::bad("that is no right"), out) };
    match named(name, identifier) {
        Ok((name, identifier)) => {
            state.ask_done(tag, Question::SetAcl { name, identifier, change, rights }, "SETACL done")
        }
        Err(reply) => state.done(tag, reply, out),
    }
}

pub fn delete(state: Open, tag: Tag, name: Name, identifier: Option<Identifier>, out: &mut Out) -> Turn {
    match named(name, identifier) {
        Ok((name, identifier)) => {
            let (change, rights) = (RightsChange::Replace, Rights::NONE);
            state.ask_done(tag, Question::SetAcl { name, identifier, change, rights }, "DELETEACL done")
        }
        Err(reply) => state.done(tag, reply, out),
    }
}

fn named(name: Name, identifier: Option<Identifier>) -> Result<(MailboxName, Identifier), Reply> {
    let identifier = identifier.ok_or_else(|| Reply::no(Code::Cannot, "that identifier names nobody"))?;
    Ok((name?, identifier))
}

fn begin(state: &Open, word: &str, name: &MailboxName, out: &mut Out) {
    out.text(&format!("* {word} "));
    out.mailbox(name, state.coding());
}

fn shown(rights: Rights) -> String {
    if rights.is_empty() { "\"\"".to_owned() } else { rights.shown() }
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;
    use mail::Rights;

    const ALL: &str = "lrswipkxteacd";

    #[test]
    fn a_list_is_set_changed_shown_and_taken_back() {
        let mut client = Client::new();
        client.check("a GETACL INBOX", &format!("* ACL INBOX \"toto-j\" {ALL}\na OK GETACL done\n"));
        client.check("a SETACL INBOX Dupont-M lrs", "a OK SETACL done\n");
        client.check("a SETACL INBOX dupont-m +wd", "a OK SETACL done\n");
        client.check("a SETACL INBOX dupont-m -s", "a OK SETACL done\n");
        client.check("a SETACL INBOX -dupont-m t", "a OK SETACL done\n");
        client.check("a SETACL INBOX \"$contact@example.org\" l", "a OK SETACL done\n");
        client.check(
            "a GETACL INBOX",
            &format!(
                "* ACL INBOX \"toto-j\" {ALL} \"$contact@example.org\" l \"-dupont-m\" td \"dupont-m\" lrwted\na OK GETACL done\n"
            ),
        );
        client.check("a DELETEACL INBOX dupont-m", "a OK DELETEACL done\n");
        client.check("a SETACL INBOX -dupont-m \"\"", "a OK SETACL done\n");
        client.check(
            "a GETACL INBOX",
            &format!("* ACL INBOX \"toto-j\" {ALL} \"$contact@example.org\" l\na OK GETACL done\n"),
        );
    }

    #[test]
    fn rights_and_identifiers_that_are_none_are_refused() {
        let mut client = Client::new();
        client.check("a SETACL INBOX dupont-m lz", "a BAD that is no right\n");
        client.check("a SETACL INBOX dupont-m", "a BAD SETACL does not take that\n");
        client.check("a SETACL INBOX --x l", "a NO [CANNOT] that identifier names nobody\n");
        client.check("a SETACL nope x l", "a NO [NONEXISTENT] there is no such mailbox\n");
        client.check("a DELETEACL \"x%\" x", "a NO [CANNOT] a mailbox name has no control character, % or *\n");
        client.check("a GETACL nope", "a NO [NONEXISTENT] there is no such mailbox\n");
    }

    #[test]
    fn rights_that_can_be_given_are_listed_and_ones_own_are_told() {
        let mut client = Client::new();
        client.check(
            "a LISTRIGHTS INBOX dupont-m",
            "* LISTRIGHTS INBOX \"dupont-m\" \"\" l r s w i p k x t e a c d\na OK LISTRIGHTS done\n",
        );
        client.check(
            "a LISTRIGHTS INBOX toto-j",
            &format!("* LISTRIGHTS INBOX \"toto-j\" {ALL}\na OK LISTRIGHTS done\n"),
        );
        client.check("a MYRIGHTS INBOX", &format!("* MYRIGHTS INBOX {ALL}\na OK MYRIGHTS done\n"));
        client.store.borrow_mut().rights.insert("Sent".to_owned(), Rights::parse("lr").unwrap());
        client.check("a MYRIGHTS Sent", "* MYRIGHTS Sent lr\na OK MYRIGHTS done\n");
        client.check("a GETACL Sent", "a NO [NOPERM] the rights on the mailbox do not allow that\n");
    }
}
