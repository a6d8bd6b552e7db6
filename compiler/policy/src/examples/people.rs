//! E0421, E0817 to E0833: stays, the portal, what guards passwords, stolen accounts.

use super::{Base, Example, Setting};
use crate::codes::Code;

const OFFICE: Setting = Setting::Sections(Base::Office);
const PEOPLE: Setting = Setting::People(Base::Office);

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0421,
        setting: OFFICE,
        why: "Somebody who mistypes waits as long as somebody who guesses. Past a minute their program gives up and asks again, and each answer that waits holds a connection that others need.",
        bad: r#"    logins: (
        each_account_and_network: (failed: ["10 / 15 min"]), each_client_address: (failed: ["30 / 15 min"]),
        delay: (after: 3, at_most: "5 min"), when_over: TryLater,
    ),"#,
        caret: r#"delay:"#,
        good: r#"    logins: (
        each_account_and_network: (failed: ["10 / 15 min"]), each_client_address: (failed: ["30 / 15 min"]),
        delay: (after: 3, at_most: "8 s"), when_over: TryLater,
    ),"#,
    },
    Example {
        code: Code::E0817,
        setting: PEOPLE,
        why: "Whoever left before the first day would never have mail. One of the two dates is a slip.",
        bad: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07", until: "2018-12-31"),
    ],"#,
        caret: r#"until:"#,
        good: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07", until: "2027-12-31"),
    ],"#,
    },
    Example {
        code: Code::E0818,
        setting: PEOPLE,
        why: "A redirect in a file of people is judged as one that is asked for: the policy says where work mail may go, whoever writes it down.",
        bad: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07", redirect: "claire@gmail.com"),
    ],"#,
        caret: r#"redirect:"#,
        good: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
    ],"#,
    },
    Example {
        code: Code::L0819,
        setting: Setting::People(Base::Neighbours),
        why: "Somebody has to answer for mail that goes there. Until they do, the copy stays here.",
        bad: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07", redirect: "claire@elsewhere.example"),
    ],"#,
        caret: r#"redirect:"#,
        good: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
    ],"#,
    },
    Example {
        code: Code::E0820,
        setting: OFFICE,
        why: "Passwords are typed there. The address stands in every letter and every page, so it is a host that stays and nothing more.",
        bad: r#"    portal: (at: "http://mail.cabinet-martin.example"),"#,
        caret: r#"http:"#,
        good: r#"    portal: (at: "https://mail.cabinet-martin.example"),"#,
    },
    Example {
        code: Code::E0821,
        setting: OFFICE,
        why: "A session that is open on a shared machine belongs to whoever sits down next. It ends when nobody uses it, and it ends in any case.",
        bad: r#"    portal: (at: "https://mail.cabinet-martin.example", at_most: "30 days"),"#,
        caret: r#"at_most: "30 days""#,
        good: r#"    portal: (at: "https://mail.cabinet-martin.example", at_most: "12 h"),"#,
    },
    Example {
        code: Code::E0822,
        setting: OFFICE,
        why: "Managers use the pages of everybody and some more: from where people do not reach the portal, managers do not either.",
        bad: r#"    portal: (at: "https://mail.cabinet-martin.example", from: ["inside"], managers_from: ["inside", "outside"]),"#,
        caret: r#"managers_from"#,
        good: r#"    portal: (at: "https://mail.cabinet-martin.example", from: ["inside", "outside"], managers_from: ["inside"]),"#,
    },
    Example {
        code: Code::E0823,
        setting: OFFICE,
        why: "Whoever is between this server and the one that vouches for people can vouch for anybody. Without a portal there is nothing to sign in to.",
        bad: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: WarnOnly,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
        sign_in: [Oidc(issuer: "http://id.cabinet-martin.example", client_id: "mail", secret: Secret("oidc"), login_claim: "sub")],
    ),"#,
        caret: r#"http:"#,
        good: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: WarnOnly,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
        sign_in: [Oidc(issuer: "https://id.cabinet-martin.example", client_id: "mail", secret: Secret("oidc"), login_claim: "sub")],
    ),"#,
    },
    Example {
        code: Code::E0824,
        setting: OFFICE,
        why: "A verifier is worth what one guess costs. With these figures a stolen copy of the store gives most passwords in days; with too large ones, ten people who log in at once fill the memory.",
        bad: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: WarnOnly,
            hash: (memory: "1 MiB", passes: 1, lanes: 1),
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
        caret: r#"hash:"#,
        good: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: WarnOnly,
            hash: (memory: "19 MiB", passes: 2, lanes: 1),
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
    },
    Example {
        code: Code::E0825,
        setting: OFFICE,
        why: "Who leaves may do less and less, never more again; and a notice that comes after the change helps nobody.",
        bad: r#"    accounts: (arriving: "14 days", leaving: [ReceiveOnly("30 days"), Grace("30 days")], notices: ["7 days"], reuse_after: Never, mass_change: (at_most: "5 %", floor: 20)),"#,
        caret: r#"leaving:"#,
        good: r#"    accounts: (arriving: "14 days", leaving: [Grace("30 days"), ReceiveOnly("30 days")], notices: ["7 days"], reuse_after: Never, mass_change: (at_most: "5 %", floor: 20)),"#,
    },
    Example {
        code: Code::L0826,
        setting: OFFICE,
        why: "Letters, subscriptions and forgotten passwords keep coming to an address for years. Whoever has it next reads them.",
        bad: r#"    accounts: (arriving: "14 days", leaving: [Grace("30 days")], notices: ["7 days"], reuse_after: "30 days", mass_change: (at_most: "5 %", floor: 20)),"#,
        caret: r#"reuse_after:"#,
        good: r#"    accounts: (arriving: "14 days", leaving: [Grace("30 days")], notices: ["7 days"], reuse_after: Never, mass_change: (at_most: "5 %", floor: 20)),"#,
    },
    Example {
        code: Code::E0827,
        setting: OFFICE,
        why: "The correspondents of a unit are the members of its address. A form without the unit would make them correspondents of everybody.",
        bad: r#"    roles: (correspondents: "correspondent@cabinet-martin.example", managers: ["mail-managers"], administrators: ["mail-administrators"]),"#,
        caret: r#"roles:"#,
        good: r#"    roles: (correspondents: "correspondent.{unit}@cabinet-martin.example", managers: ["mail-managers"], administrators: ["mail-administrators"]),"#,
    },
    Example {
        code: Code::L0828,
        setting: PEOPLE,
        why: "Without them nobody can answer a question about a mail, grant a quota or lift a lock but whoever has a shell on the machine.",
        bad: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
    ],
    functions: [(address: "mail-managers@cabinet-martin.example", members: ["martin-c"])],"#,
        caret: r#"functions:"#,
        good: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
    ],
    functions: [
        (address: "mail-managers@cabinet-martin.example", members: ["martin-c"]),
        (address: "mail-administrators@cabinet-martin.example", members: ["martin-c"]),
    ],"#,
    },
    Example {
        code: Code::E0829,
        setting: OFFICE,
        why: "A detector that looks at nothing, or at a month, never speaks in time: a stolen account sends for hours, not for weeks.",
        bad: r#"    compromise: { "burst": (when: FirstTimeRecipients("40 / 30 days"), then: [Alert]) },"#,
        caret: r#""burst""#,
        good: r#"    compromise: { "burst": (when: FirstTimeRecipients("40 / 15 min"), then: [Alert]) },"#,
    },
    Example {
        code: Code::E0830,
        setting: OFFICE,
        why: "A lock that nobody looks at ends by itself; one of a year is a colleague without mail who does not know why.",
        bad: r#"    compromise: { "burst": (when: Bounces("20 / 1 h"), then: [Alert, LockSending(for: "365 days")]) },"#,
        caret: r#"LockSending"#,
        good: r#"    compromise: { "burst": (when: Bounces("20 / 1 h"), then: [Alert, LockSending(for: "1 day")]) },"#,
    },
    Example {
        code: Code::L0831,
        setting: OFFICE,
        why: "One stolen password sends until the limits are full, every day, and the first to notice are the lists that block the institution.",
        bad: r#"    compromise: None,"#,
        caret: r#"compromise:"#,
        good: r#"    compromise: { "burst": (when: LimitTrips("3 / 1 h"), then: [Alert]) },"#,
    },
    Example {
        code: Code::L0832,
        setting: OFFICE,
        why: "Mail that is held waits for somebody to look at it; whoever could is not told.",
        bad: r#"    compromise: { "burst": (when: LimitTrips("3 / 1 h"), then: [HoldOutgoing(for: "1 day")]) },"#,
        caret: r#""burst""#,
        good: r#"    compromise: { "burst": (when: LimitTrips("3 / 1 h"), then: [Alert, HoldOutgoing(for: "1 day")]) },"#,
    },
    Example {
        code: Code::L0833,
        setting: OFFICE,
        why: "A manager resets passwords and reads what is in quarantine. A password that was typed into a false page opens all that, from anywhere.",
        bad: r#"    portal: (at: "https://mail.cabinet-martin.example", managers_from: ["inside", "outside"]),"#,
        caret: r#"managers_from"#,
        good: r#"    portal: (at: "https://mail.cabinet-martin.example", managers_from: ["inside"]),"#,
    },
];
