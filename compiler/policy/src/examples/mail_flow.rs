//! 05xx.

use super::{Base, Example, Setting};
use crate::codes::Code;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::L0502,
        setting: Setting::Sections(Base::Office),
        why: "People who are here for a while rarely need more room than those who stay. Either the figures were exchanged, or the policy should say why in a waiver.",
        bad: r#"    mailboxes: (
        message_size: "20 MB", otherwise: "standard", counts: [Inbox, ServerFolders, Trash],
        profiles: {
            "standard": (label: "Staff", quota: Fixed("1 GB")),
            "visitor": (label: "Visiting researcher", quota: Fixed("2 GB")),
        },
        when_full: (warn_at: ["80 %"], grace: "10 %", full: TryLater(for: "3 days"), then: Refuse),
    ),"#,
        caret: r#""visitor":"#,
        good: r#"    mailboxes: (
        message_size: "20 MB", otherwise: "standard", counts: [Inbox, ServerFolders, Trash],
        profiles: {
            "standard": (label: "Staff", quota: Fixed("2 GB")),
            "visitor": (label: "Visiting researcher", quota: Fixed("1 GB")),
        },
        when_full: (warn_at: ["80 %"], grace: "10 %", full: TryLater(for: "3 days"), then: Refuse),
    ),"#,
    },
    Example {
        code: Code::E0503,
        setting: Setting::Sections(Base::Neighbours),
        why: "What may relay without a password is trusted by its address alone. A network of that width holds machines nobody has named, and one of them is enough.",
        bad: r#"    never_reachable_beyond: {
        Imaps: Everywhere, Submission: Everywhere, Mx: Everywhere,
        Relay: ["servers", "internet"],
    },"#,
        caret: r#"Relay: ["servers", "internet"]"#,
        good: r#"    never_reachable_beyond: {
        Imaps: Everywhere, Submission: Everywhere, Mx: Everywhere,
        Relay: ["servers"],
    },"#,
    },
    Example {
        code: Code::E0504,
        setting: Setting::Sections(Base::Office),
        why: "Mail for people who do not exist must be refused while the sender is still there. After acceptance it can only be bounced, mostly to an address a spammer forged.",
        bad: r#"    reception: [Authenticate, Accept, Antispam, Filters, Redirect, Deliver],"#,
        caret: r#"reception: [Authenticate"#,
        good: r#"    reception: [KnownRecipient, Authenticate, Accept, Antispam, Filters, Redirect, Deliver],"#,
    },
    Example {
        code: Code::E0505,
        setting: Setting::Sections(Base::Office),
        why: "The world sends to a domain that is ours, and nothing here takes the mail: every message bounces after days of waiting.",
        bad: r#"    domains: { "cabinet-martin.example": Held() },
    may_receive: {},"#,
        caret: r#"domains: {"#,
        good: r#"    domains: { "cabinet-martin.example": Held() },
    may_receive: { "reception": (connecting_to: ["mx"], from: Everywhere, to: OurAddresses) },"#,
    },
    Example {
        code: Code::E0506,
        setting: Setting::Sections(Base::Office),
        why: "A message that is accepted must fit into a mailbox. One that is larger than the smallest quota could never be delivered to the people who have it.",
        bad: r#"    mailboxes: (
        message_size: "20 GB", otherwise: "standard", counts: [Inbox, ServerFolders, Trash],
        profiles: { "standard": (label: "Staff", quota: Fixed("1 GB")) },
        when_full: (warn_at: ["80 %"], grace: "10 %", full: TryLater(for: "3 days"), then: Refuse),
    ),"#,
        caret: r#""20 GB""#,
        good: r#"    mailboxes: (
        message_size: "20 MB", otherwise: "standard", counts: [Inbox, ServerFolders, Trash],
        profiles: { "standard": (label: "Staff", quota: Fixed("1 GB")) },
        when_full: (warn_at: ["80 %"], grace: "10 %", full: TryLater(for: "3 days"), then: Refuse),
    ),"#,
    },
    Example {
        code: Code::L0507,
        setting: Setting::Sections(Base::Office),
        why: "A stolen password should not let a stranger write as the director. An account sends as its own addresses, aliases and functions; that is enough for people.",
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: AnyAddress, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 50, messages_accepted: ["50 / 1 h"], recipients_attempted: ["500 / 1 h"]),
        ),
    },"#,
        caret: r#"as: AnyAddress"#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 50, messages_accepted: ["50 / 1 h"], recipients_attempted: ["500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::E0508,
        setting: Setting::Sections(Base::Neighbours),
        why: "A route that ends at one of our own listeners hands each message back to this server, which takes the same route again.",
        bad: r#"    routes: (held: Mailbox, remote: Smarthost("mx.univ.example:25"), homes: {}),"#,
        caret: r#"mx.univ.example:25"#,
        good: r#"    routes: (held: Mailbox, remote: Smarthost("relay.provider.example:25"), homes: {}),"#,
    },
    Example {
        code: Code::E0509,
        setting: Setting::Sections(Base::Office),
        why: "A grant is for more room than a person has without it. This one gives nobody more, so it is a slip of the unit or belongs to another profile.",
        bad: r#"    mailboxes: (
        message_size: "20 MB", otherwise: "standard", counts: [Inbox, ServerFolders, Trash],
        profiles: { "standard": (label: "Staff", quota: Fixed("1 GB")) },
        grants: [
            (login: "martin-p", quota: "500 MB", because: "plans of buildings", until: "2027-08-31"),
        ],
        when_full: (warn_at: ["80 %"], grace: "10 %", full: TryLater(for: "3 days"), then: Refuse),
    ),"#,
        caret: r#""500 MB""#,
        good: r#"    mailboxes: (
        message_size: "20 MB", otherwise: "standard", counts: [Inbox, ServerFolders, Trash],
        profiles: { "standard": (label: "Staff", quota: Fixed("1 GB")) },
        grants: [
            (login: "martin-p", quota: "5 GB", because: "plans of buildings", until: "2027-08-31"),
        ],
        when_full: (warn_at: ["80 %"], grace: "10 %", full: TryLater(for: "3 days"), then: Refuse),
    ),"#,
    },
    Example {
        code: Code::E0510,
        setting: Setting::Sections(Base::Office),
        why: "An exception without a reason or past its end is one nobody answers for. It is renewed with a reason or it goes.",
        bad: r#"    mailboxes: (
        message_size: "20 MB", otherwise: "standard", counts: [Inbox, ServerFolders, Trash],
        profiles: { "standard": (label: "Staff", quota: Fixed("1 GB")) },
        grants: [
            (login: "martin-p", quota: "5 GB", because: "plans of buildings", until: "2026-08-31"),
        ],
        when_full: (warn_at: ["80 %"], grace: "10 %", full: TryLater(for: "3 days"), then: Refuse),
    ),"#,
        caret: r#""2026-08-31""#,
        good: r#"    mailboxes: (
        message_size: "20 MB", otherwise: "standard", counts: [Inbox, ServerFolders, Trash],
        profiles: { "standard": (label: "Staff", quota: Fixed("1 GB")) },
        grants: [
            (login: "martin-p", quota: "5 GB", because: "plans of buildings", until: "2027-08-31"),
        ],
        when_full: (warn_at: ["80 %"], grace: "10 %", full: TryLater(for: "3 days"), then: Refuse),
    ),"#,
    },
    Example {
        code: Code::L0512,
        setting: Setting::Sections(Base::Office),
        why: "Mail carries files as text, in lines: 57 octets of a file take 78 on the wire. People who read \"20 MB\" attach 20 MB and are refused, so the page has to say which of the two is meant. The lint goes away only with a waiver or the default size.",
        bad: r#"    mailboxes: (
        message_size: "20 MB", otherwise: "standard", counts: [Inbox, ServerFolders, Trash],
        profiles: { "standard": (label: "Staff", quota: Fixed("1 GB")) },
        when_full: (warn_at: ["80 %"], grace: "10 %", full: TryLater(for: "3 days"), then: Refuse),
    ),"#,
        caret: r#"message_size: "20 MB""#,
        good: "",
    },
    Example {
        code: Code::E0513,
        setting: Setting::People(Base::Office),
        why: "Others write to postmaster and abuse when our mail hurts them, and judge us by the answer. As long as nobody is registered nobody reads them.",
        bad: r#"    people: [],"#,
        caret: r#"people: []"#,
        good: r#"    people: [
        (first: "Pauline", last: "Martin", registered: "2020-01-06"),
    ],"#,
    },
    Example {
        code: Code::L0514,
        setting: Setting::Sections(Base::Office),
        why: "Somebody on holiday has a full mailbox. A refusal for good at the first octet unsubscribes them from their lists; a little grace and some days of \"try later\" cost nothing.",
        bad: r#"    mailboxes: (
        message_size: "20 MB", otherwise: "standard", counts: [Inbox, ServerFolders, Trash],
        profiles: { "standard": (label: "Staff", quota: Fixed("1 GB")) },
        when_full: (warn_at: ["80 %"], grace: "0 %", full: TryLater(for: "0 s"), then: Refuse),
    ),"#,
        caret: r#"when_full:"#,
        good: r#"    mailboxes: (
        message_size: "20 MB", otherwise: "standard", counts: [Inbox, ServerFolders, Trash],
        profiles: { "standard": (label: "Staff", quota: Fixed("1 GB")) },
        when_full: (warn_at: ["80 %"], grace: "10 %", full: TryLater(for: "3 days"), then: Refuse),
    ),"#,
    },
    Example {
        code: Code::E0515,
        setting: Setting::Sections(Base::Neighbours),
        why: "What DNS says of a domain that is passed on is this server: a next hop of that name comes straight back.",
        bad: r#"    domains: {
        "univ.example": Held(profile: "staff"),
        "labo.univ.example": PassOn(next_hop: Smtp("labo.univ.example:25"), recipients: Directory),
    },"#,
        caret: r#"Smtp("labo.univ.example:25")"#,
        good: r#"    domains: {
        "univ.example": Held(profile: "staff"),
        "labo.univ.example": PassOn(next_hop: Smtp("mx.labo.univ.example:25"), recipients: Directory),
    },"#,
    },
    Example {
        code: Code::L0516,
        setting: Setting::Sections(Base::Neighbours),
        why: "The next hop refuses people it does not know, but by then we have accepted the message and have to bounce it, mostly to a forged sender.",
        bad: r#"    domains: {
        "univ.example": Held(profile: "staff"),
        "labo.univ.example": PassOn(next_hop: Smtp("mx.labo.univ.example:25"), recipients: Any),
    },"#,
        caret: r#"recipients: Any"#,
        good: r#"    domains: {
        "univ.example": Held(profile: "staff"),
        "labo.univ.example": PassOn(next_hop: Smtp("mx.labo.univ.example:25"), recipients: AskThere(cache: "10 min")),
    },"#,
    },
    Example {
        code: Code::L0517,
        setting: Setting::Sections(Base::Neighbours),
        why: "`Shadow` is for finding out who sends: machines nobody registered may write as anyone of ours until the register is complete.",
        bad: r#"    senders: (of: ["application"], unknown: Shadow, known: {}),"#,
        caret: r#"unknown: Shadow"#,
        good: r#"    senders: (of: ["application"], unknown: Refuse, known: {}),"#,
    },
    Example {
        code: Code::E0518,
        setting: Setting::Sections(Base::Neighbours),
        why: "An application is trusted without a password. Past its end, outside the networks of its block or under a domain that is not ours nobody answers for what it sends.",
        bad: r#"    senders: (
        of: ["application"], unknown: Refuse,
        known: {
            "moodle": (
                from: ["10.9.3.4/32"], as: ["moodle@other.example"], owner: "dsi@univ.example", until: "2027-08-31",
                limits: (recipients_in_one_message: 100, messages_accepted: Unlimited, recipients_attempted: ["20000 / 1 h"]),
            ),
        },
    ),"#,
        caret: r#"moodle@other.example"#,
        good: r#"    senders: (
        of: ["application"], unknown: Refuse,
        known: {
            "moodle": (
                from: ["10.9.3.4/32"], as: ["moodle@univ.example"], owner: "dsi@univ.example", until: "2027-08-31",
                limits: (recipients_in_one_message: 100, messages_accepted: Unlimited, recipients_attempted: ["20000 / 1 h"]),
            ),
        },
    ),"#,
    },
    Example {
        code: Code::E0519,
        setting: Setting::Sections(Base::Neighbours),
        why: "An alias is another name of a domain whose mail goes somewhere. One that points at nothing, or at another alias, leads nowhere.",
        bad: r#"    domains: {
        "univ.example": Held(profile: "staff"),
        "ancienne.example": AliasOf("uni.example"),
    },"#,
        caret: r#"AliasOf("uni.example")"#,
        good: r#"    domains: {
        "univ.example": Held(profile: "staff"),
        "ancienne.example": AliasOf("univ.example"),
    },"#,
    },
    Example {
        code: Code::L0520,
        setting: Setting::Sections(Base::Neighbours),
        why: "On the day after its end an application is refused. Its owner is asked while there is time to answer.",
        bad: r#"    senders: (
        of: ["application"], unknown: Refuse,
        known: {
            "moodle": (
                from: ["10.9.3.4/32"], as: ["moodle@univ.example"], owner: "dsi@univ.example", until: "2026-12-01",
                limits: (recipients_in_one_message: 100, messages_accepted: Unlimited, recipients_attempted: ["20000 / 1 h"]),
            ),
        },
    ),"#,
        caret: r#"until: "2026-12-01""#,
        good: r#"    senders: (
        of: ["application"], unknown: Refuse,
        known: {
            "moodle": (
                from: ["10.9.3.4/32"], as: ["moodle@univ.example"], owner: "dsi@univ.example", until: "2027-12-01",
                limits: (recipients_in_one_message: 100, messages_accepted: Unlimited, recipients_attempted: ["20000 / 1 h"]),
            ),
        },
    ),"#,
    },
];
