//! What the client asked to be told of the selected mailbox beside EXISTS, EXPUNGE and flags: items of new messages (RFC 5465
//! 5.2), and how the results of searches change (RFC 5267 4.3). Both are told at the end of each command, in IDLE, and between
//! commands where NOTIFY lets anything be told there.
//!
//! INVARIANT (changed only): a search is done again for messages that are new or changed, and for no others.

use std::collections::BTreeSet;
use std::ops::Range;

use super::context::{Context, FOUND_MAX};
use super::ending::{Ending, Next};
use super::fetch;
use super::search::search_again;
use super::state::{Selected, Turn, ask};
use crate::imap::command::{FetchItem, Tag};
use crate::imap::question::{Question, Trouble};
use crate::imap::response::{Code, Out, Reply};
use mail::index::Index;
use mail::order::{Facts, KeyParts, Keys, sort};

/// Results kept at a time (RFC 5267 4.3.1: at least one).
pub const CONTEXTS_MAX: usize = 4;

#[derive(Debug)]
pub struct Live {
    contexts: Vec<Context>,
    /// UIDs of messages that changed and were not looked at again. Kept only while there are contexts.
    changed: BTreeSet<u32>,
    /// Messages with larger UIDs are new.
    new_above: u32,
}

impl Live {
    pub fn new(new_above: u32) -> Live {
        Live { contexts: Vec::new(), changed: BTreeSet::new(), new_above }
    }

    pub fn changed(&mut self, uids: impl Iterator<Item = u32>) {
        if !self.contexts.is_empty() {
            self.changed.extend(uids);
        }
    }

    /// These, which ascend, are about to lose their numbers.
    pub fn expunged(&mut self, uids: &[u32], rows: &Index, out: &mut Out) {
        if self.contexts.is_empty() {
            return;
        }
        let uids: BTreeSet<u32> = uids.iter().copied().collect();
        self.changed.retain(|uid| !uids.contains(uid));
        for context in &mut self.contexts {
            let changes = context.remove(&uids, rows);
            context.tell(&changes, out);
        }
    }

    /// Is this the tag of a result that is kept?
    pub fn has(&self, tag: &Tag) -> bool {
        self.contexts.iter().any(|context| context.tag == *tag)
    }

    /// Keeps a result, or says that it is not.
    pub fn keep(&mut self, context: Context, out: &mut Out) {
        if self.contexts.len() >= CONTEXTS_MAX {
            return no_update(context.tag, "as many searches are kept up to date as may be", out);
        }
        if context.found.len() > FOUND_MAX {
            return no_update(context.tag, "it finds too much to be kept up to date", out);
        }
        self.contexts.push(context);
    }

    /// RFC 5267 4.3.5. A tag of none is that of a result that is not kept any more, or never was: nothing more comes of it either.
    pub fn cancel(&mut self, tags: &[Vec<u8>]) {
        self.contexts.retain(|context| !tags.iter().any(|tag| tag == context.tag.as_str().as_bytes()));
        if self.contexts.is_empty() {
            self.changed.clear();
        }
    }

    /// All that is new up to this UID was told.
    pub fn settle(&mut self, uid_max: u32) {
        self.new_above = uid_max;
    }

    /// The result is not known any more.
    fn give_up(&mut self, at: usize, out: &mut Out) {
        if at < self.contexts.len() {
            let context = self.contexts.remove(at);
            no_update(context.tag, "the search is not kept up to date any more", out);
        }
    }
}

/// RFC 5267 4.3.1.
pub fn no_update(tag: Tag, text: &'static str, out: &mut Out) {
    out.untagged_reply(&Reply::no(Code::NoUpdate(tag), text));
}

/// What is fetched of new messages.
fn wanted(state: &Selected) -> Vec<FetchItem> {
    let notify = state.shared.notify.as_ref();
    notify.and_then(|notify| notify.of_selected(state.view.mailbox())).map_or_else(Vec::new, |wanted| wanted.items)
}

pub fn is_due(state: &Selected) -> bool {
    let live = &state.view.live;
    let is_new = state.view.uid_max() > live.new_above;
    let kept = !live.contexts.is_empty() && (is_new || !live.changed.is_empty());
    kept || (is_new && !wanted(state).is_empty())
}

