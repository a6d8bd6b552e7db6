//! E01xx about includes, overlays and waivers.

use crate::codes::Code;

use super::{Base, Example, Setting};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0102,
        setting: Setting::Part(Base::Nantes),
        why: "A part that includes what includes it would never end. Parts only add, so there is always a third file \
              for what both need.",
        bad: r#"    include: ["policy.ron"],"#,
        caret: "include",
        good: r#"    redirects: (allow: { "cea": Suffix("cea.fr") }),"#,
    },
    Example {
        code: Code::E0103,
        setting: Setting::Part(Base::Nantes),
        why: "Two files that silently override one another is the mistake nobody finds. A part adds; only an overlay \
              replaces, and says so.",
        bad: r#"    redirects: (allow: { "cnrs": Suffix("cnrs.eu") }),"#,
        caret: "cnrs.eu",
        good: r#"    redirects: (allow: { "cnrs-europe": Suffix("cnrs.eu") }),"#,
    },
    Example {
        code: Code::E0110,
        setting: Setting::Overlay(Base::Nantes),
        why: "An edit that hits nothing leaves the base as it was, while the overlay reads as if it were changed.",
        bad: r#"    set: { "mailboxes.mesage_size": "10 MB" },"#,
        caret: "mesage_size",
        good: r#"    set: { "mailboxes.message_size": "10 MB" },"#,
    },
    Example {
        code: Code::E0111,
        setting: Setting::Overlay(Base::Neighbours),
        why: "The base lists in `locked` what no overlay may touch, so that whoever reads the base knows it holds \
              everywhere.",
        bad: r#"    set: { "never_reachable_beyond.Relay": Everywhere },"#,
        caret: "Relay",
        good: r#"    set: { "may_send.application.from": ["servers"] },"#,
    },
    Example {
        code: Code::E0112,
        setting: Setting::Overlay(Base::Nantes),
        why: "What an overlay takes away may still be needed elsewhere in the base: here everybody without a profile \
              of their own has \"standard\".",
        bad: r#"    remove: ["mailboxes.profiles.standard"],"#,
        caret: "standard",
        good: r#"    set: { "mailboxes.otherwise": "visitor" },
    remove: ["mailboxes.profiles.standard"],"#,
    },
    Example {
        code: Code::E0113,
        setting: Setting::Overlay(Base::Nantes),
        why: "A guarantee is what the institution promised. An overlay may promise more, never less.",
        bad: r#"    remove: ["guarantees[5]"],"#,
        caret: "guarantees",
        good: r#"    add: { "guarantees": [NotReachable(what: [Relay], from: ["outside"])] },"#,
    },
    Example {
        code: Code::E0118,
        setting: Setting::Overlay(Base::Nantes),
        why: "A section that is absent means its defaults, which is rarely what removing it is meant to say.",
        bad: r#"    remove: ["logins"],"#,
        caret: "logins",
        good: r#"    remove: ["redirects.allow.inserm"],"#,
    },
];
