//! CAPABILITY, ID, NAMESPACE, ENABLE (RFC 9051 6.1.1, 6.3.1, 6.3.10; RFC 2971).

use super::glob::Glob;
use super::state::{Enabled, Open, Shared, Turn};
use crate::imap::command::Tag;
use crate::imap::response::{Out, Reply};
use crate::sasl::Mechanism;
use mail::mailbox_name::NAMESPACES;

/// Before login only what leads to one. K-9 believes the list it sees last, so the long one comes with the OK of LOGIN.
const BEFORE_LOGIN: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE";

/// What is announced to whoever is logged in. One a line, those of one RFC side by side. RFC 7888 5 has a server announce one of
/// LITERAL+ and LITERAL-: the larger, since every literal that comes unasked is bounded here.
pub const CAPABILITIES: &[&str] = &[
    "IMAP4rev1",
    "IMAP4rev2",
    "LITERAL+",
    "ID",
    "ENABLE",
    "IDLE",
    "NOTIFY",
    "NAMESPACE",
    "UNSELECT",
    "UIDPLUS",
    "MOVE",
    "CHILDREN",
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "STATUS=SIZE",
    "ESEARCH",
    "SEARCHRES",
    "CONDSTORE",
    "QRESYNC",
    "WITHIN",
    "PARTIAL",
    "CONTEXT=SEARCH",
    "CONTEXT=SORT",
    "INPROGRESS",
    "UIDBATCHES",
    "MULTISEARCH",
    "SORT",
    "SORT=DISPLAY",
    "ESORT",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "UIDONLY",
    "BINARY",
    "MULTIAPPEND",
    "CATENATE",
    "URL-PARTIAL",
    "REPLACE",
    "UTF8=ACCEPT",
    "OBJECTID",
    "PREVIEW",
    "SAVEDATE",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "COMPRESS=DEFLATE",
    "ACL",
    "RIGHTS=kxte",
    "LIST-MYRIGHTS",
    "METADATA",
    "LIST-METADATA",
];

/// Without these there is no session: no mask takes them away.
pub const NEVER_MASKED: &[&str] = &["IMAP4rev1", "SASL-IR", "ID"];

/// Longest name of a client that is compared with masks.
const CLIENT_OCTETS_MAX: usize = 128;

impl Shared {
    /// CAPABILITY after login, less what this client is not told of.
    pub fn capabilities(&self) -> String {
        // RFC 7889: the same for every mailbox.
        let limit = format!("APPENDLIMIT={}", self.config.append_octets_max);
        self.told(CAPABILITIES.iter().copied().chain([limit.as_str()]))
    }

    fn told<'a>(&self, words: impl Iterator<Item = &'a str>) -> String {
        let client = self.client.as_deref().unwrap_or_default().to_lowercase();
        let mine = self.config.masks.iter().filter(|mask| Glob::new("", &mask.client.to_lowercase()).matches(&client));
        let masked: Vec<&String> = mine.filter(|_| !client.is_empty()).flat_map(|mask| &mask.without).collect();
        // With a word goes what says more of it: APPENDLIMIT=…, SORT=DISPLAY.
        let is_masked = |word: &str| {
            let begins = word.split('=').next().unwrap_or_default();
            masked.iter().any(|masked| masked.eq_ignore_ascii_case(word) || masked.eq_ignore_ascii_case(begins))
        };
        let fixed = |word: &str| NEVER_MASKED.contains(&word);
        words.filter(|word| fixed(word) || !is_masked(word)).collect::<Vec<_>>().join(" ")
    }
}

/// With the mechanisms; LOGINDISABLED where no password may come as it is (RFC 9051 6.2.3).
pub fn before_login(shared: &Shared) -> String {
    let mechanisms = &shared.config.mechanisms;
    let mut text = shared.told(BEFORE_LOGIN.split(' '));
    for mechanism in mechanisms.iter() {
        text.push_str(" AUTH=");
        text.push_str(mechanism.name());
    }
    if !takes_passwords(mechanisms) {
        text.push_str(" LOGINDISABLED");
    }
    text
}

/// May LOGIN be said?
pub fn takes_passwords(mechanisms: &[Mechanism]) -> bool {
    mechanisms.iter().any(|mechanism| matches!(mechanism, Mechanism::Plain | Mechanism::Login))
}

pub fn capability(capabilities: &str, out: &mut Out) -> Reply {
    out.untagged(&format!("CAPABILITY {capabilities}"));
    Reply::ok("CAPABILITY done")
}

/// The version is nobody's business before login, and no help after it.
pub fn id(shared: &mut Shared, client: Option<String>, out: &mut Out) -> Reply {
    shared.client = client.filter(|name| name.len() <= CLIENT_OCTETS_MAX);
    out.untagged("ID (\"name\" \"Facteur\")");
    Reply::ok("ID done")
}

