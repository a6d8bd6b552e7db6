//! Two sides beside each other: the median of each figure over the rounds, and the ratio.

use std::collections::BTreeMap;

use crate::measure::median;

/// Figures by name, in the order they came.
pub struct Table {
    sides: [&'static str; 2],
    rows: Vec<(String, [Vec<f64>; 2])>,
    targets: BTreeMap<String, &'static str>,
}

impl Table {
    pub fn new(sides: [&'static str; 2]) -> Table {
        Table { sides, rows: Vec::new(), targets: BTreeMap::new() }
    }

    /// One figure of one round; `side` 0 or 1.
    pub fn add(&mut self, side: usize, what: &str, figure: f64) {
        match self.rows.iter_mut().find(|(name, _)| name == what) {
            Some((_, figures)) => figures[side].push(figure),
            None => {
                let mut figures = [Vec::new(), Vec::new()];
                figures[side].push(figure);
                self.rows.push((what.to_owned(), figures));
            }
        }
    }

    /// What the design asks, printed behind the row.
    pub fn target(&mut self, what: &str, words: &'static str) {
        self.targets.insert(what.to_owned(), words);
    }

    pub fn print(&self, title: &str) {
        println!("\n{title}");
        println!("  {:<34} {:>14} {:>14} {:>8}", "", self.sides[0], self.sides[1], "ratio");
        for (what, [one, other]) in &self.rows {
            let (one, other) = (median(one.clone()), median(other.clone()));
            let ratio = if other == 0.0 { String::from("-") } else { format!("{:.2}", one / other) };
            let target = self.targets.get(what).copied().unwrap_or_default();
            println!("  {what:<34} {:>14} {:>14} {ratio:>8}  {target}", figure(one), figure(other));
        }
    }
}

/// Three digits that mean something.
pub fn figure(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}
