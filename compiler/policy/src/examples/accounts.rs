//! 08xx, and E0712, which needs people.

use super::{Base, Example, Setting};
use crate::codes::Code;

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        code: Code::E0712,
        setting: Setting::People(Base::Nantes),
        why: "People are told to send what was tagged wrongly to that address. If nobody has it, every correction comes back and the filter learns nothing.",
        bad: r#"    people: [(first: "Anne", last: "Dupont", registered: "2004-10-11")],
    functions: [(address: "docmessagerie@univ-nantes.fr", members: ["dupont-a"])],"#,
        caret: r#"functions: ["#,
        good: r#"    people: [(first: "Anne", last: "Dupont", registered: "2004-10-11")],
    functions: [(address: "traitementspam@univ-nantes.fr", members: ["dupont-a"])],"#,
    },
    Example {
        code: Code::E0801,
        setting: Setting::Sections(Base::Office),
        why: "Two people of one name are sure to come. Their logins are told apart by the login rule, their addresses by nothing.",
        bad: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example"),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
        caret: r#"address: (official"#,
        good: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
    },
    Example {
        code: Code::E0801,
        setting: Setting::People(Base::Office),
        why: "The directory has to say which of two homonyms gets which address: here in the people file.",
        bad: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
        (first: "Claire", last: "Martin", registered: "2024-09-02"),
    ],"#,
        caret: r#"2024-09-02"#,
        good: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
        (first: "Claire", last: "Martin", registered: "2024-09-02", address: "Claire.Martin.2@cabinet-martin.example"),
    ],"#,
    },
    Example {
        code: Code::E0802,
        setting: Setting::Sections(Base::Office),
        why: "The login of the second person of one name is taken. Without a rule for that, there is none for them.",
        bad: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
        caret: r#"login: (form"#,
        good: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
    },
    Example {
        code: Code::E0803,
        setting: Setting::Sections(Base::Office),
        why: "A suffix that a name can imitate makes one login mean two people: whoever reads it in a log or an address cannot tell which.",
        bad: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{initials}-{last}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
        caret: r#"collision: Append"#,
        good: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{initials}-{last}", fold: AsciiLower, collision: Append(suffix: ".{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
    },
    Example {
        code: Code::E0804,
        setting: Setting::Sections(Base::Office),
        why: "The examples say what the rule is meant to give; they are run in order, with the logins of those before taken.",
        bad: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1), examples: [("Jean", "Toto", "totoj")]),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
        caret: r#"totoj"#,
        good: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1), examples: [("Jean", "Toto", "toto-j")]),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
    },
    Example {
        code: Code::E0805,
        setting: Setting::Sections(Base::Office),
        why: "Whoever is between a person and that page reads the old password and the new one.",
        bad: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap, change_at: "http://passwords.example",
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
        caret: r#"http:"#,
        good: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap, change_at: "https://passwords.example",
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
    },
    Example {
        code: Code::L0806,
        setting: Setting::Sections(Base::Office),
        why: "Someone who is never in one of those networks cannot renew the password when it expires, and is locked out.",
        bad: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap, renew_every: "6 months", change_from: ["inside"],
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
        caret: r#"change_from"#,
        good: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap, renew_every: "6 months", change_from: ["inside", "outside"],
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
    },
    Example {
        code: Code::L0807,
        setting: Setting::Sections(Base::Office),
        why: "People who must change passwords often choose weaker ones and write them down.",
        bad: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap, renew_every: "6 months",
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
        caret: r#"renew_every"#,
        good: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
    },
    Example {
        code: Code::E0808,
        setting: Setting::Sections(Base::Office),
        why: "As written, names have accents and apostrophes that no mail program types; a form may also give a name that every mail domain keeps for itself.",
        bad: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: Keep, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
        caret: r#"login: (form"#,
        good: r#"    identity: (
        directory: "local", newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@cabinet-martin.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),"#,
    },
    Example {
        code: Code::E0811,
        setting: Setting::People(Base::Office),
        why: "A login and an address lead to one person. Who was registered first keeps it.",
        bad: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
        (first: "Benoît", last: "Martin", registered: "2019-01-08", login: "martin-c"),
    ],"#,
        caret: r#"Benoît"#,
        good: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
        (first: "Benoît", last: "Martin", registered: "2019-01-08", login: "martin-benoit"),
    ],"#,
    },
    Example {
        code: Code::E0812,
        setting: Setting::People(Base::Office),
        why: "A profile says how large the mailbox is and which limits hold; one that the policy does not define says nothing.",
        bad: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07", profile: "standart"),
    ],"#,
        caret: r#"standart"#,
        good: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07", profile: "standard"),
    ],"#,
    },
    Example {
        code: Code::E0813,
        setting: Setting::People(Base::Office),
        why: "Mail to an address without members would be taken and read by nobody.",
        bad: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
    ],
    functions: [(address: "contact@cabinet-martin.example", members: [])],"#,
        caret: r#"contact@"#,
        good: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
    ],
    functions: [(address: "contact@cabinet-martin.example", members: ["martin-c"])],"#,
    },
    Example {
        code: Code::E0814,
        setting: Setting::People(Base::Office),
        why: "Mail for a domain that is not held here never comes to this server, so the address would be a promise nobody keeps.",
        bad: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
    ],
    aliases: [(address: "claire@elsewhere.example", to: ["martin-c"])],"#,
        caret: r#"elsewhere.example"#,
        good: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
    ],
    aliases: [(address: "claire@cabinet-martin.example", to: ["martin-c"])],"#,
    },
    Example {
        code: Code::E0815,
        setting: Setting::People(Base::Office),
        why: "An alias that leads back to itself reaches nobody.",
        bad: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
    ],
    aliases: [(address: "info@cabinet-martin.example", to: ["info@cabinet-martin.example"])],"#,
        caret: r#"aliases"#,
        good: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
    ],
    aliases: [(address: "info@cabinet-martin.example", to: ["martin-c"])],"#,
    },
    Example {
        code: Code::E0816,
        setting: Setting::People(Base::Office),
        why: "The order of registration decides who keeps the plain login; a file in another order would give it to somebody else.",
        bad: r#"    people: [
        (first: "Benoît", last: "Martin", registered: "2019-01-08"),
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
    ],"#,
        caret: r#"Claire"#,
        good: r#"    people: [
        (first: "Claire", last: "Martin", registered: "2019-01-07"),
        (first: "Benoît", last: "Martin", registered: "2019-01-08"),
    ],"#,
    },
];
