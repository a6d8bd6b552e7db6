//! Bounds too far away for cases that are drawn: one step below each and one above, in the model and in the store.

use mail::{Alias, AliasKind, MailboxName};

use super::lockstep::Lockstep;
use super::naive::{Mail, Step};
use super::steps::{Happening, address_of, login_of, name_of};
use super::{Folder, open};

fn run(name: &str, steps: Vec<Step>) {
    let folder = Folder::new(name);
    let opened = || -> Box<dyn super::Waist> { Box::new(open(folder.path(), 1)) };
    let happenings: Vec<Happening> = steps.into_iter().map(Happening::one).collect();
    let run = Lockstep::new(&opened, 1).and_then(|mut lockstep| {
        lockstep.run(&happenings)?;
        lockstep.restart()?;
        lockstep.look()
    });
    if let Err(why) = run {
        panic!("{why}");
    }
}

fn note(name: Option<&str>, entry: String, octets: usize) -> Step {
    Step::Annotate(login_of("a"), name.map(name_of), entry, Some(vec![b'v'; octets]))
}

#[test]
fn annotations_have_the_bounds_of_the_model() {
    let mut steps = Vec::new();
    for name in [None, Some("INBOX")] {
        steps.extend((0..101).map(|n| note(name, format!("/private/{n}"), 1)));
        // One that is there may change, and one that goes makes room.
        steps.push(note(name, "/PRIVATE/7".to_owned(), 2));
        steps.push(Step::Annotate(login_of("a"), name.map(name_of), "/private/9".to_owned(), None));
        steps.push(note(name, "/private/late".to_owned(), 1));
        steps.extend([64 * 1024, 64 * 1024 + 1].map(|octets| note(name, "/private/1".to_owned(), octets)));
        steps.extend([255, 256].map(|octets| note(Some("Corbeille"), "e".repeat(octets), 1)));
    }
    run("annotations", steps);
}

#[test]
fn names_get_as_deep_and_long_as_in_the_model() {
    let deep = |levels: usize| name_of(&vec!["x"; levels].join("/"));
    let create = |name: MailboxName| Step::Create(login_of("a"), name, None);
    let rename = |from: &str, to: MailboxName| Step::Rename(login_of("a"), name_of(from), to);
    let long = name_of(&"l".repeat(509));
    run(
        "deep",
        vec![
            create(name_of("y/z")),
            create(deep(14)),
            // The child would be one level too deep, then it is not.
            rename("y", deep(16)),
            rename("y", deep(15)),
            create(name_of("w/été")),
            rename("w", long.clone()),
            rename("w", name_of(&"l".repeat(506))),
            rename(long.as_str(), name_of("v")),
        ],
    );
}

#[test]
fn aliases_and_references_have_the_bounds_of_the_model() {
    let alias = |members: usize| {
        let (address, kind) = (address_of("info@example.org"), AliasKind::Function);
        Step::Alias(Alias { address, members: vec![login_of("a"); members], kind })
    };
    // Of a long thread only the nearest identifiers count.
    let mail = |n: u8, references: String| {
        let ids = [format!("<{n}@y>"), String::new(), references];
        Step::Append(login_of("a"), name_of("INBOX"), Mail { octets: 9, ids, ..Mail::default() })
    };
    let all = |last: u8| (1..=last).map(|n| format!("<{n}@x>")).collect::<Vec<_>>().join(" ");
    run(
        "long",
        vec![
            alias(1000),
            alias(1001),
            mail(1, all(1)),
            mail(2, all(12)),
            mail(3, format!("<1@x> {}", all(14).split_once(' ').map_or("", |it| it.1))),
            mail(4, "<2@x>".to_owned()),
            mail(5, "<14@x>".to_owned()),
        ],
    );
}
