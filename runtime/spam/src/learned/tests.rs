use proptest::prelude::*;

use super::*;
use crate::tokens::{said, tokens};
use crate::view::View;

fn message(subject: &str, text: &str) -> Vec<u8> {
    format!("From: a@b.example\r\nSubject: {subject}\r\n\r\n{text}\r\n").into_bytes()
}

fn tokens_of(message: &[u8]) -> Vec<u64> {
    tokens(&View::read(message))
}

/// So many messages of each kind, with words of their own and words of all.
fn taught(spam: usize, ham: usize) -> Table {
    let mut table = Table::default();
    for number in 0..spam {
        let text = format!("the prize is yours for the winning lottery in {}", word(number));
        table.add(&tokens_of(&message("winner", &text)), 1, 0);
    }
    for number in 0..ham {
        let text = format!("the minutes of the meeting for the laboratory in {}", word(number));
        table.add(&tokens_of(&message("meeting", &text)), 0, 1);
    }
    table
}

fn word(number: usize) -> String {
    number.to_string().bytes().map(|digit| char::from(b'k' + digit - b'0')).collect::<String>() + "zz"
}

fn same(one: &Table, other: &Table) -> bool {
    let sorted = |table: &Table| {
        let mut all: Vec<_> = table.tokens().map(|(token, count)| (token, count.spam, count.ham)).collect();
        all.sort_unstable();
        all
    };
    one.messages() == other.messages() && sorted(one) == sorted(other)
}

const SPAM: &str = "the lottery prize is for you";
const HAM: &str = "the minutes of the laboratory meeting";

#[test]
fn words_of_either_kind_move_the_score_to_its_side() {
    let table = taught(100, 100);
    let of = |text: &str| score(&tokens_of(&message("x", text)), &table).thousandths;
    assert!(of(SPAM) < -500, "{}", of(SPAM));
    assert!(of(HAM) > 500, "{}", of(HAM));
    assert_eq!(of("zzyzx qwfp"), of("qwfp zzyzx"), "words that nobody taught say nothing");
}

#[test]
fn how_much_of_either_kind_was_taught_does_not_turn_a_verdict() {
    for (spam, ham) in [(20, 2_000), (2_000, 20), (300, 300)] {
        let table = taught(spam, ham);
        let of = |text: &str| score(&tokens_of(&message("x", text)), &table).thousandths;
        assert!(of(SPAM) < 0 && of(HAM) > 0, "{spam} and {ham}: {} {}", of(SPAM), of(HAM));
    }
}

#[test]
fn too_little_teaching_says_so_and_counts_nothing() {
    for (spam, ham) in [(0, 0), (TAUGHT_MIN - 1, 500), (500, TAUGHT_MIN - 1)] {
        let score = score(&tokens_of(&message("winner", SPAM)), &taught(spam as usize, ham as usize));
        assert_eq!((score.thousandths, &*score.contributions[0].about), (0, "nothing was taught yet"), "{spam} {ham}");
    }
    let table = taught(TAUGHT_MIN as usize, TAUGHT_MIN as usize);
    assert_ne!(score(&tokens_of(&message("winner", SPAM)), &table).thousandths, 0);
}

#[test]
fn an_explanation_adds_up_to_the_score_and_names_words() {
    let table = taught(100, 100);
    let message = message("winner", SPAM);
    let view = View::read(&message);
    let explained = explain(&said(&view), &table);
    assert_eq!(explained.thousandths, score(&tokens(&view), &table).thousandths);
    assert!(explained.contributions.len() <= NAMED_MAX + 1);
    let first = &explained.contributions[0];
    assert!(first.thousandths < 0 && first.about.contains("in 100 spam, 0 other"), "{first:?}");
    assert!(explained.contributions.iter().any(|each| each.about.contains("lottery")), "{explained:?}");
}

#[test]
fn a_language_that_came_with_spam_alone_is_no_verdict() {
    let mut table = taught(100, 100);
    for number in 0..100 {
        let text = format!("gagnez le gros lot de la loterie pour vous et votre famille {}", word(number));
        table.add(&tokens_of(&message("gagnant", &text)), 1, 0);
    }
    let of = |text: &str| score(&tokens_of(&message("x", text)), &table).thousandths;
    let innocent = of("voici le compte rendu de la famille pour vous et pour votre service");
    // The language speaks once, and ordinary form outweighs it.
    assert!(innocent > -crate::form::BASE, "{innocent}");
}

