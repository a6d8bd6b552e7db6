//! Which command is allowed in which state (RFC 9051 3, 6), and where it goes.

use super::capability::{before_login, capability, enable, id, namespace};
use super::state::{Expunges, NotAuthenticated, Open, Selected, State, Turn, uid_required};
use super::store::Change;
use super::{
    acl, batches, compress, copy, expunge, fetch, idle, list, login, mailboxes, metadata, multisearch, notify, quota,
    search, select, status, store,
};
use crate::imap::command::{Command, Key, OnAccount, OnAcl, OnSelected, Set, Tag, Tagged};
use crate::imap::response::{Code, Out, Reply};

/// Where a command led.
pub enum Dispatched {
    Turn(Turn),
    /// It is not for this state: say so and count it.
    Refused(State, Tag, Reply),
}

pub fn dispatch(state: State, Tagged { tag, command }: Tagged, out: &mut Out) -> Dispatched {
    match state {
        State::NotAuthenticated(state) => stranger(state, tag, command, out),
        State::Open(open) => account(open, tag, command, out),
    }
}

fn stranger(mut state: NotAuthenticated, tag: Tag, command: Command, out: &mut Out) -> Dispatched {
    let reply = match command {
        Command::Login { login, secret } => return Dispatched::Turn(login::login(state, tag, login, secret, out)),
        Command::Authenticate { mechanism, initial } => {
            return Dispatched::Turn(login::authenticate(state, tag, &mechanism, initial.as_deref(), out));
        }
        Command::Logout => return Dispatched::Turn(logout(&tag, out)),
        Command::Capability => capability(&before_login(&state.shared), out),
        Command::Noop => Reply::ok("NOOP done"),
        Command::Id { client } => id(&mut state.shared, client, out),
        Command::StartTls => {
            // RFC 8314: this is implicit TLS already.
            let reply = Reply::bad("the connection has TLS");
            return Dispatched::Refused(State::NotAuthenticated(state), tag, reply);
        }
        Command::OnAccount(_) | Command::OnSelected(_) => {
            return Dispatched::Refused(State::NotAuthenticated(state), tag, Reply::bad("log in first"));
        }
    };
    Dispatched::Turn(state.done(&tag, &reply, out))
}

/// Commands that somebody logged in may give, with or without a mailbox.
fn account(mut open: Open, tag: Tag, command: Command, out: &mut Out) -> Dispatched {
    Dispatched::Turn(match command {
        Command::Login { .. } | Command::Authenticate { .. } | Command::StartTls => {
            return Dispatched::Refused(State::Open(open), tag, Reply::bad("somebody is logged in already"));
        }
        Command::Logout => logout(&tag, out),
        Command::Capability => {
            let reply = capability(&open.shared().capabilities(), out);
            open.done(tag, reply, out)
        }
        Command::Noop => open.done(tag, Reply::ok("NOOP done"), out),
        Command::Id { client } => {
            let reply = id(open.shared_mut(), client, out);
            open.done(tag, reply, out)
        }
        Command::OnAccount(command) => on_account(open, tag, command, out),
        Command::OnSelected(command) => match open {
            Open::Selected(state) if state.shared.enabled.uid_only && has_numbers(&command) => {
                return Dispatched::Refused(State::Open(Open::Selected(state)), tag, uid_required());
            }
            Open::Selected(state) => on_selected(state, tag, command, out),
            Open::Authenticated(_) => {
                let reply = Reply::bad("no mailbox is selected").with(Code::ClientBug);
                return Dispatched::Refused(State::Open(open), tag, reply);
            }
        },
    })
}