/// Tells what is new, then goes on.
pub fn tell(
    mut state: Box<Selected>,
    out: &mut Out,
    then: impl FnOnce(Box<Selected>, &mut Out) -> Turn + Send + 'static,
) -> Turn {
    if !is_due(&state) {
        state.view.live.settle(state.view.uid_max());
        return then(state, out);
    }
    if state.view.is_read() {
        return arrived(state, Box::new(then), out);
    }
    state.hear(true, move |mut state, trouble, out| match trouble {
        None => arrived(state, Box::new(then), out),
        Some(_) => {
            (0..CONTEXTS_MAX).for_each(|_| state.view.live.give_up(0, out));
            state.view.live.changed.clear();
            then(state, out)
        }
    })
}

fn arrived(mut state: Box<Selected>, then: Next, out: &mut Out) -> Turn {
    let view = &mut state.view;
    let places = view.rows().place_from(view.live.new_above.saturating_add(1))..view.rows().len();
    let entries = view.rows().runs(places).flat_map(|run| run.entries());
    let new: Vec<u32> = entries.map(|(_, _, row)| row.uid).filter(|uid| !view.is_gone(*uid)).collect();
    view.live.settle(view.uid_max());
    let items = wanted(&state);
    let uids = new.clone();
    let next = move |state: Box<Selected>, out: &mut Out| search_all(state, new, then, out);
    fetch_unasked(state, &uids, items, Box::new(next), out)
}

/// RFC 5465 5.2: the UID is told, asked or not; RFC 7162 3.1: so is MODSEQ to those who are told any.
fn fetch_unasked(state: Box<Selected>, uids: &[u32], mut items: Vec<FetchItem>, next: Next, out: &mut Out) -> Turn {
    if uids.is_empty() || items.is_empty() {
        return next(state, out);
    }
    let enabled = state.shared.enabled;
    if !items.contains(&FetchItem::Uid) && !enabled.uid_only {
        items.insert(0, FetchItem::Uid);
    }
    if !items.contains(&FetchItem::ModSeq) && enabled.condstore {
        items.push(FetchItem::ModSeq);
    }
    let places = places(&state, uids);
    // Nobody has read what was not asked for.
    fetch::tell(state, Ending::Unsolicited(next), (items, false), places, out)
}

/// Where these messages are, those that are there.
fn places(state: &Selected, uids: &[u32]) -> Vec<Range<usize>> {
    let view = &state.view;
    uids.iter().filter_map(|uid| view.index_of(*uid)).map(|place| place..place + 1).collect()
}

/// The searches on their way.
struct Again {
    /// UIDs, ascending.
    uids: Vec<u32>,
    /// Messages that came, ascending.
    new: Vec<u32>,
    /// The next of the contexts.
    at: usize,
    then: Next,
}

fn search_all(mut state: Box<Selected>, new: Vec<u32>, then: Next, out: &mut Out) -> Turn {
    let changed = std::mem::take(&mut state.view.live.changed);
    let view = &mut state.view;
    // What is found by its new flags waits for the flags.
    let (held, changed): (BTreeSet<u32>, BTreeSet<u32>) = changed.into_iter().partition(|uid| view.is_held(*uid));
    let uids: BTreeSet<u32> = changed.into_iter().chain(new.iter().copied()).collect();
    // What is gone leaves with its EXPUNGE.
    let uids = uids.into_iter().filter(|uid| view.index_of(*uid).is_some() && !view.is_gone(*uid)).collect();
    view.live.changed = held;
    Again { uids, new, at: 0, then }.next(state, out)
}

impl Again {
    fn next(self, state: Box<Selected>, out: &mut Out) -> Turn {
        let context = match state.view.live.contexts.get(self.at) {
            Some(context) if !self.uids.is_empty() => context,
            Some(_) | None => return (self.then)(state, out),
        };
        let (tag, key) = (context.tag.clone(), context.key.clone());
        let places = places(&state, &self.uids);
        let found = move |state: Box<Selected>, found: Result<Vec<u32>, Trouble>, out: &mut Out| match found {
            Ok(found) => self.found(state, &found.into_iter().collect(), out),
            Err(_) => self.give_up(state, out),
        };
        search_again(state, (tag, &key), places, Box::new(found), out)
    }

