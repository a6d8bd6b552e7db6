use proptest::prelude::*;

use super::*;

const FRENCH: &str = "From: \"Ren\u{e9}e Martin\" <renee.martin@labo.example>\r\nSubject: [liste] Re: R\u{e9}union GRATUITE\r\n\
    Message-ID: <4711.Ab@labo.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
    L'\u{e9}t\u{e9} dernier, vous avez vu la salle et le jardin du laboratoire : https://www.labo.example/plan/a.pdf?id=3 !!!\r\n";

fn words_of(message: &str) -> Vec<String> {
    let said = said(&View::read(message.as_bytes()));
    let mut words: Vec<String> = said.into_iter().map(|each| format!("{:?} {}", each.kind, each.words)).collect();
    words.sort();
    words
}

#[test]
fn a_french_message_has_its_words_and_traits() {
    let words = words_of(FRENCH);
    for expected in [
        "Language fr",
        "Word fr ete",
        "Pair fr ete dernier",
        "Word fr laboratoire",
        "Word fr !!!",
        "Subject re:",
        "Subject fr reunion",
        "Subject fr shouted gratuite",
        "From renee",
        "From @labo.example",
        "Host www.labo.example",
        "Host labo.example",
        "Layout plain",
        "Link plain ending pdf",
        "Link plain parameter id",
        "Header Message-ID domain of From",
        "Build plain parts text/plain",
    ] {
        assert!(words.iter().any(|word| word == expected), "{expected}: {words:#?}");
    }
    assert!(words.iter().all(|word| !word.contains("liste") && !word.contains("4711")), "{words:#?}");
}

/// Counts in stores are under these names: a change of them is a change of [`TOKENS_VERSION`].
#[test]
fn names_of_tokens_stay() {
    let said = said(&View::read(FRENCH.as_bytes()));
    let of = |kind: Kind, words: &str| {
        let found = said.iter().find(|each| each.kind == kind && each.words == words);
        found.map(|each| format!("{:016x}", each.token)).unwrap_or_default()
    };
    let found = [of(Kind::Word, "fr ete"), of(Kind::Host, "labo.example"), of(Kind::Language, "fr")];
    assert_eq!(
        (TOKENS_VERSION, found),
        (1, ["193c7aa6a3dc775f".into(), "7090f51f629770ff".into(), "a3da096ecf516105".into()])
    );
    let all = said.iter().fold(0u64, |sum, each| sum.rotate_left(1) ^ each.token);
    assert_eq!((said.len(), format!("{all:016x}")), (81, "006bdac763ee9462".into()));
}

#[test]
fn words_and_names_are_the_same_tokens() {
    let view = View::read(FRENCH.as_bytes());
    let named: Vec<u64> = said(&view).into_iter().map(|each| each.token).collect();
    assert_eq!(tokens(&view), named);
}

#[test]
fn a_message_of_many_words_has_so_many_tokens_and_the_first_of_them() {
    let letters =
        |number: usize| number.to_string().bytes().map(|digit| char::from(b'a' + digit - b'0')).collect::<String>();
    let text: String = (100_000..160_000).map(|number| letters(number) + " ").collect();
    let message = format!("Subject: beginning\r\n\r\n{text}\r\n");
    let said = said(&View::read(message.as_bytes()));
    assert_eq!(said.len(), TOKENS_MAX);
    let has = |words: &str| said.iter().any(|each| each.words == words);
    assert!(has("unknown beginning") && has(&format!("unknown {}", letters(100_000))));
}

proptest! {
    #[test]
    fn any_octets_give_sorted_tokens_in_bounds(octets in prop::collection::vec(any::<u8>(), 0..400), text in "\\PC{0,200}") {
        let mut message = b"Subject: ".to_vec();
        message.extend_from_slice(text.as_bytes());
        message.extend_from_slice(b"\r\nContent-Type: text/html\r\n\r\n");
        message.extend_from_slice(&octets);
        for each in [&message, &octets] {
            let tokens = tokens(&View::read(each));
            prop_assert!(tokens.len() <= TOKENS_MAX && tokens.is_sorted_by(|one, next| one < next));
            prop_assert!(tokens.iter().all(|token| (1..=10).contains(&(token >> 60))));
        }
    }
}
