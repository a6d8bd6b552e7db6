//! How far it is, on one line of standard error that is written again and again; nothing where that is no terminal.

use std::io::{IsTerminal, Write};

use server::operate::Progress;

use super::number;

/// Characters of the bar.
const WIDTH: u64 = 24;
/// Longest text of what is worked on, in characters, so that the line stays one line.
const ON_CHARS_MAX: usize = 24;

#[derive(Clone, Copy)]
pub struct Bar {
    name: &'static str,
    is_terminal: bool,
}

impl Bar {
    pub fn new(name: &'static str) -> Bar {
        Bar { name, is_terminal: std::io::stderr().is_terminal() }
    }

    pub fn draw(self, progress: &Progress) {
        self.write(&text(self.name, progress));
    }

    /// Leaves nothing behind.
    pub fn clear(self) {
        self.write("");
    }

    fn write(self, text: &str) {
        if self.is_terminal {
            // A terminal that went away is no error of ours. `ESC [ K` clears to the end of the line.
            let _ = write!(std::io::stderr(), "\r{text}\x1b[K");
        }
    }
}

fn text(name: &str, progress: &Progress) -> String {
    // Names of mailboxes have no control characters, but what shows them may not rely on it.
    let on: String = progress.on.chars().filter(|c| !c.is_control()).take(ON_CHARS_MAX).collect();
    let done = number(progress.done);
    let unit = progress.unit.word();
    match progress.total {
        Some(total) if total > 0 => {
            let part = progress.done.min(total);
            let full = (u128::from(part) * u128::from(WIDTH) / u128::from(total)) as usize;
            let percent = u128::from(part) * 100 / u128::from(total);
            let (full, empty) = ("#".repeat(full), ".".repeat(WIDTH as usize - full));
            format!("{name} [{full}{empty}] {percent:>3} %  {done} of {} {unit}  {on}", number(total))
        }
        Some(_) | None if progress.done == 0 => format!("{name}  {on}"),
        Some(_) | None => format!("{name}  {done} {unit}  {on}"),
    }
}

#[cfg(test)]
mod tests {
    use server::operate::Unit;

    use super::*;

    #[test]
    fn a_bar_says_how_much_of_how_much() {
        let progress = |done, total| Progress { on: "Projets\r/2026".to_owned(), done, total, unit: Unit::Messages };
        assert_eq!(
            text("export", &progress(3_000, Some(12_000))),
            "export [######..................]  25 %  3,000 of 12,000 messages  Projets/2026"
        );
        assert_eq!(text("export", &progress(3, None)), "export  3 messages  Projets/2026");
        assert!(text("export", &progress(9, Some(3))).contains("100 %"), "a count that was too low");
    }
}
