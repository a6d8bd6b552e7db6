//! Every command once, and each of its prefixes.

use super::*;
use crate::imap::command::*;

/// Valid commands, in all their forms.
const VALID: &[&str] = &[
    "a CAPABILITY",
    "a noop",
    "a LOGOUT",
    "a ID NIL",
    "a ID ()",
    "a ID (\"name\" \"mutt\" \"version\" NIL)",
    "a STARTTLS",
    "a LOGIN toto-j \"pass word\"",
    "a LOGIN {6}\r\ntoto-j {3+}\r\na\r\n",
    "a AUTHENTICATE PLAIN",
    "a AUTHENTICATE PLAIN AGEAYg==",
    "a AUTHENTICATE PLAIN =",
    "a ENABLE IMAP4rev2 UTF8=ACCEPT",
    "a NAMESPACE",
    "a SELECT INBOX",
    "a SELECT INBOX (CONDSTORE)",
    "a SELECT INBOX (QRESYNC (67890007 90060115194045000 41,43:211,214:541 (1,3:5 41,43:45)))",
    "a EXAMINE INBOX (CONDSTORE QRESYNC (1 2 (1 7)))",
    "a SELECT INBOX ()",
    "a EXAMINE \"Envoy&AOk-s\"",
    "a CREATE lists/rust/",
    "a CREATE Spam (USE (\\Junk))",
    "a DELETE lists",
    "a RENAME {3}\r\nold new",
    "a SUBSCRIBE #news",
    "a UNSUBSCRIBE x",
    "a LIST \"\" *",
    "a LIST \"\" \"%\"",
    "a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (INBOX Drafts% \"Sent/%\") RETURN (SUBSCRIBED CHILDREN SPECIAL-USE)",
    "a LIST () a/ * RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE RECENT))",
    "a LSUB \"\" *",
    "a STATUS INBOX (MESSAGES)",
    "a GETQUOTA \"\"",
    "a GETQUOTAROOT INBOX",
    "a SETQUOTA \"\" (STORAGE 512 MESSAGE 9)",
    "a SETQUOTA x ()",
    "a GETACL INBOX",
    "a MYRIGHTS \"a b\"",
    "a LISTRIGHTS INBOX anyone",
    "a SETACL INBOX \"$contact@example.org\" +lrs",
    "a SETACL {1}\r\nx -toto-j \"\"",
    "a DELETEACL INBOX -anyone",
    "a GETMETADATA \"\" /shared/comment",
    "a GETMETADATA (MAXSIZE 9 DEPTH infinity) INBOX (/shared/a /private/b)",
    "a GETMETADATA INBOX (DEPTH 1) {10}\r\n/private/b",
    "a SETMETADATA INBOX (/private/a NIL /shared/b \"x\" /private/c ~{1}\r\nx)",
    "a LIST \"\" * RETURN (MYRIGHTS METADATA (DEPTH 1) (/shared/a) STATUS (DELETED-STORAGE))",
    "a IDLE",
    "a CHECK",
    "a CLOSE",
    "a UNSELECT",
    "a EXPUNGE",
    "a UID EXPUNGE 1:*",
    "a FETCH 1:3,5,7:* ALL",
    "a FETCH 1 FULL",
    "a UID FETCH $ FAST",
    "a FETCH * (FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE RFC822 RFC822.HEADER RFC822.TEXT)",
    "a FETCH 1 BODY[]<0.1>",
    "a FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)",
    "a UID FETCH 300:500 FLAGS (CHANGEDSINCE 12345 VANISHED)",
    "a FETCH 1 (BODY.PEEK[1.2.HEADER.FIELDS.NOT (\"A\" B)]<9.9223372036854775807> BODY[TEXT] BODY[2.MIME] BODY[HEADER])",
    "a FETCH 1 (BINARY[1.2]<0.4> BINARY.PEEK[] BINARY.SIZE[3])",
    "a FETCH 1 (PREVIEW PREVIEW (LAZY) SAVEDATE EMAILID THREADID)",
    "a FETCH 1 PREVIEW (LAZY)",
    "a FETCH 1 preview",
    "a STATUS INBOX (MAILBOXID APPENDLIMIT)",
    "a STORE 1 +FLAGS.SILENT (\\Seen \\recent $Junk)",
    "a UID STORE 1:2 -flags \\Deleted kw",
    "a STORE 4 FLAGS ()",
    "a UID STORE 6,4,8 (UNCHANGEDSINCE 0) +FLAGS.SILENT (\\Deleted)",
    "a COPY 1:2 Trash",
    "a UID COPY 1:2 {5}\r\nTrash",
    "a MOVE 1 \"Trash\"",
    "a UID MOVE $ Trash",
    "a SEARCH ALL",
    "a UID SEARCH RETURN (MIN MAX ALL COUNT SAVE) CHARSET UTF-8 1:5 UID 7,9",
    "a SEARCH RETURN () ANSWERED BCC b BEFORE 1-Jan-2020 BODY {1}\r\nx CC c DELETED DRAFT FLAGGED FROM f",
    "a SEARCH HEADER X-Y \"\" KEYWORD k LARGER 1 NEW NOT (OLD ON \"01-Feb-1999\") OR RECENT SEEN SENTBEFORE 3-Mar-2001",
    "a SEARCH SENTON 1-Jan-2020 SENTSINCE 1-Jan-2020 SINCE 1-Jan-2020 SMALLER 7 SUBJECT s TEXT t TO o UNANSWERED",
    "a SEARCH UNDELETED UNDRAFT UNFLAGGED UNKEYWORD k UNSEEN (NOT NOT (ALL))",
    "a SEARCH OLDER 86400 YOUNGER 4294967295 SAVEDBEFORE 1-Jan-2020 SAVEDON 1-Jan-2020 SAVEDSINCE 1-Jan-2020 SAVEDATESUPPORTED",
    "a SEARCH MODSEQ 620162338 MODSEQ \"/flags/\\\\draft\" all 0 EMAILID M6d99ac3275bb4e THREADID T_-9",
    "a UID SEARCH RETURN (PARTIAL 1:500 COUNT) ALL",
    "a SEARCH RETURN (PARTIAL -1:-500) ALL",
    "a SORT (SUBJECT REVERSE DATE) UTF-8 ALL",
    "a UID SORT (ARRIVAL CC DATE FROM REVERSE SIZE SUBJECT TO DISPLAYFROM DISPLAYTO) \"US-ASCII\" TEXT {1}\r\nx 2:4",
    "a SORT RETURN (MIN MAX COUNT ALL SAVE) (reverse to) UTF-8 ALL",
    "a THREAD ORDEREDSUBJECT UTF-8 SINCE 5-Mar-2000",
    "a UID THREAD references US-ASCII ALL",
    "a UIDBATCHES 2000",
    "a ESEARCH IN (mailboxes \"folder1\" subtree \"folder2\") unseen",
    "a ESEARCH IN (selected selected-delayed inboxes personal subscribed subtree-one (a b)) RETURN (COUNT) CHARSET UTF-8 ALL",
    "a ESEARCH FLAGGED",
    "a UIDBATCHES 500 1:10",
    "a UID FETCH 1:* (UID FLAGS) (PARTIAL -1:-30 CHANGEDSINCE 98305)",
];