/// A page with three images, a table and a link, around such words.
fn page(subject: &str, text: &str) -> Vec<u8> {
    format!(
        "From: a@b.example\r\nSubject: {subject}\r\nContent-Type: text/html\r\n\r\n\
         <table><tr><td><img src=http://c.example/spacer.gif><img src=http://c.example/logo.gif>\
         <img src=http://c.example/top/bar.gif></table><p>{text}</p><a href=http://c.example/read/more?id=1>more</a>\r\n"
    )
    .into_bytes()
}

#[test]
fn a_layout_that_came_with_spam_alone_is_no_verdict() {
    let mut table = taught(20, 100);
    for number in 0..100 {
        let text = format!("the prize is yours for the winning lottery in {}", word(number));
        table.add(&tokens_of(&page("winner", &text)), 1, 0);
    }
    let of = |message: &[u8]| score(&tokens_of(message), &table).thousandths;
    let (plain, page) = (of(&message("meeting", HAM)), of(&page("meeting", HAM)));
    assert!(plain > page && page > 0, "{plain} {page}");
}

#[test]
fn counts_that_do_not_fit_together_give_a_score() {
    struct Odd;
    impl Counts for Odd {
        fn messages(&self) -> Count {
            Count { spam: 20, ham: 20 }
        }
        fn of(&self, token: u64) -> Count {
            Count { spam: u32::MAX, ham: token as u32 }
        }
    }
    let score = score(&tokens_of(&message("winner", SPAM)), &Odd);
    assert!(score.thousandths.abs() <= SCORE_MAX);
}

/// The arithmetic is exact to the last bit: these change only with it, never from one machine to another.
#[test]
fn scores_are_the_same_everywhere() {
    let table = taught(100, 40);
    let of = |text: &str| score(&tokens_of(&message("x", text)), &table).thousandths;
    assert_eq!([of(SPAM), of(HAM), of("the")], [-1_203, 2_568, 0]);
}

proptest! {
    #[test]
    fn forgetting_leaves_no_trace_and_order_does_not_matter(
        lessons in prop::collection::vec((prop::collection::vec(1u64..400, 0..30), any::<bool>(), any::<bool>()), 0..60)
    ) {
        let teach = |table: &mut Table, tokens: &[u64], is_spam: bool, times: i32| {
            let mut tokens: Vec<u64> = tokens.iter().map(|token| token << 40 | 1 << 60).collect();
            tokens.sort_unstable();
            tokens.dedup();
            table.add(&tokens, if is_spam { times } else { 0 }, if is_spam { 0 } else { times });
        };
        let (mut all, mut kept, mut backwards) = (Table::default(), Table::default(), Table::default());
        for (tokens, is_spam, stays) in &lessons {
            teach(&mut all, tokens, *is_spam, 1);
            if *stays {
                teach(&mut kept, tokens, *is_spam, 1);
            }
        }
        for (tokens, is_spam, _) in lessons.iter().rev() {
            teach(&mut backwards, tokens, *is_spam, 1);
        }
        prop_assert!(same(&all, &backwards));
        for (tokens, is_spam, _) in lessons.iter().filter(|lesson| !lesson.2) {
            teach(&mut all, tokens, *is_spam, -1);
        }
        prop_assert!(same(&all, &kept));
        let again = Table::from_counts(all.tokens().chain([(MESSAGES, all.messages())]));
        prop_assert!(same(&again, &kept));
    }

    #[test]
    fn a_table_counts_as_a_map_does(changes in prop::collection::vec((1u64..3_000, -2i32..4, -2i32..4), 0..3_000)) {
        let mut table = Table::default();
        let mut map = std::collections::HashMap::new();
        for (token, spam, ham) in changes {
            let token = token.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 60;
            table.add_token(token, spam, ham);
            let count: &mut (i64, i64) = map.entry(token).or_default();
            *count = ((count.0 + i64::from(spam)).max(0), (count.1 + i64::from(ham)).max(0));
        }
        for (token, (spam, ham)) in &map {
            let count = table.of(*token);
            prop_assert_eq!((i64::from(count.spam), i64::from(count.ham)), (*spam, *ham));
        }
        prop_assert_eq!(table.len(), map.values().filter(|count| **count != (0, 0)).count());
        prop_assert_eq!(table.of(5 << 60), Count::default());
    }
}
