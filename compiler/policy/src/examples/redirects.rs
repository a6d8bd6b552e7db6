//! 06xx.

use super::{Base, Example, Setting};
use crate::codes::Code;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0601,
        setting: Setting::Sections(Base::Office),
        why: "The page of redirects lists what is accepted and gives examples of what is not. A domain in both makes the page contradict itself.",
        bad: r#"    redirects: (
        asked_through: Portal,
        allow: {
            "notary": Suffix("etude-durand.example"),
        },
        refused_examples: [Exact("etude-durand.example")],
        otherwise: Refuse,
    ),"#,
        caret: r#""notary":"#,
        good: r#"    redirects: (
        asked_through: Portal,
        allow: {
            "notary": Suffix("etude-durand.example"),
        },
        refused_examples: [Exact("perso.example")],
        otherwise: Refuse,
    ),"#,
    },
    Example {
        code: Code::E0602,
        setting: Setting::Sections(Base::Office),
        why: "Under a public suffix anyone can register a name: mail could be redirected to everyone, which is what the rule was to prevent. Names companies give away under their own, such as github.io, count too.",
        bad: r#"    redirects: (
        asked_through: Portal,
        allow: {
            "britain": Suffix("co.uk"),
        },
        otherwise: Refuse,
    ),"#,
        caret: r#""britain":"#,
        good: r#"    redirects: (
        asked_through: Portal,
        allow: {
            "britain": Suffix("martin-partners.co.uk"),
        },
        otherwise: Refuse,
    ),"#,
    },
    Example {
        code: Code::E0603,
        setting: Setting::Sections(Base::Office),
        why: "A public mailbox provider is nobody's employer: redirected mail leaves every rule the institution has about it.",
        bad: r#"    redirects: (
        asked_through: Portal,
        allow: {
            "home": Exact("laposte.net"),
        },
        otherwise: Refuse,
    ),"#,
        caret: r#""home":"#,
        good: r#"    redirects: (
        asked_through: Portal,
        allow: {
            "partner": Exact("etude-durand.example"),
        },
        otherwise: Refuse,
    ),"#,
    },
    Example {
        code: Code::E0604,
        setting: Setting::Sections(Base::Office),
        why: "A redirect to one of our own domains comes back to this server and goes round. A second name for a mailbox is an alias; several people are a function.",
        bad: r#"    redirects: (
        asked_through: Portal,
        allow: {
            "us": Suffix("cabinet-martin.example"),
        },
        otherwise: Refuse,
    ),"#,
        caret: r#""us":"#,
        good: r#"    redirects: (
        asked_through: Portal,
        allow: {
            "partner": Suffix("etude-durand.example"),
        },
        otherwise: Refuse,
    ),"#,
    },
    Example {
        code: Code::E0605,
        setting: Setting::Sections(Base::Office),
        why: "A filter that redirects sends mail anywhere, whatever `redirects` allows. One way out is judged, so there is only one.",
        bad: r#"    filters: (on: [Envelope, Headers], may: [FileInto, Redirect]),"#,
        caret: r#"Redirect"#,
        good: r#"    filters: (on: [Envelope, Headers], may: [FileInto]),"#,
    },
    Example {
        code: Code::L0606,
        setting: Setting::Sections(Base::Office),
        why: "The wider entry decides: this one changes nothing, and whoever removes the wider one later may think it does.",
        bad: r#"    redirects: (
        asked_through: Portal,
        allow: {
            "group": Suffix("etudes.example"),
            "notary": Suffix("durand.etudes.example"),
        },
        otherwise: Refuse,
    ),"#,
        caret: r#""notary":"#,
        good: r#"    redirects: (
        asked_through: Portal,
        allow: {
            "group": Suffix("etudes.example"),
        },
        otherwise: Refuse,
    ),"#,
    },
    Example {
        code: Code::L0607,
        setting: Setting::Sections(Base::Office),
        why: "A tag in the subject breaks the signature of whoever wrote the message. A copy that is redirected then looks forged, and the partner may refuse it.",
        bad: r#"    redirects: (
        asked_through: Portal, allow: { "notary": Suffix("etude-durand.example") }, otherwise: Refuse,
    ),
    antispam: (
        passes: ["form", "learned"], total: Sum, tag_when: ScoreBelow(0), taught_by: ["mail-managers"],
        tag: (subject: "[SPAM]", copies: All), always: Deliver,
    ),
    scanners: {
        "form": (does: SpamScore, at: BuiltIn(Form)),
        "learned": (does: SpamScore, at: BuiltIn(Learned)),
    },"#,
        caret: r#"copies: All"#,
        good: r#"    redirects: (
        asked_through: Portal, allow: { "notary": Suffix("etude-durand.example") }, otherwise: Refuse,
    ),
    antispam: (
        passes: ["form", "learned"], total: Sum, tag_when: ScoreBelow(0), taught_by: ["mail-managers"],
        tag: (subject: "[SPAM]", copies: Local), always: Deliver,
    ),
    scanners: {
        "form": (does: SpamScore, at: BuiltIn(Form)),
        "learned": (does: SpamScore, at: BuiltIn(Learned)),
    },"#,
    },
    Example {
        code: Code::L0608,
        setting: Setting::Sections(Base::Office),
        why: "What is redirected before it was looked at goes to the partner unlooked at: spam and viruses leave here under our name.",
        bad: r#"    reception: [KnownRecipient, Authenticate, Accept, Redirect, Antispam, Filters, Deliver],"#,
        caret: r#"Redirect"#,
        good: r#"    reception: [KnownRecipient, Authenticate, Accept, Antispam, Redirect, Filters, Deliver],"#,
    },
];
