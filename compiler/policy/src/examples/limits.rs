//! E02xx and L03xx.

use super::{Base, Example, Setting};
use crate::codes::Code;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0201,
        setting: Setting::Sections(Base::Office),
        why: r#"A limit of 0 closes a door by an odd way: nothing passes, and the refusal speaks of a limit. A block that nobody may use is left out."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["0 / 1 h"], recipients_attempted: ["500 / 1 h"]),
        ),
    },"#,
        caret: r#""0 / 1 h""#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::E0202,
        setting: Setting::Sections(Base::Office),
        why: r#"Windows are exact: every event is kept until it is as old as the window. Beyond a day that is memory without use."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["500 / 1 h", "9000 / 7 days"]),
        ),
    },"#,
        caret: r#"7 days"#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["500 / 1 h", "2000 / 1 day"]),
        ),
    },"#,
    },
    Example {
        code: Code::E0203,
        setting: Setting::Sections(Base::Office),
        why: r#"Each recipient of a message counts in the window. A message with more of them than the window holds can never be sent, however long one waits."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["80 / 1 h"]),
        ),
    },"#,
        caret: r#"recipients_in_one_message: 100"#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::E0204,
        setting: Setting::Sections(Base::Office),
        why: r#"Of two limits over the same time only the smaller ever refuses. The other one misleads whoever reads it."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["500 / 1 h", "900 / 60 min"]),
        ),
    },"#,
        caret: r#"60 min"#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::E0205,
        setting: Setting::Sections(Base::Office),
        why: r#"Whoever can connect to this listener may send any amount to anyone: one infected machine is enough to get the institution on every blocklist."#,
        bad: r#"    networks: { "inside": In(["192.168.10.0/24"]), "outside": Rest },
    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25, speaks: Smtp, auth: Never),
        "relay": (host: "relay.cabinet-martin.example", port: 25, speaks: Smtp, auth: Never),
    },
    never_reachable_beyond: { Mx: Everywhere, Relay: ["inside"] },
    may_send: {
        "machine": (
            connecting_to: ["relay"], from: ["inside"], to: Anyone, as: OwnDomain, empty_sender: ReportsOnly,
            each_client_address: (recipients_in_one_message: 100, messages_accepted: Unlimited, recipients_accepted: Unlimited),
        ),
    },"#,
        caret: r#"messages_accepted: Unlimited"#,
        good: r#"    networks: { "inside": In(["192.168.10.0/24"]), "outside": Rest },
    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25, speaks: Smtp, auth: Never),
        "relay": (host: "relay.cabinet-martin.example", port: 25, speaks: Smtp, auth: Never),
    },
    never_reachable_beyond: { Mx: Everywhere, Relay: ["inside"] },
    may_send: {
        "machine": (
            connecting_to: ["relay"], from: ["inside"], to: Anyone, as: OwnDomain, empty_sender: ReportsOnly,
            each_client_address: (recipients_in_one_message: 100, messages_accepted: ["100 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::E0206,
        setting: Setting::Sections(Base::Office),
        why: r#"Without a login there is no account to count for, so these limits would never count anything."#,
        bad: r#"    networks: { "inside": In(["192.168.10.0/24"]), "outside": Rest },
    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25, speaks: Smtp, auth: Never),
        "relay": (host: "relay.cabinet-martin.example", port: 25, speaks: Smtp, auth: Never),
    },
    never_reachable_beyond: { Mx: Everywhere, Relay: ["inside"] },
    may_send: {
        "machine": (
            connecting_to: ["relay"], from: ["inside"], to: Anyone, as: OwnDomain, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["100 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
        caret: r#"each_account"#,
        good: r#"    networks: { "inside": In(["192.168.10.0/24"]), "outside": Rest },
    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25, speaks: Smtp, auth: Never),
        "relay": (host: "relay.cabinet-martin.example", port: 25, speaks: Smtp, auth: Never),
    },
    never_reachable_beyond: { Mx: Everywhere, Relay: ["inside"] },
    may_send: {
        "machine": (
            connecting_to: ["relay"], from: ["inside"], to: Anyone, as: OwnDomain, empty_sender: ReportsOnly,
            each_client_address: (recipients_in_one_message: 100, messages_accepted: ["100 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::E0207,
        setting: Setting::Sections(Base::Office),
        why: r#"Exact windows take four octets for each event they hold, for each account. The image must have room for as many full accounts as the policy reckons with."#,
        bad: r#"    counters: (accounts: 200000, memory: "512 MiB"),
    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["2000 / 1 day"]),
        ),
    },"#,
        caret: r#"2000 / 1 day"#,
        good: r#"    counters: (accounts: 20000, memory: "512 MiB"),
    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["2000 / 1 day"]),
        ),
    },"#,
    },
    Example {
        code: Code::E0208,
        setting: Setting::Sections(Base::Office),
        why: r#"Silence is not a limit. Whether recipients are unlimited or were forgotten, nobody could tell."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"]),
        ),
    },"#,
        caret: r#"each_account"#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::E0209,
        setting: Setting::Sections(Base::Office),
        why: r#"A grant lifts a limit that protects everyone. It has a reason, somebody who approved it, and an end."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },
    limit_grants: [
        (login: "elections", block: "person", because: "council elections", approver: "martin-a", until: "2026-09-30",
         limits: (recipients_in_one_message: 100, messages_accepted: ["600 / 1 h"], recipients_accepted: ["9000 / 1 day"])),
    ],"#,
        caret: r#"login: "elections""#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },
    limit_grants: [
        (login: "elections", block: "person", because: "council elections", approver: "martin-a", until: "2027-03-31",
         limits: (recipients_in_one_message: 100, messages_accepted: ["600 / 1 h"], recipients_accepted: ["9000 / 1 day"])),
    ],"#,
    },
    Example {
        code: Code::E0210,
        setting: Setting::Sections(Base::Office),
        why: r#"Every mail server may count on 100 recipients in one message (RFC 5321). Lists send that many."#,
        bad: r#"    strangers: (
        connections_at_once: 30, connections_attempted: ["120 / 1 min"],
        messages_attempted: ["1200 / 1 h"], recipients_in_one_message: 50, unknown_recipients_attempted: ["30 / 15 min"],
        not_for: ["inside"], when_over: TryLater,
    ),"#,
        caret: r#"recipients_in_one_message: 50"#,
        good: r#"    strangers: (
        connections_at_once: 30, connections_attempted: ["120 / 1 min"],
        messages_attempted: ["1200 / 1 h"], recipients_in_one_message: 100, unknown_recipients_attempted: ["30 / 15 min"],
        not_for: ["inside"], when_over: TryLater,
    ),"#,
    },
    Example {
        code: Code::L0301,
        setting: Setting::Sections(Base::Office),
        why: r#"Four quarters of an hour of 100 are at most 400 in an hour, so the limit of 500 never refuses anything. Whoever counts on it is mistaken."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["100 / 15 min", "500 / 1 h"]),
        ),
    },"#,
        caret: r#""500 / 1 h""#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["200 / 15 min", "500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::L0302,
        setting: Setting::Sections(Base::Office),
        why: r#"At most 400 recipients get through in an hour, but refused attempts count as well. The limit of 500 only ever stops a client that goes on knocking."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["100 / 15 min", "500 / 1 h"]),
        ),
    },"#,
        caret: r#""500 / 1 h""#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["200 / 15 min", "500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::L0303,
        setting: Setting::Sections(Base::Office),
        why: r#"When 600 have gone out in a quarter of an hour, the limit of 500 an hour has long refused. The shorter window does nothing."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["600 / 15 min", "500 / 1 h"]),
        ),
    },"#,
        caret: r#""600 / 15 min""#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["250 / 15 min", "500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::L0304,
        setting: Setting::Sections(Base::Office),
        why: r#"Ten messages of at most 20 recipients make 200 an hour; the window of 500 is never reached."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 20, messages_accepted: ["10 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
        caret: r#""500 / 1 h""#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 20, messages_accepted: ["10 / 1 h"], recipients_accepted: ["150 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::L0305,
        setting: Setting::Sections(Base::Office),
        why: r#"Refused attempts count too. A program that tries again every few seconds keeps its own window full, and never gets in again until somebody stops it."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_attempted: ["500 / 1 h"]),
        ),
    },"#,
        caret: r#"recipients_attempted"#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::L0306,
        setting: Setting::Sections(Base::Office),
        why: r#"A stolen password is mostly used from far away. That is where the limit should be tighter than at one's own desk."#,
        bad: r#"    may_send: {
        "person-inside": (
            connecting_to: ["subs"], from: ["inside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["1000 / 1 h"]),
        ),
        "person-outside": (
            connecting_to: ["subs"], from: ["outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["50 / 1 h"], recipients_accepted: ["1000 / 1 h"]),
        ),
    },"#,
        caret: r#"["50 / 1 h"]"#,
        good: r#"    may_send: {
        "person-inside": (
            connecting_to: ["subs"], from: ["inside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["1000 / 1 h"]),
        ),
        "person-outside": (
            connecting_to: ["subs"], from: ["outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["50 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::L0307,
        setting: Setting::Sections(Base::Office),
        why: r#"Each block counts for itself, so one stolen password may fill the windows of all of them at once."#,
        bad: r#"    may_send: {
        "person-inside": (
            connecting_to: ["subs"], from: ["inside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["1000 / 1 h"]),
        ),
        "person-outside": (
            connecting_to: ["subs"], from: ["outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["50 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },
    one_account_in_several_blocks: CountedSeparately,"#,
        caret: r#"CountedSeparately"#,
        good: r#"    may_send: {
        "person-inside": (
            connecting_to: ["subs"], from: ["inside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["1000 / 1 h"]),
        ),
        "person-outside": (
            connecting_to: ["subs"], from: ["outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["50 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },
    one_account_in_several_blocks: CountedTogether,"#,
    },
    Example {
        code: Code::L0308,
        setting: Setting::Sections(Base::Office),
        why: r#"Limits on messages alone multiply by the recipients of each: 200 messages of 100 are 20 000 recipients an hour."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: Unlimited),
        ),
    },"#,
        caret: r#"recipients_accepted: Unlimited"#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["1000 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::L0309,
        setting: Setting::Sections(Base::Office),
        why: r#"Programs count on 100 recipients in one message (RFC 5321). With 452 they split the message, with 5xx it is lost."#,
        bad: r#"    networks: { "inside": In(["192.168.10.0/24"]), "outside": Rest },
    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25, speaks: Smtp, auth: Never),
        "relay": (host: "relay.cabinet-martin.example", port: 25, speaks: Smtp, auth: Never),
    },
    never_reachable_beyond: { Mx: Everywhere, Relay: ["inside"] },
    may_send: {
        "machine": (
            connecting_to: ["relay"], from: ["inside"], to: Anyone, as: OwnDomain, empty_sender: ReportsOnly,
            each_client_address: (recipients_in_one_message: 50, messages_accepted: ["100 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
        caret: r#"recipients_in_one_message: 50"#,
        good: r#"    networks: { "inside": In(["192.168.10.0/24"]), "outside": Rest },
    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25, speaks: Smtp, auth: Never),
        "relay": (host: "relay.cabinet-martin.example", port: 25, speaks: Smtp, auth: Never),
    },
    never_reachable_beyond: { Mx: Everywhere, Relay: ["inside"] },
    may_send: {
        "machine": (
            connecting_to: ["relay"], from: ["inside"], to: Anyone, as: OwnDomain, empty_sender: ReportsOnly,
            each_client_address: (recipients_in_one_message: 100, messages_accepted: ["100 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::L0310,
        setting: Setting::Command,
        why: r#"A limit ten times as high as yesterday is more often one zero too many than a decision. Only the plan that runs can tell."#,
        bad: r#"facteur check nantes/ --deployed deployed.plan.ron"#,
        caret: r#"check"#,
        good: r#"facteur check nantes/"#,
    },
    Example {
        code: Code::L0311,
        setting: Setting::Sections(Base::Office),
        why: r#"The window clears by itself, but with a permanent refusal the mail program gives the message back to its author as failed."#,
        bad: r#"    when_over: (recipients_in_one_message: TryLater, window: Refuse),"#,
        caret: r#"window: Refuse"#,
        good: r#"    when_over: (recipients_in_one_message: TryLater, window: TryLater),"#,
    },
    Example {
        code: Code::L0312,
        setting: Setting::Sections(Base::Office),
        why: r#"A limit an hour is filled again every hour of the night. What somebody may do in a day is what a thief does before the morning."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
        caret: r#"500 / 1 h"#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["500 / 1 h", "2000 / 1 day"]),
        ),
    },"#,
    },
    Example {
        code: Code::L0313,
        setting: Setting::Sections(Base::Office),
        why: r#"`Everywhere` means every network of the policy, also the one somebody adds next year for another purpose."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: Everywhere, to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
        caret: r#"from: Everywhere"#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::L0314,
        setting: Setting::Sections(Base::Office),
        why: r#"`observed` tries a limit out: it counts, says what it would refuse, and refuses nothing. One that is wider than a limit that refuses is never reached."#,
        bad: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["500 / 1 h"], observed: (recipients_accepted: ["900 / 1 h"])),
        ),
    },"#,
        caret: r#""900 / 1 h""#,
        good: r#"    may_send: {
        "person": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["500 / 1 h"], observed: (recipients_accepted: ["250 / 1 h"])),
        ),
    },"#,
    },
];
