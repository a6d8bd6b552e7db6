//! GETQUOTA and GETQUOTAROOT (RFC 9208 4.1.1, 4.1.2). An account has one quota root, named by the empty string.

use super::state::{Open, Turn, ask};
use crate::imap::command::{Name, Tag};
use crate::imap::question::{Question, Quota};
use crate::imap::response::{Code, Out, Reply};

pub fn get_quota(state: Open, tag: Tag, root: &[u8], out: &mut Out) -> Turn {
    if !root.is_empty() {
        return state.done(tag, Reply::no(Code::NonExistent, "there is no such quota root"), out);
    }
    ask(Question::Quota, move |answer, out| match answer.quota() {
        Ok(quota) => {
            line(quota, out);
            state.done(tag, Reply::ok("GETQUOTA done"), out)
        }
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

pub fn get_quota_root(state: Open, tag: Tag, name: Name, out: &mut Out) -> Turn {
    let name = match name {
        Ok(name) => name,
        Err(bad) => return state.done(tag, bad.into(), out),
    };
    ask(Question::Status { name }, move |answer, out| match answer.mailbox() {
        Ok(row) => ask(Question::Quota, move |answer, out| match answer.quota() {
            Ok(quota) => {
                out.text("* QUOTAROOT ");
                out.mailbox(&row.name, state.coding());
                out.text(" \"\"");
                out.end_line();
                line(quota, out);
                state.done(tag, Reply::ok("GETQUOTAROOT done"), out)
            }
            Err(trouble) => state.done(tag, trouble.into(), out),
        }),
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

/// STORAGE counts units of 1,024 octets (RFC 9208 5.1); a unit begun is used, a unit not whole is not granted.
fn line(quota: Quota, out: &mut Out) {
    let (used, limit) = (quota.used_octets.div_ceil(1024), quota.limit_octets / 1024);
    out.untagged(&format!("QUOTA \"\" (STORAGE {used} {limit})"));
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    #[test]
    fn quota_is_told_in_units_of_1024_octets() {
        let mut client = Client::new();
        client.check("a GETQUOTA \"\"", "* QUOTA \"\" (STORAGE 2 10)\na OK GETQUOTA done\n");
        client.check("a GETQUOTA x", "a NO [NONEXISTENT] there is no such quota root\n");
        client.check(
            "a GETQUOTAROOT INBOX",
            "* QUOTAROOT INBOX \"\"\n* QUOTA \"\" (STORAGE 2 10)\na OK GETQUOTAROOT done\n",
        );
        client.check("a GETQUOTAROOT nope", "a NO [NONEXISTENT] there is no such mailbox\n");
    }
}
