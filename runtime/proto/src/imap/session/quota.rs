//! GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208 4.1). An account has one quota root: one's own is named by the empty string,
//! another's by the name its INBOX has here.

use super::state::{Open, Turn, ask};
use crate::imap::command::{Name, Tag};
use crate::imap::question::{Question, Quota, Trouble};
use crate::imap::response::{Code, Out, Reply};

pub fn get_quota(state: Open, tag: Tag, root: Vec<u8>, out: &mut Out) -> Turn {
    let Ok(root) = String::from_utf8(root) else { return state.done(tag, no_root(), out) };
    ask(Question::Quota { root }, move |answer, out| match answer.quota() {
        Ok(quota) => {
            line(&quota, out);
            state.done(tag, Reply::ok("GETQUOTA done"), out)
        }
        Err(Trouble::NoSuchMailbox) => state.done(tag, no_root(), out),
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

pub fn get_quota_root(state: Open, tag: Tag, name: Name, out: &mut Out) -> Turn {
    let name = match name {
        Ok(name) => name,
        Err(bad) => return state.done(tag, bad.into(), out),
    };
    ask(Question::QuotaOf { name: name.clone() }, move |answer, out| match answer.quota() {
        Ok(quota) => {
            out.text("* QUOTAROOT ");
            out.mailbox(&name, state.coding());
            out.text(" ");
            out.string(quota.root.as_bytes());
            out.end_line();
            line(&quota, out);
            state.done(tag, Reply::ok("GETQUOTAROOT done"), out)
        }
        Err(trouble) => state.done(tag, trouble.into(), out),
    })
}

/// RFC 9208 4.1.3: QUOTASET is not announced; the policy says how much everybody may keep.
pub fn set_quota(state: Open, tag: Tag, out: &mut Out) -> Turn {
    state.done(tag, Reply::no(Code::NoPerm, "quotas are set in the policy"), out)
}

fn no_root() -> Reply {
    Reply::no(Code::NonExistent, "there is no such quota root")
}

/// STORAGE counts units of 1,024 octets (RFC 9208 5.1); a unit begun is used, a unit not whole is not granted.
fn line(quota: &Quota, out: &mut Out) {
    let (used, limit) = (quota.used_octets.div_ceil(1024), quota.limit_octets / 1024);
    out.text("* QUOTA ");
    out.string(quota.root.as_bytes());
    out.text(&format!(" (STORAGE {used} {limit})"));
    out.end_line();
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    #[test]
    fn quota_is_told_in_units_of_1024_octets() {
        let mut client = Client::new();
        client.store.borrow_mut().add("Other Users/b");
        client.check("a GETQUOTA \"\"", "* QUOTA \"\" (STORAGE 2 10)\na OK GETQUOTA done\n");
        client.check("a GETQUOTA x", "a NO [NONEXISTENT] there is no such quota root\n");
        client.check(
            "a GETQUOTAROOT INBOX",
            "* QUOTAROOT INBOX \"\"\n* QUOTA \"\" (STORAGE 2 10)\na OK GETQUOTAROOT done\n",
        );
        client.check("a GETQUOTAROOT \"Other Users/b\"", "* QUOTAROOT \"Other Users/b\" \"Other Users/b\"\n* QUOTA \"Other Users/b\" (STORAGE 2 10)\na OK GETQUOTAROOT done\n");
        client.check("a SETQUOTA \"\" (STORAGE 9)", "a NO [NOPERM] quotas are set in the policy\n");
        client.check("a GETQUOTAROOT nope", "a NO [NONEXISTENT] there is no such mailbox\n");
    }
}