    fn give_up(self, mut state: Box<Selected>, out: &mut Out) -> Turn {
        state.view.live.give_up(self.at, out);
        self.next(state, out)
    }

    fn found(self, state: Box<Selected>, matching: &BTreeSet<u32>, out: &mut Out) -> Turn {
        let Some(context) = state.view.live.contexts.get(self.at) else { return self.next(state, out) };
        let difference = context.compare(&self.uids, matching);
        if context.found.len() + difference.added.len() > FOUND_MAX {
            return self.give_up(state, out);
        }
        let items = context.items.clone();
        let told: Vec<u32> =
            difference.added.iter().copied().filter(|uid| self.new.binary_search(uid).is_ok()).collect();
        let (added, removed) = (difference.added, difference.removed);
        let next = move |state: Box<Selected>, out: &mut Out| match added.is_empty() {
            true => self.change(state, (&removed, &added), None, out),
            false => self.put(state, removed, added, out),
        };
        fetch_unasked(state, &told, items, Box::new(next), out)
    }

    /// Finds the places of what is added: by UID, or as the client asked.
    fn put(self, state: Box<Selected>, mut removed: BTreeSet<u32>, mut added: BTreeSet<u32>, out: &mut Out) -> Turn {
        let Some(context) = state.view.live.contexts.get(self.at) else { return self.next(state, out) };
        let all: BTreeSet<u32> =
            context.found.iter().chain(&added).copied().filter(|uid| !removed.contains(uid)).collect();
        let all: Vec<u32> = all.into_iter().collect();
        let parts = match &context.order {
            None => return self.change(state, (&removed, &added), Some(all), out),
            Some(criteria) => criteria.iter().fold(KeyParts::NONE, |all, it| all.with(it.key.parts())),
        };
        if parts == KeyParts::NONE {
            let found = ordered(&state, self.at, &all, &Keys::default());
            return self.change(state, (&removed, &added), Some(found), out);
        }
        let question = Question::Keys { mailbox: state.view.mailbox(), uids: all.clone(), parts };
        ask(question, move |answer, out| match answer.keys() {
            Ok(keys) => {
                let there = keys.uids().to_vec();
                // The others are gone by now, and were not told to be.
                let gone = all.into_iter().filter(|uid| there.binary_search(uid).is_err());
                removed.extend(gone);
                added.retain(|uid| there.binary_search(uid).is_ok());
                let found = ordered(&state, self.at, &there, &keys);
                self.change(state, (&removed, &added), Some(found), out)
            }
            Err(_) => self.give_up(state, out),
        })
    }

    /// Tells the difference and goes on with the next context. `found` is the result, where something is added.
    fn change(
        mut self,
        mut state: Box<Selected>,
        (removed, added): (&BTreeSet<u32>, &BTreeSet<u32>),
        found: Option<Vec<u32>>,
        out: &mut Out,
    ) -> Turn {
        state.view.change_context(self.at, (removed, added), found, out);
        self.at += 1;
        self.next(state, out)
    }
}

impl Live {
    pub fn change(
        &mut self,
        at: usize,
        (removed, added): (&BTreeSet<u32>, &BTreeSet<u32>),
        found: Option<Vec<u32>>,
        rows: &Index,
        out: &mut Out,
    ) {
        let Some(context) = self.contexts.get_mut(at) else { return };
        let mut changes = context.remove(removed, rows);
        if let Some(found) = found {
            changes.push_str(&context.add(added, found, rows));
        }
        context.tell(&changes, out);
    }
}

