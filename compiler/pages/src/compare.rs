//! Compares a published page with what a Plan gives: the stale cell is named, not the file alone.

use std::collections::BTreeMap;

use crate::published::{Item, Published};

/// One difference between a published page and the Plan's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// `None`: the cell is not there.
    Cell {
        table: String,
        row: String,
        column: String,
        was: Option<String>,
        is: Option<String>,
    },
    Text {
        was: Option<String>,
        is: Option<String>,
    },
}

/// What differs between two readings of one page, in the order of the new one; cells first.
pub fn differences(published: &Published, planned: &Published) -> Vec<Difference> {
    let mut found = cells(published, planned);
    found.extend(texts(published, planned));
    found
}

/// The place of a cell: table, row, column, and which one of several alike.
type Place = (String, String, String, usize);

fn cells(published: &Published, planned: &Published) -> Vec<Difference> {
    let (old, new) = (by_place(published), by_place(planned));
    let (by_old, by_new): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (old.iter().cloned().collect(), new.iter().cloned().collect());
    let difference = |place: &Place, was: Option<&String>, is: Option<&String>| {
        let (table, row, column, _) = place.clone();
        Difference::Cell { table, row, column, was: was.cloned(), is: is.cloned() }
    };
    let changed = new.iter().filter(|(place, text)| by_old.get(place) != Some(text));
    let mut found: Vec<_> = changed.map(|(place, text)| difference(place, by_old.get(place), Some(text))).collect();
    let gone = old.iter().filter(|(place, _)| !by_new.contains_key(place));
    found.extend(gone.map(|(place, text)| difference(place, Some(text), None)));
    found
}

fn by_place(page: &Published) -> Vec<(Place, String)> {
    let mut seen: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    let mut all = Vec::new();
    for item in &page.items {
        let Item::Cell { table, row, column, text } = item else { continue };
        let times = seen.entry((table.clone(), row.clone(), column.clone())).or_default();
        all.push(((table.clone(), row.clone(), column.clone(), *times), text.clone()));
        *times += 1;
    }
    all
}

/// Texts that are on one side only, paired in order.
fn texts(published: &Published, planned: &Published) -> Vec<Difference> {
    let (gone, came) = (without(published, planned), without(planned, published));
    let pairs = gone.len().max(came.len());
    (0..pairs).map(|at| Difference::Text { was: gone.get(at).cloned(), is: came.get(at).cloned() }).collect()
}

fn without(page: &Published, other: &Published) -> Vec<String> {
    let mut theirs: BTreeMap<&String, usize> = BTreeMap::new();
    for text in other.items.iter().filter_map(text_of) {
        *theirs.entry(text).or_default() += 1;
    }
    let mut left = Vec::new();
    for text in page.items.iter().filter_map(text_of) {
        match theirs.get_mut(text) {
            Some(count) if *count > 0 => *count -= 1,
            Some(_) | None => left.push(text.clone()),
        }
    }
    left
}

fn text_of(item: &Item) -> Option<&String> {
    match item {
        Item::Text(text) => Some(text),
        Item::Cell { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(figure: &str, text: &str) -> Published {
        let cell = |column: &str, text: &str| Item::Cell {
            table: "t".into(),
            row: "r".into(),
            column: column.into(),
            text: text.into(),
        };
        let items = vec![Item::Text(text.into()), cell("a", figure), cell("b", "7")];
        Published { plan_hash: String::new(), items }
    }

    #[test]
    fn the_stale_cell_is_named() {
        assert_eq!(differences(&page("1", "x"), &page("1", "x")), []);
        let cell = Difference::Cell {
            table: "t".into(),
            row: "r".into(),
            column: "a".into(),
            was: Some("1".into()),
            is: Some("2".into()),
        };
        assert_eq!(differences(&page("1", "x"), &page("2", "x")), [cell]);
        let text = Difference::Text { was: Some("x".into()), is: Some("y".into()) };
        assert_eq!(differences(&page("1", "x"), &page("1", "y")), [text]);
    }

    #[test]
    fn cells_that_came_or_went_are_named_too() {
        let found = differences(&Published::default(), &page("1", "x"));
        assert_eq!(found.len(), 3);
        assert!(matches!(&found[0], Difference::Cell { was: None, .. }));
        let found = differences(&page("1", "x"), &Published::default());
        assert!(matches!(&found[0], Difference::Cell { is: None, .. }));
    }
}
