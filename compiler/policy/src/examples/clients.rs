//! E04xx and L04xx.

use super::{Base, Example, Setting};
use crate::codes::Code;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0401,
        setting: Setting::Sections(Base::Office),
        why: r#"Without TLS the password crosses the network as it is typed. Anyone on the way can read it and send in the person's name."#,
        bad: r#"    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, tls: None, auth: Required),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
    },"#,
        caret: r#"tls: None"#,
        good: r#"    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, tls: Implicit, auth: Required),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
    },"#,
    },
    Example {
        code: Code::E0402,
        setting: Setting::Sections(Base::Office),
        why: r#"An address in two networks would have two classes, and which rules hold for it would be chance."#,
        bad: r#"    networks: { "inside": In(["192.168.10.0/24"]), "guests": In(["192.168.10.0/24"]), "outside": Rest },"#,
        caret: r#""guests""#,
        good: r#"    networks: { "inside": In(["192.168.10.0/24"]), "guests": In(["192.168.10.128/25"]), "outside": Rest },"#,
    },
    Example {
        code: Code::E0403,
        setting: Setting::Sections(Base::Office),
        why: r#"Two listeners on one port of one host would each have to answer the same connection in their own way."#,
        bad: r#"    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, auth: Required),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
        "subm":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, auth: Required),
    },"#,
        caret: r#""subm""#,
        good: r#"    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, auth: Required),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
        "subm":  (host: "mail.cabinet-martin.example", port: 587, speaks: Smtp, auth: Required),
    },"#,
    },
    Example {
        code: Code::E0404,
        setting: Setting::Sections(Base::Office),
        why: r#"The ceiling says how far a service may ever be open. A block that goes beyond it contradicts what the institution wrote down on purpose."#,
        bad: r#"    never_reachable_beyond: { Mx: Everywhere, Submission: Everywhere, Imaps: ["inside"] },
    may_read: { "reading": (connecting_to: ["imaps"], from: ["inside", "outside"]) },"#,
        caret: r#""reading""#,
        good: r#"    never_reachable_beyond: { Mx: Everywhere, Submission: Everywhere, Imaps: ["inside"] },
    may_read: { "reading": (connecting_to: ["imaps"], from: ["inside"]) },"#,
    },
    Example {
        code: Code::E0405,
        setting: Setting::Sections(Base::Office),
        why: r#"For each listener and network exactly one block decides. With two of them the limits of a person would depend on which one is looked at first."#,
        bad: r#"    may_send: {
        "desk": (
            connecting_to: ["subs"], from: ["inside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["1000 / 1 h"]),
        ),
        "road": (
            connecting_to: ["subs"], from: ["outside", "inside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 50, messages_accepted: ["50 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
        caret: r#"["outside", "inside"]"#,
        good: r#"    may_send: {
        "desk": (
            connecting_to: ["subs"], from: ["inside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 100, messages_accepted: ["200 / 1 h"], recipients_accepted: ["1000 / 1 h"]),
        ),
        "road": (
            connecting_to: ["subs"], from: ["outside"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,
            each_account: (recipients_in_one_message: 50, messages_accepted: ["50 / 1 h"], recipients_accepted: ["500 / 1 h"]),
        ),
    },"#,
    },
    Example {
        code: Code::E0407,
        setting: Setting::Sections(Base::Office),
        why: r#"TLS 1.0 and 1.1 are broken and forbidden (RFC 8996). Whoever insists on them is better told than served."#,
        bad: r#"    tls: (oldest: Tls10, certificate: Acme("postmaster@cabinet-martin.example")),"#,
        caret: r#"Tls10"#,
        good: r#"    tls: (oldest: Tls12, certificate: Acme("postmaster@cabinet-martin.example")),"#,
    },
    Example {
        code: Code::E0408,
        setting: Setting::Sections(Base::Office),
        why: r#"An address without a class has no rules at all. One network is `Rest`: everything that no other one names."#,
        bad: r#"    networks: { "inside": In(["192.168.10.0/24"]) },"#,
        caret: r#""inside""#,
        good: r#"    networks: { "inside": In(["192.168.10.0/24"]), "outside": Rest },"#,
    },
    Example {
        code: Code::E0409,
        setting: Setting::Sections(Base::Office),
        why: r#"People reach one service by any of its names, on whichever port their program knows. A certificate without the name makes that program warn or stop."#,
        bad: r#"    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, auth: Required, also: ["smtp.cabinet-martin.example"]),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
        "subm":  (host: "mail.cabinet-martin.example", port: 587, speaks: Smtp, auth: Required),
    },"#,
        caret: r#""subm""#,
        good: r#"    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, auth: Required, also: ["smtp.cabinet-martin.example"]),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
        "subm":  (host: "mail.cabinet-martin.example", port: 587, speaks: Smtp, auth: Required, also: ["smtp.cabinet-martin.example"]),
    },"#,
    },
    Example {
        code: Code::L0410,
        setting: Setting::Sections(Base::Office),
        why: r#"Mail programs speak TLS at once on 465 and STARTTLS on 587. The other way round they wait, and then say that the server does not answer."#,
        bad: r#"    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, tls: StartTls(Required), auth: Required),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
    },"#,
        caret: r#"StartTls(Required)"#,
        good: r#"    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, tls: Implicit, auth: Required),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
    },"#,
    },
    Example {
        code: Code::L0411,
        setting: Setting::Sections(Base::Office),
        why: r#"Where STARTTLS is only offered, somebody in between can take the offer away, and the password goes out in clear."#,
        bad: r#"    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 587, speaks: Smtp, tls: StartTls(Offered), auth: Required),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
    },"#,
        caret: r#"StartTls(Offered)"#,
        good: r#"    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 587, speaks: Smtp, tls: StartTls(Required), auth: Required),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
    },"#,
    },
    Example {
        code: Code::L0412,
        setting: Setting::Sections(Base::Office),
        why: r#"The port answers, and then turns everyone from that network away. Either the port is closed there, or somebody was forgotten."#,
        bad: r#"    may_read: { "reading": (connecting_to: ["imaps"], from: ["inside"]) },
    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, auth: Required),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
    },"#,
        caret: r#""imaps": ("#,
        good: r#"    may_read: { "reading": (connecting_to: ["imaps"], from: ["inside", "outside"]) },
    listeners: {
        "mx":    (host: "mail.cabinet-martin.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, auth: Required),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
    },"#,
    },
    Example {
        code: Code::L0413,
        setting: Setting::Sections(Base::Nantes),
        why: r#"Reading in clear is allowed by the ceiling although nothing offers it. The page says that there is only the encrypted way."#,
        bad: r#"    never_reachable_beyond: {
        Imaps: Everywhere, Submission: Everywhere, Mx: Everywhere, Webmail: ["inside", "private", "outside"],
        Imap: ["inside"],
        Relay: ["private"],
    },"#,
        caret: r#"Imap: ["#,
        good: r#"    never_reachable_beyond: {
        Imaps: Everywhere, Submission: Everywhere, Mx: Everywhere, Webmail: ["inside", "private", "outside"],
        Relay: ["private"],
    },"#,
    },
    Example {
        code: Code::L0414,
        setting: Setting::Sections(Base::Office),
        why: r#"A bound on something that does not exist may be a statement for later, or the rest of a service that is gone."#,
        bad: r#"    never_reachable_beyond: { Mx: Everywhere, Submission: Everywhere, Imaps: Everywhere, Webmail: ["inside"] },"#,
        caret: r#"Webmail"#,
        good: r#"    never_reachable_beyond: { Mx: Everywhere, Submission: Everywhere, Imaps: Everywhere },"#,
    },
    Example {
        code: Code::E0416,
        setting: Setting::Sections(Base::Office),
        why: r#"Passwords are guessed before they are stolen. Without a limit a machine tries a thousand a minute, all night."#,
        bad: r#"    logins: None,"#,
        caret: r#"logins"#,
        good: r#"    logins: (
        each_account_and_network: (failed: ["10 / 15 min"]), each_client_address: (failed: ["30 / 15 min"]), when_over: TryLater,
    ),"#,
    },
    Example {
        code: Code::E0417,
        setting: Setting::Sections(Base::Office),
        why: r#"A public authority only vouches for public names. One name it refuses makes the whole order fail, and with it the certificate of every other listener."#,
        bad: r#"    listeners: {
        "mx":    (host: "mail.cabinet.prive", port: 25, speaks: Smtp, auth: Never),
        "subs":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, auth: Required),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
    },"#,
        caret: r#""mail.cabinet.prive""#,
        good: r#"    listeners: {
        "mx":    (host: "mail.cabinet.prive", port: 25, speaks: Smtp, auth: Never, certificate: Internal),
        "subs":  (host: "mail.cabinet-martin.example", port: 465, speaks: Smtp, auth: Required),
        "imaps": (host: "mail.cabinet-martin.example", port: 993, speaks: Imap, auth: Required),
    },"#,
    },
    Example {
        code: Code::E0418,
        setting: Setting::Sections(Base::Office),
        why: r#"What a gateway tells about its clients is believed. In a wide prefix some other machine will tell something too."#,
        bad: r#"    gateways: {
        "filter": (from: ["192.0.0.0/16"], on: ["mx"], refuse_others: true, client_address: Received(depth: 1)),
    },"#,
        caret: r#"192.0.0.0/16"#,
        good: r#"    gateways: {
        "filter": (from: ["192.0.2.32/29"], on: ["mx"], refuse_others: true, client_address: Received(depth: 1)),
    },"#,
    },
    Example {
        code: Code::L0419,
        setting: Setting::Sections(Base::Office),
        why: r#"Spam goes round the filter: whoever looks up the address of the MX connects to it directly."#,
        bad: r#"    gateways: {
        "filter": (from: ["192.0.2.32/29"], on: ["mx"], client_address: Received(depth: 1)),
    },"#,
        caret: r#""filter""#,
        good: r#"    gateways: {
        "filter": (from: ["192.0.2.32/29"], on: ["mx"], refuse_others: true, client_address: Received(depth: 1)),
    },"#,
    },
    Example {
        code: Code::E0420,
        setting: Setting::Sections(Base::Office),
        why: r#"A word nobody announces hides nothing: the program keeps using what it does wrong, and the file says it does not."#,
        bad: r#"    imap: (mask: [(client: "Outlook*", without: ["QRESINC"])]),"#,
        caret: r#""QRESINC""#,
        good: r#"    imap: (mask: [(client: "Outlook*", without: ["QRESYNC"])]),"#,
    },
];
