//! The canonical text of a plan, written by us so that no formatter of a crate can move a hash.
//!
//! Fields in the order of the struct, map keys sorted by bytes, one leaf or one list of scalars a line, four spaces a
//! level, `\u{…}` for anything outside printable Unicode, LF. `tests` pin format 1 for ever.

mod tree;
mod write;

use serde::Serialize;

/// The canonical text of any value of plan types; for a `Plan` the text that is hashed.
///
/// Plan types hold no floats, no bytes and no maps with other keys than strings and unit variants; the serializer has
/// no form for those, so a value outside that set comes out as the empty text, which no reader accepts.
pub fn emit<T: Serialize>(value: &T) -> String {
    let Ok(tree) = value.serialize(tree::ToTree) else { return String::new() };
    let mut text = String::new();
    write::write(&tree, 0, &mut text);
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::emit;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        text: String,
        numbers: Vec<u32>,
        map: BTreeMap<String, Shape>,
        maybe: Option<i64>,
        nothing: Option<u8>,
        empty: Vec<Shape>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Unit,
        One(String),
        Field { octets: u64 },
        Fields { a: u8, b: Vec<Shape> },
        Inner(Inner),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        on: bool,
    }

    fn sample() -> Sample {
        Sample {
            text: "é \"quoted\" \\ \u{202e}\n".into(),
            numbers: vec![1, 2],
            map: [
                ("b".to_owned(), Shape::Fields { a: 1, b: vec![Shape::Unit, Shape::Field { octets: 9 }] }),
                ("a".to_owned(), Shape::One("x".into())),
                ("B".to_owned(), Shape::Inner(Inner { on: true })),
            ]
            .into(),
            maybe: Some(-3),
            nothing: None,
            empty: vec![],
        }
    }

    #[test]
    fn format_1_is_written_like_this_for_ever() {
        let expected = r#"(
    text: "é \"quoted\" \\ \u{202e}\u{a}",
    numbers: [1, 2],
    map: {
        "B": Inner((
            on: true,
        )),
        "a": One("x"),
        "b": Fields(
            a: 1,
            b: [
                Unit,
                Field(octets: 9),
            ],
        ),
    },
    maybe: Some(-3),
    nothing: None,
    empty: [],
)
"#;
        assert_eq!(emit(&sample()), expected);
    }

    #[test]
    fn the_ron_crate_reads_back_what_we_write() {
        let read: Sample = ron::from_str(&emit(&sample())).unwrap();
        assert_eq!(read, sample());
    }
}
