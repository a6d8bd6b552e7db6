//! The rules of the house, read from the tree itself. Each rule is a function from text to faults, tried on bad snippets
//! of its own; `tests/style.rs` applies them all to the whole tree and holds the exceptions.

pub mod edges;
pub mod laws;
pub mod lengths;
pub mod lock;
pub mod mask;
pub mod names;
pub mod purity;
pub mod tree;
pub mod words;

use std::fmt;

/// One broken rule at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The rule in one word, as exceptions name it.
    pub rule: &'static str,
    /// Path from the top of the tree, with `/`; for a function, `path::name`.
    pub place: String,
    /// 1-based; 0 when the fault is the file's own.
    pub line: usize,
    pub says: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}: [{}] {}", self.place, self.line, self.rule, self.says)
    }
}

/// A fault somebody agreed to, by name.
pub struct Exception {
    pub rule: &'static str,
    pub place: &'static str,
    pub because: &'static str,
}

/// Faults that no exception covers, and exceptions that cover nothing: the list only shrinks.
pub fn judge(faults: &[Fault], exceptions: &[Exception]) -> Vec<String> {
    let covers = |exception: &Exception, fault: &Fault| exception.rule == fault.rule && exception.place == fault.place;
    let open = faults.iter().filter(|fault| !exceptions.iter().any(|exception| covers(exception, fault)));
    let unused = exceptions.iter().filter(|exception| !faults.iter().any(|fault| covers(exception, fault)));
    let silent = exceptions.iter().filter(|exception| exception.because.is_empty());
    open.map(ToString::to_string)
        .chain(unused.map(|it| format!("{}: [{}] this exception is no longer needed: delete it", it.place, it.rule)))
        .chain(silent.map(|it| format!("{}: [{}] this exception gives no reason", it.place, it.rule)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(place: &str) -> Fault {
        Fault { rule: "length", place: place.into(), line: 1, says: "too long".into() }
    }

    #[test]
    fn an_exception_covers_its_fault_and_nothing_else() {
        let exception = Exception { rule: "length", place: "a.rs", because: "one table" };
        assert!(judge(&[fault("a.rs")], std::slice::from_ref(&exception)).is_empty());
        assert_eq!(judge(&[fault("a.rs"), fault("b.rs")], &[exception]), ["b.rs:1: [length] too long"]);
    }

    #[test]
    fn an_exception_without_fault_or_reason_is_a_fault() {
        let unused = Exception { rule: "length", place: "a.rs", because: "one table" };
        assert_eq!(judge(&[], &[unused]).len(), 1);
        let silent = Exception { rule: "length", place: "a.rs", because: "" };
        assert_eq!(judge(&[fault("a.rs")], &[silent]).len(), 1);
    }
}