/// These messages, which ascend, in the order of the context.
fn ordered(state: &Selected, at: usize, uids: &[u32], keys: &Keys) -> Vec<u32> {
    let Some(criteria) = state.view.live.contexts.get(at).and_then(|context| context.order.as_ref()) else {
        return uids.to_vec();
    };
    let rows = state.view.rows();
    let facts = |uid: &u32| {
        let row = rows.place_of(*uid).and_then(|place| rows.get(place));
        row.map_or(Facts { arrived_s: 0, size_octets: 0 }, |row| Facts {
            arrived_s: row.internal_date.unix_seconds,
            size_octets: row.size_octets,
        })
    };
    let facts: Vec<Facts> = uids.iter().map(facts).collect();
    sort(criteria, keys, &facts).into_iter().filter_map(|at| uids.get(at as usize).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::{CONTEXTS_MAX, FOUND_MAX};
    use crate::imap::question::Trouble;
    use crate::imap::session::tests::Client;
    use mail::{Flags, SystemFlags};

    const NOTES: &[&str] = &["Subject: b\n\nx\n", "Subject: c\n\nx\n", "Subject: a\n\nx\n"];

    fn deliver(client: &Client, subject: &str) {
        client.store.borrow_mut().deliver("INBOX", format!("Subject: {subject}\r\n\r\nx\r\n").as_bytes());
    }

    fn seen(client: &Client, uid: u32) {
        client.store.borrow_mut().set_flags("INBOX", uid, &Flags::system(SystemFlags::SEEN));
    }

    #[test]
    fn a_result_changes_with_what_others_do() {
        let mut client = Client::with_inbox(NOTES);
        client.check(
            "a UID SEARCH RETURN (UPDATE COUNT) UNSEEN",
            "* ESEARCH (TAG \"a\") UID COUNT 3\na OK SEARCH done\n",
        );
        seen(&client, 2);
        deliver(&client, "d");
        client.check(
            "b NOOP",
            "* 4 EXISTS\n* 2 FETCH (UID 2 FLAGS (\\Seen))\n* ESEARCH (TAG \"a\") UID REMOVEFROM (0 2) ADDTO (0 4)\nb OK NOOP done\n",
        );
        client.store.borrow_mut().expunge("INBOX", 1);
        client.store.borrow_mut().expunge("INBOX", 2);
        client
            .check("c NOOP", "* ESEARCH (TAG \"a\") UID REMOVEFROM (0 1)\n* 1 EXPUNGE\n* 1 EXPUNGE\nc OK NOOP done\n");
        client.check("d CANCELUPDATE \"a\" \"x\"", "d OK CANCELUPDATE done\n");
        deliver(&client, "e");
        client.check("e NOOP", "* 3 EXISTS\ne OK NOOP done\n");
    }

    #[test]
    fn a_result_changes_with_what_the_client_does_itself_and_says_numbers_to_who_asked_by_number() {
        let mut client = Client::with_inbox(NOTES);
        client.say("a SEARCH RETURN (UPDATE) UNSEEN");
        client.store.borrow_mut().expunge("INBOX", 1);
        client.check(
            "b STORE 3 +FLAGS (\\Seen)",
            "* 3 FETCH (FLAGS (\\Seen))\n* ESEARCH (TAG \"a\") REMOVEFROM (0 3)\nb OK STORE done\n",
        );
        client.check("c NOOP", "* ESEARCH (TAG \"a\") REMOVEFROM (0 1)\n* 1 EXPUNGE\nc OK NOOP done\n");
        client.check("d UID STORE 3 -FLAGS.SILENT (\\Seen)", "* ESEARCH (TAG \"a\") ADDTO (0 2)\nd OK STORE done\n");
        client.check("e UID EXPUNGE 3", "e OK EXPUNGE done\n");
        client.say("f UID STORE 3 +FLAGS.SILENT (\\Deleted)");
        client.check("g EXPUNGE", "* ESEARCH (TAG \"a\") REMOVEFROM (0 2)\n* 2 EXPUNGE\ng OK EXPUNGE done\n");
    }

    #[test]
    fn a_sorted_result_says_where() {
        let mut client = Client::with_inbox(NOTES);
        client.check(
            "a UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNSEEN",
            "* ESEARCH (TAG \"a\") UID ALL 3,1:2\na OK SORT done\n",
        );
        deliver(&client, "bb");
        deliver(&client, "d");
        client.check("b NOOP", "* 5 EXISTS\n* ESEARCH (TAG \"a\") UID ADDTO (3 4 5 5)\nb OK NOOP done\n");
        seen(&client, 3);
        seen(&client, 4);
        client.check(
            "c NOOP",
            "* 3 FETCH (UID 3 FLAGS (\\Seen))\n* 4 FETCH (UID 4 FLAGS (\\Seen))\n\
             * ESEARCH (TAG \"a\") UID REMOVEFROM (3 4 1 3)\nc OK NOOP done\n",
        );
        client.check("d UID SORT (SUBJECT) UTF-8 UNSEEN", "* SORT 1 2 5\nd OK SORT done\n");
    }

    #[test]
    fn idle_tells_results_and_holds_no_rows() {
        let mut client = Client::with_inbox(NOTES);
        client.say("a UID SORT RETURN (UPDATE COUNT) (REVERSE ARRIVAL) UTF-8 BODY x");
        client.check("b IDLE", "+ idling\n");
        deliver(&client, "d");
        assert_eq!(client.changed(), "* 4 EXISTS\n* ESEARCH (TAG \"a\") UID ADDTO (4 4)\n");
        client.store.borrow_mut().expunge("INBOX", 2);
        assert_eq!(client.changed(), "* ESEARCH (TAG \"a\") UID REMOVEFROM (2 2)\n* 2 EXPUNGE\n");
    }

    #[test]
    fn what_is_not_kept_up_to_date_is_said() {
        let mut client = Client::with_inbox(NOTES);
        for keys in ["1:2", "UID 2:*", "NOT OLDER 5", "OR $ SEEN"] {
            let said = client.say(&format!("a SEARCH RETURN (UPDATE COUNT) {keys}"));
            assert!(said.starts_with("* NO [NOUPDATE \"a\"] ") && said.contains(" COUNT "), "{keys}: {said}");
        }
        for tag in 0..CONTEXTS_MAX {
            client.check(&format!("t{tag} SEARCH RETURN (SAVE UPDATE) SEEN"), &format!("t{tag} OK SEARCH done\n"));
        }
        let refusal = "* NO [NOUPDATE \"b\"] as many searches are kept up to date as may be\n";
        client.check("b SEARCH RETURN (UPDATE) SEEN", &format!("{refusal}* ESEARCH (TAG \"b\")\nb OK SEARCH done\n"));
        let said = client.say("t0 SEARCH RETURN (UPDATE) ALL");
        assert!(said.starts_with("t0 BAD [CLIENTBUG] "), "{said}");
        let said = client.say("c ESEARCH IN (inboxes) RETURN (UPDATE COUNT) ALL");
        assert!(said.starts_with("* NO [NOUPDATE \"c\"] ") && said.contains(" COUNT 3\n"), "{said}");
        // A result ends with the mailbox.
        client.say("d SELECT INBOX");
        seen(&client, 1);
        client.check("e NOOP", "* 1 FETCH (UID 1 FLAGS (\\Seen))\ne OK NOOP done\n");
        client.check(
            "f SEARCH RETURN (UPDATE (UID) CONTEXT PARTIAL 1:2) ALL",
            "* ESEARCH (TAG \"f\") PARTIAL (1:2 1:2)\nf OK SEARCH done\n",
        );
        client.check("g CANCELUPDATE", "g BAD CANCELUPDATE does not take that\n");
    }

    #[test]
    fn a_result_that_cannot_be_found_again_ends_and_one_too_long_never_begins() {
        let mut client = Client::with_inbox(NOTES);
        client.say("a SEARCH RETURN (UPDATE) BODY x");
        deliver(&client, "d");
        client.asked_to_meddle = Some("Fetch");
        client.meddler = Some(Box::new(|store| store.borrow_mut().broken = Some(Trouble::Unavailable)));
        let said = client.say("b NOOP");
        assert_eq!(
            said,
            "* 4 EXISTS\n* NO [NOUPDATE \"a\"] the search is not kept up to date any more\nb OK NOOP done\n"
        );
        let mut client = Client::with_inbox(&vec!["\n"; FOUND_MAX + 1]);
        let said = client.say("a SEARCH RETURN (UPDATE COUNT) ALL");
        assert!(said.starts_with("* NO [NOUPDATE \"a\"] it finds too much"), "{said}");
    }

    #[test]
    fn only_what_changed_is_looked_at_again() {
        let mut client = Client::with_inbox(&["Subject: a\n\nx\n"; 300]);
        client.say("a SEARCH RETURN (UPDATE COUNT) BODY x");
        deliver(&client, "d");
        client.asked.clear();
        client.say("b NOOP");
        assert_eq!(client.asked, ["Refresh", "Fetch"]);
        client.asked.clear();
        client.say("c NOOP");
        assert_eq!(client.asked, ["Refresh"]);
    }

    #[test]
    fn items_of_new_messages_are_told_wherever_exists_is() {
        let mut client = Client::with_inbox(NOTES);
        client.check(
            "a NOTIFY SET (selected (MessageNew (BODY[HEADER.FIELDS (SUBJECT)]) MessageExpunge))",
            "a OK NOTIFY done\n",
        );
        let told = |number: u32, subject: &str| {
            format!(
                "* {number} EXISTS\n* {number} FETCH (UID {number} BODY[HEADER.FIELDS (SUBJECT)] {{14}}\nSubject: {subject}\n\n)\n"
            )
        };
        deliver(&client, "d");
        assert_eq!(client.changed(), told(4, "d"));
        assert_eq!(client.changed(), "");
        deliver(&client, "e");
        client.check("b NOOP", &format!("{}b OK NOOP done\n", told(5, "e")));
        client.check("c IDLE", "+ idling\n");
        deliver(&client, "f");
        assert_eq!(client.changed(), told(6, "f"));
        client.say("DONE");
        client.check("d UID SEARCH SEEN", "* SEARCH\nd OK SEARCH done\n");
        client.say("e ENABLE QRESYNC");
        client.say("f NOTIFY SET (selected (MessageNew (FLAGS) MessageExpunge FlagChange))");
        deliver(&client, "g");
        let said = client.changed();
        assert!(said.starts_with("* 7 EXISTS\n* 7 FETCH (UID 7 FLAGS () MODSEQ ("), "{said}");
        client.say("g ENABLE UIDONLY");
        deliver(&client, "h");
        let said = client.changed();
        assert!(said.starts_with("* 8 EXISTS\n* 8 UIDFETCH (FLAGS () MODSEQ ("), "{said}");
        // What came before it was asked for is not new.
        client.say("h NOTIFY NONE");
        deliver(&client, "i");
        client.say("i NOOP");
        client.check("j NOTIFY SET (selected (MessageNew (FLAGS) MessageExpunge))", "j OK NOTIFY done\n");
    }

    #[test]
    fn a_new_message_that_is_found_is_fetched_before_it_is_told() {
        let mut client = Client::with_inbox(NOTES);
        client.say("a UID SEARCH RETURN (UPDATE (RFC822.SIZE) COUNT) SUBJECT d");
        deliver(&client, "d");
        deliver(&client, "e");
        client.check(
            "b NOOP",
            "* 5 EXISTS\n* 4 FETCH (UID 4 RFC822.SIZE 17)\n* ESEARCH (TAG \"a\") UID ADDTO (0 4)\nb OK NOOP done\n",
        );
    }

    #[test]
    fn flags_nobody_asked_for_wait_for_a_command() {
        let mut client = Client::with_inbox(NOTES);
        client.say("a ENABLE CONDSTORE");
        client.say("b SEARCH RETURN (UPDATE COUNT) SEEN");
        client.say("c NOTIFY SET (selected (MessageNew MessageExpunge))");
        seen(&client, 1);
        assert_eq!(client.changed(), "");
        deliver(&client, "d");
        // Whoever comes back from here hears of the flags.
        assert_eq!(client.changed(), "* 4 EXISTS\n* OK [HIGHESTMODSEQ 4] told up to here\n");
        let said = client.say("d NOOP");
        let flags = "* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (";
        assert!(said.starts_with(flags) && said.contains("* ESEARCH (TAG \"b\") ADDTO (0 1)\nd OK NOOP"), "{said}");
        client.say("e NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))");
        seen(&client, 2);
        let said = client.changed();
        assert!(said.starts_with("* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ ("), "{said}");
        assert!(said.ends_with("* ESEARCH (TAG \"b\") ADDTO (0 2)\n"), "{said}");
    }
}
