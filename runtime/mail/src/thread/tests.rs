//! Threads against the words of RFC 5256, and against a model that follows them with no care for speed or depth.

use super::*;
use crate::order::{KeyParts, MessageKeys, Source};
use proptest::prelude::*;

/// A message: subject, identifier (empty for none), references, and when it was sent.
type Message = (String, String, Vec<String>, i64);

fn message(subject: &str, id: &str, references: &[&str], sent_s: i64) -> Message {
    (subject.to_owned(), id.to_owned(), references.iter().map(|id| (*id).to_owned()).collect(), sent_s)
}

fn keys_of(messages: &[Message]) -> Keys {
    let mut keys = Keys::default();
    for (uid, (subject, id, references, sent_s)) in (1..).zip(messages) {
        let bracketed = |id: &String| if id.is_empty() { String::new() } else { format!("<{id}>") };
        let references: Vec<String> = references.iter().map(bracketed).collect();
        let of = MessageKeys::of(&Source {
            envelope: b"",
            subject,
            message_id: &bracketed(id),
            in_reply_to: "",
            references: &references.join(" "),
            sent_s: Some(*sent_s),
        });
        keys.push(uid, &of, KeyParts::THREAD);
    }
    keys
}

fn written(threads: &Threads) -> String {
    let mut text = String::new();
    threads.write(|place| place as u32 + 1, &mut |token| match token {
        Token::Open => text.push('('),
        Token::Close => text.push(')'),
        Token::Space => text.push(' '),
        Token::Number(number) => text.push_str(&number.to_string()),
    });
    text
}

fn threaded(algorithm: Algorithm, messages: &[Message]) -> String {
    let sent_s: Vec<i64> = messages.iter().map(|message| message.3).collect();
    written(&threads(algorithm, &keys_of(messages), &sent_s))
}

#[track_caller]
fn check(messages: &[Message], expected: &str) {
    assert_eq!(threaded(Algorithm::References, messages), expected);
    assert_eq!(naive::references(messages), expected, "the model");
}

#[test]
fn no_messages_make_no_threads() {
    check(&[], "");
    assert!(threads(Algorithm::References, &Keys::default(), &[]).is_empty());
}

#[test]
fn replies_hang_below_what_they_answer() {
    // The example of RFC 5256 with its numbers put in order: (2)(3 6 (4 23)(44 7 96)).
    let messages = [
        message("x", "2", &[], 1),
        message("y", "3", &[], 2),
        message("Re: y", "6", &["3"], 3),
        message("Re: y", "4", &["3", "6"], 4),
        message("Re: y", "23", &["6", "4"], 5),
        message("Re: y", "44", &["3", "6"], 6),
        message("Re: y", "7", &["44"], 7),
        message("Re: y", "96", &["3", "6", "44", "7"], 8),
    ];
    check(&messages, "(1)(2 3 (4 5)(6 7 8))");
}

#[test]
fn missing_messages_hold_their_answers_together() {
    check(&[message("a", "1", &["0"], 1), message("b", "2", &["0"], 2)], "((1)(2))");
    check(&[message("a", "1", &["0"], 1)], "(1)");
    // Of two missing ones above each other one is enough.
    check(&[message("a", "1", &["x", "y"], 2), message("b", "2", &["x", "y"], 1)], "((2)(1))");
    check(&[message("a", "1", &[], 1), message("b", "2", &["1", "x"], 2), message("c", "3", &["x"], 3)], "(1 (2)(3))");
}

#[test]
fn loops_and_doubled_identifiers_are_survived() {
    check(&[message("a", "1", &["1"], 1)], "(1)");
    check(&[message("a", "1", &["2"], 1), message("b", "2", &["1"], 2)], "(2 1)");
    check(&[message("a", "1", &[], 1), message("b", "1", &[], 2), message("c", "3", &["1"], 3)], "(1 3)(2)");
    check(&[message("a", "", &[], 1), message("b", "", &[], 2)], "(1)(2)");
    // A shorter list said otherwise before: the message itself knows better.
    check(&[message("c", "3", &["1", "2"], 3), message("b", "2", &["0"], 2), message("a", "1", &[], 1)], "(3)(2 1)");
}

