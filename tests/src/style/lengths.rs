//! How long functions and files may be.

use super::Fault;
use super::mask::{code_only, is_word, line_of, words};

/// A function fits on a screen; from the line of `fn` to its closing brace.
pub const FUNCTION_LINES_MAX: usize = 70;
/// A file with its tests.
pub const FILE_LINES_MAX: usize = 800;

/// One function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// 1-based line of `fn`.
    pub line: usize,
    pub lines: usize,
}

/// Faults of one Rust file.
pub fn faults(path: &str, source: &str) -> Vec<Fault> {
    let lines = source.lines().count();
    let file = (lines > FILE_LINES_MAX).then(|| Fault {
        rule: "file-length",
        place: path.into(),
        line: 0,
        says: format!("{lines} lines, at most {FILE_LINES_MAX}"),
    });
    let long = functions(&code_only(source)).into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX);
    file.into_iter()
        .chain(long.map(|function| Fault {
            rule: "function-length",
            place: format!("{path}::{}", function.name),
            line: function.line,
            says: format!("{} lines, at most {FUNCTION_LINES_MAX}", function.lines),
        }))
        .collect()
}

/// Every function that has a body, in order; those inside others too.
pub fn functions(code: &str) -> Vec<Function> {
    words(code, "fn").into_iter().filter_map(|at| function(code, at)).collect()
}

fn function(code: &str, at: usize) -> Option<Function> {
    let name: String = code[at + 2..].trim_start().chars().take_while(|c| is_word(*c as u8)).collect();
    if name.is_empty() {
        return None; // `fn(…)` is a type.
    }
    let open = body_start(code, at)?;
    let close = closing_brace(code, open)?;
    let line = line_of(code, at);
    Some(Function { name, line, lines: line_of(code, close) - line + 1 })
}

/// The brace that opens the body; nothing when a `;` ends the declaration first.
fn body_start(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (offset, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(offset),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn closing_brace(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(offset);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_71_lines_is_too_long_and_one_of_70_is_not() {
        let of = |lines: usize| format!("fn long(a: fn(u8) -> [u8; 2]) {{\n{}}}\n", "    // {\n".repeat(lines - 2));
        assert_eq!(faults("a.rs", &of(70)), []);
        let found = faults("a.rs", &of(71));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].rule, found[0].place.as_str(), found[0].line), ("function-length", "a.rs::long", 1));
    }

    #[test]
    fn a_file_of_801_lines_is_too_long() {
        assert_eq!(faults("a.rs", &"//\n".repeat(800)), []);
        assert_eq!(faults("a.rs", &"//\n".repeat(801))[0].rule, "file-length");
    }

    #[test]
    fn declarations_types_and_inner_functions_are_told_apart() {
        let source = "trait T { fn a(&self); }\nimpl T for U {\n fn a(&self) {\n  fn b() {}\n }\n}\ntype C = fn(u8);\n";
        let found: Vec<_> = functions(&code_only(source)).into_iter().map(|it| (it.name, it.line, it.lines)).collect();
        assert_eq!(found, [("a".into(), 3, 3), ("b".into(), 4, 1)]);
    }
}