fn parse(text: &str) -> Result<Command, NoCommand> {
    let line = format!("{text}\r\n");
    command(line.as_bytes(), Coding::Utf7).map(|(rest, tagged)| {
        assert!(rest.is_empty(), "{text}");
        tagged.command
    })
}

#[test]
fn every_command_is_read_and_each_prefix_of_it_is_incomplete() {
    for text in VALID {
        assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        let line = format!("{text}\r\n");
        for end in 0..line.len() {
            let prefix = &line.as_bytes()[..end];
            assert_eq!(command(prefix, Coding::Utf7), Err(NoCommand::Incomplete), "{:?}", &line[..end]);
        }
    }
}

#[test]
fn what_does_not_follow_the_grammar_is_refused_under_its_tag() {
    let arguments = [
        "LOGIN a",
        "LOGIN a b c",
        "NOOP x",
        "SELECT",
        "SELECT a b",
        "ENABLE",
        "ID",
        "ID (\"a\")",
        "LIST *",
        "LIST (RECURSIVEMATCH) \"\" *",
        "LIST \"\" () ",
        "LIST \"\" * RETURN (X)",
        "STATUS INBOX ()",
        "STATUS INBOX (X)",
        "STATUS INBOX",
        "FETCH 0 FLAGS",
        "FETCH 1",
        "FETCH 1 ()",
        "FETCH 1 (ALL)",
        "FETCH 1 BODY[MIME]",
        "FETCH 1 BODY[0]",
        "FETCH 1 BODY[1",
        "FETCH 1 BODY[1.]",
        "FETCH 1 BODY[]<1.0>",
        "FETCH 1 BODY[HEADER.FIELDS ()]",
        "FETCH 1 BODY[HEADER.FIELDS (\"a:b\")]",
        "FETCH 1 MODSEQS",
        "STORE 1 (\\Seen)",
        "STORE 1 *FLAGS (\\Seen)",
        "STORE 1 FLAGS",
        "STORE 1 +FLAGS (\\Foo)",
        "COPY 1",
        "SEARCH",
        "SEARCH FOO",
        "SEARCH NOT",
        "SEARCH OR ALL",
        "SEARCH (ALL",
        "SEARCH ()",
        "SEARCH BEFORE 32-Jan-2020",
        "SEARCH RETURN (X) ALL",
        "SEARCH LARGER -1",
        "SEARCH CHARSET",
        "SEARCH KEYWORD \\Seen",
        "EXPUNGE 1",
        "UID EXPUNGE",
        "APPEND INBOX",
        "SEARCH SUBJECT \"a",
    ];
    for text in arguments {
        let refused = parse(&format!("a {text}"));
        let named =
            matches!(&refused, Err(NoCommand::Arguments { tag, .. } | NoCommand::Unknown(tag)) if tag.as_str() == "a");
        assert!(named, "{text}: {refused:?}");
    }
    assert!(matches!(parse("a XYZZY"), Err(NoCommand::Unknown(_))));
    assert!(matches!(parse("a UID NOOP"), Err(NoCommand::Unknown(_))));
    for text in ["", " NOOP", "+ NOOP", "a(b NOOP", "é NOOP", "a"] {
        assert_eq!(parse(text), Err(NoCommand::NoTag), "{text:?}");
    }
}