#[test]
fn threads_with_one_subject_become_one() {
    check(&[message("a", "1", &[], 1), message("Re: A", "2", &[], 2)], "(1 2)");
    check(&[message("a", "1", &[], 1), message("[l] a", "2", &[], 2)], "((1)(2))");
    check(
        &[message("Re: a", "1", &[], 1), message("re: a", "2", &[], 2), message("fwd: a", "3", &[], 3)],
        "((1)(2)(3))",
    );
    check(&[message("Re: a", "1", &[], 1), message("a", "2", &[], 2)], "(2 1)");
    check(&[message("", "1", &[], 1), message("Re: ", "2", &[], 2)], "(1)(2)");
    // Two that hold others together become one that does.
    let two = [
        message("a", "1", &["x"], 1),
        message("q", "2", &["x"], 2),
        message("a", "3", &["y"], 3),
        message("r", "4", &["y"], 4),
        message("Re: a", "5", &[], 0),
    ];
    check(&two, "((5)(1)(2)(3)(4))");
}

#[test]
fn siblings_stand_in_the_order_they_were_sent() {
    let late_parent = [
        message("a", "1", &[], 9),
        message("b", "2", &["1"], 5),
        message("c", "3", &["1"], 4),
        message("d", "4", &[], 6),
    ];
    check(&late_parent, "(4)(1 (3)(2))");
    check(&[message("a", "1", &["0"], 9), message("b", "2", &["0"], 5), message("d", "3", &[], 6)], "((2)(1))(3)");
}

#[test]
fn ordered_subject_is_two_levels_deep() {
    let messages = [
        message("b", "1", &[], 5),
        message("Re: a", "2", &[], 3),
        message("a", "3", &[], 4),
        message("A (fwd)", "4", &[], 9),
        message("Re: b", "5", &[], 1),
        message("", "6", &[], 2),
    ];
    assert_eq!(threaded(Algorithm::OrderedSubject, &messages), "(5 1)(6)(2 (3)(4))");
}

#[test]
fn a_thread_as_deep_as_the_mailbox_is_written_all_the_same() {
    let count = 100_000_u64;
    let mut keys = Keys::default();
    for n in 0..count {
        // Each second message has a brother, so that forks nest too.
        let above = if n < 2 { 0 } else { n / 2 * 2 - 1 };
        let ids = if n < 2 { vec![1, n + 1] } else { vec![1, n + 1, above + 1] };
        keys.push(n as u32 + 1, &MessageKeys { ids, ..MessageKeys::default() }, KeyParts::THREAD);
    }
    let sent: Vec<i64> = (0..count as i64).collect();
    let threads = threads(Algorithm::References, &keys, &sent);
    let text = written(&threads);
    assert_eq!(text.matches(|c: char| c.is_ascii_digit()).count(), (1..=count).map(|n| n.to_string().len()).sum());
    assert_eq!(text.matches('(').count(), text.matches(')').count());
    assert!(text.contains("(((") || text.contains(" ("), "{}", &text[..60]);
}