/// `namespace-response = "NAMESPACE" SP namespace SP namespace SP namespace`: one's own mailboxes, those of other people, those
/// of functional addresses. They are told whether or not anything is shared: what is may change at any moment.
pub fn namespace(state: Open, tag: Tag, out: &mut Out) -> Turn {
    let [others, shared] = NAMESPACES;
    out.untagged(&format!("NAMESPACE ((\"\" \"/\")) ((\"{others}/\" \"/\")) ((\"{shared}/\" \"/\"))"));
    state.done(tag, Reply::ok("NAMESPACE done"), out)
}

/// Where it is kept that something is enabled.
type Field = fn(&mut Enabled) -> &mut bool;

/// What can be enabled.
const ENABLED: &[(&str, Field)] = &[
    ("IMAP4rev2", |enabled| &mut enabled.rev2),
    ("UTF8=ACCEPT", |enabled| &mut enabled.utf8),
    ("CONDSTORE", |enabled| &mut enabled.condstore),
    ("QRESYNC", |enabled| &mut enabled.qresync),
    ("UIDONLY", |enabled| &mut enabled.uid_only),
];

/// Enables what is known of `words` and says which that was; the others are ignored (RFC 5161 3.1).
pub fn enable(shared: &mut Shared, words: &[String], out: &mut Out) -> Reply {
    out.text("* ENABLED");
    for (name, field) in ENABLED {
        let on = field(&mut shared.enabled);
        if !*on && words.iter().any(|word| word.eq_ignore_ascii_case(name)) {
            *on = true;
            out.text(" ");
            out.text(name);
        }
    }
    out.end_line();
    Reply::ok("ENABLE done")
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    #[test]
    fn more_is_announced_after_login_than_before() {
        let mut client = Client::new();
        let after = client.say("a CAPABILITY");
        assert!(after.contains(" APPENDLIMIT=1000\n") && after.contains(" LITERAL+ ") && !after.contains("LITERAL-"));
        assert!(after.contains(" IDLE ") && after.contains(" UIDPLUS ") && !after.contains("AUTH="));
        let mut client = Client::stranger(&client.store);
        let before = client.say("a CAPABILITY");
        assert!(before.contains(" AUTH=PLAIN") && before.contains(" SASL-IR ") && !before.contains("IDLE"));
    }

    #[test]
    fn id_and_namespace_are_answered() {
        let mut client = Client::new();
        client.check("a ID (\"name\" \"mutt\")", "* ID (\"name\" \"Facteur\")\na OK ID done\n");
        client.check("a NAMESPACE", "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Shared Folders/\" \"/\"))\na OK NAMESPACE done\n");
    }

    #[test]
    fn a_client_is_not_told_of_what_is_masked_for_it_and_may_ask_for_it_all_the_same() {
        let store = Client::new().store.clone();
        let masks = [("outlook*", &["IDLE", "id", "LITERAL+"][..]), ("*", &["MOVE"])];
        let mut client = Client::masked(&store, &masks);
        client.say("a ID (\"Name\" \"Outlook for Mac\" \"version\" NIL)");
        let before = client.say("a CAPABILITY");
        assert!(before.contains(" SASL-IR ID ENABLE AUTH=") && !before.contains("LITERAL+"), "{before}");
        let said = client.say("a LOGIN toto-j secret");
        assert!(said.contains("IMAP4rev1 IMAP4rev2 ID ENABLE NOTIFY NAMESPACE ") && !said.contains(" MOVE "), "{said}");
        client.check("a IDLE", "+ idling\n");
        client.check("DONE", "a OK IDLE done\n");
        client.say("a ID (\"name\" \"mutt\")");
        let said = client.say("a CAPABILITY");
        assert!(said.contains(" IDLE ") && said.contains(" LITERAL+ ") && !said.contains(" MOVE "), "{said}");
        client.say("a ID NIL");
        assert!(client.say("a CAPABILITY").contains(" MOVE "));
    }

    #[test]
    fn enabling_rev2_changes_names_and_search_and_leaves_recent_out() {
        let mut client = Client::with_inbox(&["Subject: a\n\nb\n"]);
        client.check("a ENABLE X-NONE imap4REV2", "* ENABLED IMAP4rev2\na OK ENABLE done\n");
        client.check("a ENABLE IMAP4rev2", "* ENABLED\na OK ENABLE done\n");
        client.check("a CREATE \"é&\"", "a OK [MAILBOXID (F4)] CREATE done\n");
        client.check("a LIST \"\" \"é*\"", "* LIST (\\HasNoChildren) \"/\" \"é&\"\na OK LIST done\n");
        client.check("a SEARCH ALL", "* ESEARCH (TAG \"a\") ALL 1\na OK SEARCH done\n");
        client.check("a SEARCH SEEN", "* ESEARCH (TAG \"a\")\na OK SEARCH done\n");
        let said = client.say("a SELECT Sent");
        assert!(!said.contains("RECENT"), "{said}");
        assert!(said.contains("* LIST (\\Subscribed \\Sent) \"/\" Sent\n"), "{said}");
    }
}