fn on_account(mut open: Open, tag: Tag, command: OnAccount, out: &mut Out) -> Turn {
    match command {
        OnAccount::Enable(words) => {
            let before = open.shared().enabled;
            let reply = enable(open.shared_mut(), &words, out);
            open.enabled(before, out);
            open.done(tag, reply, out)
        }
        OnAccount::Namespace => namespace(open, tag, out),
        OnAccount::Select { name, read_only, parameters } => {
            select::select(open, tag, name, read_only, parameters, out)
        }
        OnAccount::Create { name, given, uses } => mailboxes::create(open, tag, (name, given), uses, out),
        OnAccount::Delete(name) => mailboxes::delete(open, tag, name, out),
        OnAccount::Rename { from, to } => mailboxes::rename(open, tag, from, to, out),
        OnAccount::Subscribe { name, on } => mailboxes::subscribe(open, tag, name, on, out),
        OnAccount::List(list) => list::list(open, tag, list, out),
        OnAccount::Lsub { reference, pattern } => list::lsub(open, tag, reference, pattern, out),
        OnAccount::Status { name, items } => status::status(open, tag, name, items, out),
        OnAccount::GetQuota { root } => quota::get_quota(open, tag, root, out),
        OnAccount::MultiSearch(search) => multisearch::multi_search(open, tag, search, out),
        OnAccount::GetQuotaRoot(name) => quota::get_quota_root(open, tag, name, out),
        OnAccount::Notify(notify) => notify::notify(open, tag, notify, out),
        OnAccount::Idle => idle::idle(open, tag, out),
        OnAccount::Compress => compress::compress(open, tag, out),
        OnAccount::SetQuota => quota::set_quota(open, tag, out),
        OnAccount::Acl(command) => on_rights(open, tag, command, out),
        OnAccount::GetMetadata { of, entries, options } => metadata::get(open, tag, of, (entries, options), out),
        OnAccount::SetMetadata { of, values } => metadata::set(open, tag, of, values, out),
    }
}

fn on_rights(open: Open, tag: Tag, command: OnAcl, out: &mut Out) -> Turn {
    match command {
        OnAcl::Get(name) => acl::get(open, tag, name, out),
        OnAcl::MyRights(name) => acl::my_rights(open, tag, name, out),
        OnAcl::ListRights(name, identifier) => acl::list_rights(open, tag, name, identifier, out),
        OnAcl::Set { name, identifier, change, rights } => {
            acl::set(open, tag, (name, identifier), (change, rights), out)
        }
        OnAcl::Delete(name, identifier) => acl::delete(open, tag, name, identifier, out),
    }
}

fn on_selected(state: Box<Selected>, tag: Tag, command: OnSelected, out: &mut Out) -> Turn {
    match command {
        OnSelected::Check => state.done_with_news(tag, Reply::ok("CHECK done")),
        OnSelected::Close => select::close(state, tag),
        OnSelected::Unselect => select::unselect(*state, tag, "UNSELECT done"),
        OnSelected::Expunge => expunge::expunge(state, tag, None, out),
        OnSelected::UidExpunge(messages) => expunge::expunge(state, tag, Some(messages), out),
        OnSelected::Fetch { messages, items, modifiers } => fetch::fetch(state, tag, messages, items, modifiers, out),
        OnSelected::Store { messages, change, silent, flags, unchanged_since } => {
            store::store(state, tag, messages, Change { change, silent, flags, unchanged_since }, out)
        }
        OnSelected::Copy { messages, to } => copy::copy(state, tag, messages, to, out),
        OnSelected::Move { messages, to } => copy::move_(state, tag, messages, to, out),
        OnSelected::Search(search) => search::search(state, tag, search, out),
        OnSelected::CancelUpdate(tags) => {
            let mut state = state;
            state.view.live.cancel(&tags);
            state.done(&tag, &Reply::ok("CANCELUPDATE done"), Expunges::Told, out)
        }
        OnSelected::UidBatches { size, batches } => batches::uid_batches(state, tag, size, batches, out),
    }
}

/// Does the command, or its answer, name messages by number? Then RFC 9586 3.1 forbids it under UIDONLY.
fn has_numbers(command: &OnSelected) -> bool {
    match command {
        OnSelected::Fetch { messages, .. }
        | OnSelected::Store { messages, .. }
        | OnSelected::Copy { messages, .. }
        | OnSelected::Move { messages, .. } => !messages.uid,
        OnSelected::Search(search) => !search.uid || key_has_numbers(&search.key),
        OnSelected::Check
        | OnSelected::Close
        | OnSelected::Unselect
        | OnSelected::Expunge
        | OnSelected::UidExpunge(_)
        | OnSelected::CancelUpdate(_)
        | OnSelected::UidBatches { .. } => false,
    }
}

pub fn key_has_numbers(key: &Key) -> bool {
    match key {
        // `$` is no number.
        Key::Messages(messages) => !messages.uid && messages.set != Set::Saved,
        Key::Not(key) => key_has_numbers(key),
        Key::Or(one, other) => key_has_numbers(one) || key_has_numbers(other),
        Key::And(keys) => keys.iter().any(key_has_numbers),
        _ => false,
    }
}

/// RFC 9051 6.1.3.
fn logout(tag: &Tag, out: &mut Out) -> Turn {
    out.untagged_reply(&Reply::bye("until next time"));
    out.tagged(tag, &Reply::ok("LOGOUT done"));
    Turn::Close
}
