//! Two tables, row by row: what a committed plan says and the policy no longer does, and the other way round.

use std::collections::BTreeSet;

use super::Row;

/// A row that only one of two tables has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved<'r> {
    Gone(&'r Row),
    Came(&'r Row),
}

impl<'r> Moved<'r> {
    pub fn row(self) -> &'r Row {
        match self {
            Moved::Gone(row) | Moved::Came(row) => row,
        }
    }
}

/// Rows that differ, in the order of the tables; of one fact the old value stands before the new one.
pub fn compare<'r>(old: &'r [Row], new: &'r [Row]) -> Vec<Moved<'r>> {
    let before: BTreeSet<&[String]> = old.iter().map(|row| row.cells.as_slice()).collect();
    let after: BTreeSet<&[String]> = new.iter().map(|row| row.cells.as_slice()).collect();
    let mut moved = Vec::new();
    let mut gone = old.iter().peekable();
    for row in new {
        if before.contains(row.cells.as_slice()) {
            // What went before this row is said before it.
            while let Some(next) = gone.next_if(|next| next.cells != row.cells) {
                if !after.contains(next.cells.as_slice()) {
                    moved.push(Moved::Gone(next));
                }
            }
            gone.next();
        } else {
            let same_fact = |next: &&Row| next.rule == row.rule && !after.contains(next.cells.as_slice());
            if let Some(next) = gone.next_if(|next| same_fact(next)) {
                moved.push(Moved::Gone(next));
            }
            moved.push(Moved::Came(row));
        }
    }
    moved.extend(gone.filter(|next| !after.contains(next.cells.as_slice())).map(Moved::Gone));
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &[&str]) -> Vec<Row> {
        let row = |text: &&str| {
            let cells: Vec<String> = text.split(' ').map(str::to_owned).collect();
            Row { rule: cells[0].clone(), place: cells[0].clone(), cells }
        };
        texts.iter().map(row).collect()
    }

    fn said(old: &[&str], new: &[&str]) -> Vec<String> {
        let (old, new) = (rows(old), rows(new));
        let line = |moved: &Moved<'_>| {
            let sign = if matches!(moved, Moved::Gone(_)) { "-" } else { "+" };
            format!("{sign} {}", moved.row().cells.join(" "))
        };
        compare(&old, &new).iter().map(line).collect()
    }

    #[test]
    fn the_old_value_stands_before_the_new_one_and_what_is_the_same_is_not_said() {
        assert_eq!(said(&["a 1", "b 1", "c 1"], &["a 1", "b 2", "c 1"]), ["- b 1", "+ b 2"]);
        assert_eq!(said(&["a 1", "c 1"], &["a 1", "b 1", "c 1"]), ["+ b 1"]);
        assert_eq!(said(&["a 1", "b 1", "c 1"], &["a 1", "c 1"]), ["- b 1"]);
        assert_eq!(said(&["a 1", "b 1"], &["b 2", "c 2"]), ["+ b 2", "+ c 2", "- a 1", "- b 1"]);
        assert!(said(&["a 1", "b 1"], &["a 1", "b 1"]).is_empty());
    }
}