#[test]
fn hostile_references_cost_bounded_time() {
    let count = 20_000_u64;
    let mut keys = Keys::default();
    for n in 0..count {
        // A chain, backwards; then each message asks the same of its end again and again.
        let end = [count + 1, 1].into_iter().cycle().take(90);
        let ids = [7, n + 1].into_iter().chain(end).chain([n + 2]).collect();
        keys.push(n as u32 + 1, &MessageKeys { ids, ..MessageKeys::default() }, KeyParts::THREAD);
    }
    let sent = vec![0; count as usize];
    assert!(!threads(Algorithm::References, &keys, &sent).is_empty());
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let subject = prop_oneof!["(Re: )?[ab]?", "x"];
    let id = || "[0-9]?";
    let references = proptest::collection::vec("[0-9c-e]", 0..5);
    proptest::collection::vec((subject, id(), references, 0_i64..6), 0..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn threads_are_those_of_the_model(messages in messages()) {
        prop_assert_eq!(threaded(Algorithm::References, &messages), naive::references(&messages));
    }
}

/// RFC 5256 3 sentence by sentence, with trees of values and recursion.
mod naive {
    use super::Message;
    use crate::order::{base_subject, casemap};

    #[derive(Clone, Debug)]
    struct Tree {
        message: Option<usize>,
        children: Vec<Tree>,
    }

    struct Links {
        ids: Vec<String>,
        message: Vec<Option<usize>>,
        parent: Vec<Option<usize>>,
    }

    impl Links {
        fn container(&mut self, id: &str) -> usize {
            self.ids.iter().position(|known| known == id).unwrap_or_else(|| {
                self.ids.push(id.to_owned());
                self.message.push(None);
                self.parent.push(None);
                self.ids.len() - 1
            })
        }

        fn is_above(&self, one: usize, other: usize) -> bool {
            one == other || self.parent[other].is_some_and(|parent| self.is_above(one, parent))
        }

        fn tree(&self, of: usize) -> Tree {
            let below = (0..self.ids.len()).filter(|child| self.parent[*child] == Some(of));
            Tree { message: self.message[of], children: below.map(|child| self.tree(child)).collect() }
        }
    }

    pub(super) fn references(messages: &[Message]) -> String {
        let mut links = Links { ids: Vec::new(), message: Vec::new(), parent: Vec::new() };
        for (number, (_, id, references, _)) in messages.iter().enumerate() {
            let first = !id.is_empty() && !messages[..number].iter().any(|before| before.1 == *id);
            let id = if first { id.clone() } else { format!("unique {number}") };
            let own = links.container(&id);
            links.message[own] = Some(number);
            let references: Vec<usize> = references.iter().map(|id| links.container(id)).collect();
            for pair in references.windows(2) {
                if links.parent[pair[1]].is_none() && !links.is_above(pair[1], pair[0]) {
                    links.parent[pair[1]] = Some(pair[0]);
                }
            }
            links.parent[own] = None;
            if let Some(last) = references.last().filter(|last| !links.is_above(own, **last)) {
                links.parent[own] = Some(*last);
            }
        }
        let tops = (0..links.ids.len()).filter(|at| links.parent[*at].is_none());
        let mut roots: Vec<Tree> = tops.flat_map(|top| pruned(links.tree(top), true)).collect();
        sort(&mut roots, messages, false);
        let mut roots = gathered(roots, messages);
        sort(&mut roots, messages, true);
        roots.iter().map(|root| format!("({})", members(root))).collect()
    }

    fn pruned(tree: Tree, top: bool) -> Vec<Tree> {
        let children: Vec<Tree> = tree.children.into_iter().flat_map(|child| pruned(child, false)).collect();
        match tree.message {
            None if !top || children.len() < 2 => children,
            message => vec![Tree { message, children }],
        }
    }

    fn rank(tree: &Tree, messages: &[Message]) -> (i64, usize) {
        match tree.message {
            Some(number) => (messages[number].3, number),
            None => rank(&tree.children[0], messages),
        }
    }

    fn sort(trees: &mut [Tree], messages: &[Message], all: bool) {
        for tree in trees.iter_mut() {
            if all || tree.message.is_none() {
                sort(&mut tree.children, messages, all);
            }
        }
        trees.sort_by_key(|tree| rank(tree, messages));
    }

    fn subject(tree: &Tree, messages: &[Message]) -> (String, bool) {
        let number = tree.message.or_else(|| tree.children[0].message).unwrap();
        let base = base_subject(&messages[number].0);
        (casemap(&base.text), tree.message.is_some() && base.is_reply)
    }

    fn gathered(roots: Vec<Tree>, messages: &[Message]) -> Vec<Tree> {
        // The table: subject, place of the root, and whether that is a reply now.
        let mut table: Vec<(String, usize)> = Vec::new();
        for (at, root) in roots.iter().enumerate() {
            let (text, is_reply) = subject(root, messages);
            if text.is_empty() {
                continue;
            }
            match table.iter_mut().find(|(known, _)| *known == text) {
                None => table.push((text, at)),
                Some((_, chosen)) => {
                    let there = &roots[*chosen];
                    let there_is_reply = subject(there, messages).1;
                    if there.message.is_some() && (root.message.is_none() || (there_is_reply && !is_reply)) {
                        *chosen = at;
                    }
                }
            }
        }
        let mut places: Vec<Option<Tree>> = roots.iter().cloned().map(Some).collect();
        for (at, root) in roots.iter().enumerate() {
            let (text, is_reply) = subject(root, messages);
            let Some((_, chosen)) = table.iter().find(|(known, _)| *known == text) else { continue };
            if *chosen == at {
                continue;
            }
            let current = places[at].take().unwrap();
            let there = places[*chosen].as_mut().unwrap();
            let there_is_reply = there.message.is_some() && subject(&roots[*chosen], messages).1;
            match (there.message, current.message) {
                (None, None) => there.children.extend(current.children),
                (None, Some(_)) => there.children.push(current),
                (Some(_), _) if is_reply && !there_is_reply => there.children.push(current),
                (Some(_), _) => {
                    let both = vec![there.clone(), current];
                    *there = Tree { message: None, children: both };
                }
            }
        }
        places.into_iter().flatten().collect()
    }

    fn members(tree: &Tree) -> String {
        let own = tree.message.map(|number| (number + 1).to_string());
        let below = match tree.children.as_slice() {
            [] => None,
            [only] => Some(members(only)),
            many => Some(many.iter().map(|child| format!("({})", members(child))).collect()),
        };
        own.into_iter().chain(below).collect::<Vec<_>>().join(" ")
    }
}