#[test]
fn nesting_and_numbers_of_keys_are_bounded() {
    let nested = |depth: usize| format!("a SEARCH {}ALL{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(search::DEPTH_MAX - 1)).is_ok());
    assert!(parse(&nested(search::DEPTH_MAX)).is_err());
    assert!(parse(&nested(30_000)).is_err());
    assert!(parse(&format!("a SEARCH {}ALL", "NOT ".repeat(15_000))).is_err());
    assert!(parse(&format!("a SEARCH ALL{}", " ALL".repeat(search::KEYS_MAX - 1))).is_ok());
    assert!(parse(&format!("a SEARCH ALL{}", " ALL".repeat(search::KEYS_MAX))).is_err());
    assert!(parse(&format!("a FETCH 1 (UID{})", " UID".repeat(64))).is_err());
    assert!(parse(&format!("a FETCH 1 BODY[1{}]", ".1".repeat(99))).is_ok());
    assert!(parse(&format!("a FETCH 1 BODY[1{}]", ".1".repeat(100))).is_err());
}

#[test]
fn names_are_decoded_as_the_client_sends_them() {
    let name = |text: &str, coding| match command(format!("a DELETE {text}\r\n").as_bytes(), coding) {
        Ok((_, Tagged { command: Command::OnAccount(OnAccount::Delete(name)), .. })) => {
            name.map(|name| name.to_string())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(name("Envoy&AOk-s", Coding::Utf7).as_deref(), Ok("Envoyés"));
    assert_eq!(name("\"Envoyés\"", Coding::Utf7).as_deref(), Ok("Envoyés"));
    assert_eq!(name("Envoy&AOk-s", Coding::Utf8).as_deref(), Ok("Envoy&AOk-s"));
    assert_eq!(name("inbox", Coding::Utf8).as_deref(), Ok("INBOX"));
    assert!(name("R&D", Coding::Utf7).is_err());
    assert!(name("\"a*\"", Coding::Utf7).is_err());
}

#[test]
fn macros_and_older_names_mean_what_rfc_3501_says() {
    let items = |text: &str| match parse(&format!("a FETCH 1 {text}")) {
        Ok(Command::OnSelected(OnSelected::Fetch { items, .. })) => items,
        other => panic!("{other:?}"),
    };
    let fast = [FetchItem::Flags, FetchItem::InternalDate, FetchItem::Size];
    assert_eq!(items("fast"), fast);
    assert_eq!(items("ALL"), [&fast[..], &[FetchItem::Envelope]].concat());
    assert_eq!(items("FULL"), [&fast[..], &[FetchItem::Envelope, FetchItem::Body]].concat());
    let peeks = |text: &str| matches!(&items(text)[0], FetchItem::Content(ContentItem { peek: true, .. }));
    assert!(
        peeks("RFC822.HEADER") && peeks("BODY.PEEK[]") && !peeks("RFC822") && !peeks("RFC822.TEXT") && !peeks("BODY[]")
    );
}

#[test]
fn literals_are_seen_at_the_end_of_a_line_only() {
    let seen = |line: &str| literal_at_end(line.as_bytes()).map(|it| (it.size_octets, it.synchronizing));
    assert_eq!(seen("a LOGIN {5}"), Some((5, true)));
    assert_eq!(seen("a LOGIN {5+}"), Some((5, false)));
    assert_eq!(seen("{99999999999999999999}"), Some((u64::MAX, true)));
    for line in ["", "{}", "{+}", "{5", "{5} ", "{-5}", "{5a}", "5}"] {
        assert_eq!(seen(line), None, "{line}");
    }
}
