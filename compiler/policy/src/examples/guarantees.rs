//! E0501, E0901, E0902, E0903.

use super::{Base, Example, Setting};
use crate::codes::Code;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0501,
        setting: Setting::Sections(Base::Nantes),
        why: "Whoever on the Internet finds such a server sends through it, and within hours nobody takes mail from it any \
              more. Who may send without a password is bounded by `never_reachable_beyond.Relay`; everybody else logs in.",
        bad: r#"    may_receive: { "reception": (connecting_to: ["mx"], from: Everywhere, to: Anyone) },"#,
        caret: "to: Anyone",
        good: r#"    may_receive: { "reception": (connecting_to: ["mx"], from: Everywhere, to: OurAddresses) },"#,
    },
    Example {
        code: Code::E0901,
        setting: Setting::Sections(Base::Nantes),
        why: "What is promised under `guarantees` must hold whoever edits the rest. The compiler visits every case of the \
              tables the server decides by, and shows one that breaks the promise as a conversation; change the line it \
              names, or promise what is true.",
        bad: r#"    guarantees: [
        NoOpenRelay,
        NotReachable(what: [Imaps], from: ["outside"]),
    ],"#,
        caret: "NotReachable",
        good: r#"    guarantees: [
        NoOpenRelay,
        NotReachable(what: [Pop, Imap, Pops], from: ["outside"]),
    ],"#,
    },
    Example {
        code: Code::E0902,
        setting: Setting::Sections(Base::Nantes),
        why: "A promise about a network, an engine or a block that no longer exists promises nothing, and reads as if it \
              did. Rename it with what it names.",
        bad: r#"    guarantees: [
        NoOpenRelay,
        NoClearPassword(from: ["outsiders"]),
    ],"#,
        caret: "outsiders",
        good: r#"    guarantees: [
        NoOpenRelay,
        NoClearPassword(from: ["outside"]),
    ],"#,
    },
    Example {
        code: Code::E0903,
        setting: Setting::Sections(Base::Nantes),
        why: "A proof sees the policy and nothing else: where somebody's home institution is, only people know. The note \
              says which fact the guarantee rests on, so that it can be checked elsewhere.",
        bad: r#"    redirects: (
        asked_through: UnitItService,
        allow: { "cnrs": Suffix("cnrs.fr") },
        on_grant: { "foreign-researcher": (to: HomeInstitution, needs: [Approver, Reason, EndDate]) },
        otherwise: Refuse,
    ),"#,
        caret: "foreign-researcher",
        good: r#"    redirects: (
        asked_through: UnitItService,
        allow: { "cnrs": Suffix("cnrs.fr") },
        otherwise: Refuse,
    ),"#,
    },
];
