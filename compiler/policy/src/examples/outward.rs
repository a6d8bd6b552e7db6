//! 052x, 053x and E0809: the way out, signatures, lists at the door, an edge.

use super::{Base, Example, Setting};
use crate::codes::Code;

const OFFICE: Setting = Setting::Sections(Base::Office);

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0521,
        setting: OFFICE,
        why: "A message that could not be handed over is tried again after each of these waits in turn. Without one it would never be tried, with a wait of 0 the other side would be hammered.",
        bad: r#"    delivery: (
        retry: ["0 s", "5 min"], warn_after: "4 h",
        connections_at_once: 10, dane: true, mta_sts: true, tls_reports: Nothing,
    ),"#,
        caret: r#"retry: ["0 s", "5 min"]"#,
        good: r#"    delivery: (
        retry: ["1 min", "5 min", "1 h"], warn_after: "4 h",
        connections_at_once: 10, dane: true, mta_sts: true, tls_reports: Nothing,
    ),"#,
    },
    Example {
        code: Code::L0522,
        setting: OFFICE,
        why: "People take silence for arrival. A note that a message still waits is of use while something can be done; after the queue has given up they hear of the failure anyway.",
        bad: r#"    delivery: (
        retry: ["1 min", "1 h"], warn_after: "6 days",
        connections_at_once: 10, dane: true, mta_sts: true, tls_reports: Nothing,
    ),"#,
        caret: r#"warn_after: "6 days""#,
        good: r#"    delivery: (
        retry: ["1 min", "1 h"], warn_after: "4 h",
        connections_at_once: 10, dane: true, mta_sts: true, tls_reports: Nothing,
    ),"#,
    },
    Example {
        code: Code::E0523,
        setting: OFFICE,
        why: "The pace of a provider is how many connections go there at once, and its hosts are how it is known. With 0, or without a host, the entry stops mail or does nothing.",
        bad: r#"    delivery: (
        retry: ["1 min", "1 h"], warn_after: "4 h", connections_at_once: 10,
        providers: { "big": (mx: [Suffix("mx.big.example")], connections_at_once: 0, messages: ["600 / 1 min"]) },
        dane: true, mta_sts: true, tls_reports: Nothing,
    ),"#,
        caret: r#"connections_at_once: 0"#,
        good: r#"    delivery: (
        retry: ["1 min", "1 h"], warn_after: "4 h", connections_at_once: 10,
        providers: { "big": (mx: [Suffix("mx.big.example")], connections_at_once: 4, messages: ["600 / 1 min"]) },
        dane: true, mta_sts: true, tls_reports: Nothing,
    ),"#,
    },
    Example {
        code: Code::E0524,
        setting: OFFICE,
        why: "Only a smart host knows us by a login. Servers of the world take mail for their own people from anybody, and would be shown a password that is not theirs.",
        bad: r#"    routes: (held: Mailbox, remote: DirectMx, remote_login: (login: "office", password: Secret("relay")), homes: {}),"#,
        caret: r#"remote_login: (login"#,
        good: r#"    routes: (
        held: Mailbox, remote: Smarthost("relay.provider.example:465"),
        remote_login: (login: "office", password: Secret("relay")), homes: {},
    ),"#,
    },
    Example {
        code: Code::L0525,
        setting: OFFICE,
        why: "Mail programs show header From and hide the reverse-path. A stolen account that may write any From poses as the director, whatever its reverse-path says.",
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, header_from: AnyAddress,
            empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["500 / 1 h", "2000 / 1 day"]),
        ),
    },"#,
        caret: r#"header_from: AnyAddress"#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses,
            empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["500 / 1 h", "2000 / 1 day"]),
        ),
    },"#,
    },
    Example {
        code: Code::E0526,
        setting: OFFICE,
        why: "A list answers with addresses inside 127.0.0.0/8, each with a meaning its operator documents. Anything else is a wild card of somebody's DNS, and would list the whole world.",
        bad: r#"    dns_lists: { "zen": (zone: "zen.list.example", on: ["mx"], answers: ["0.0.0.0/0"], then: Refuse) },"#,
        caret: r#"answers: ["0.0.0.0/0"]"#,
        good: r#"    dns_lists: { "zen": (zone: "zen.list.example", on: ["mx"], answers: ["127.0.0.2/32", "127.0.0.4/30"], then: Refuse) },"#,
    },
    Example {
        code: Code::E0527,
        setting: OFFICE,
        why: "A key is published before it signs and stays published while signed mail is under way. Keys that change every few days are gone from DNS when the mail arrives.",
        bad: r#"    signing: (algorithms: [RsaSha256, Ed25519Sha256], rotate_every: "1 day"),"#,
        caret: r#"rotate_every: "1 day""#,
        good: r#"    signing: (algorithms: [RsaSha256, Ed25519Sha256], rotate_every: "90 days"),"#,
    },
    Example {
        code: Code::L0528,
        setting: OFFICE,
        why: "Large providers refuse or suspect what is not signed, and without a signature nobody can tell our mail from mail that only says so.",
        bad: r#"    signing: None,"#,
        caret: r#"signing: None"#,
        good: r#"    signing: (algorithms: [RsaSha256, Ed25519Sha256], rotate_every: "180 days"),"#,
    },
    Example {
        code: Code::E0529,
        setting: OFFICE,
        why: "An edge takes mail in and hands it to the store behind it. A mailbox shown here would be empty for ever, and people would believe it.",
        bad: r#"    routes: (held: Lmtp("store.cabinet-martin.example:24"), remote: DirectMx, homes: {}),"#,
        caret: r#"routes: (held: Lmtp"#,
        good: r#"    routes: (held: Mailbox, remote: DirectMx, homes: {}),"#,
    },
    Example {
        code: Code::E0530,
        setting: OFFICE,
        why: "A token proves nothing by itself: somebody has signed it, and this server has to know whose signature counts and which claim is the login.",
        bad: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, OAuthBearer],
        ),
    ),"#,
        caret: r#"sent_as: [Plain, OAuthBearer]"#,
        good: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, OAuthBearer],
        ),
        oauth: (
            issuer: "https://login.cabinet-martin.example", keys: "https://login.cabinet-martin.example/keys",
            audience: "mail", login_claim: "preferred_username",
        ),
    ),"#,
    },
    Example {
        code: Code::E0809,
        setting: OFFICE,
        why: "Behind the separator stands what a person makes up: `anne.dupont+list`. A character that stands in everybody's address would cut addresses in two.",
        bad: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory, subaddress: "."),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
        caret: r#"subaddress: ".""#,
        good: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory, subaddress: "+"),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
    },
];
