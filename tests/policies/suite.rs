//! Policy suites: prose with policies in it, each offending line saying what is wrong with it in a comment.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use tests::program;
use tests::scratch::Scratch;

/// What `facteur check` says in JSON, as far as a suite asks.
#[derive(Debug, serde::Deserialize)]
pub struct Diagnostic {
    pub code: String,
    pub level: String,
    pub file: Option<String>,
    pub span: Option<Span>,
    pub labels: Vec<Label>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Span {
    pub line: usize,
}

#[derive(Debug, serde::Deserialize)]
pub struct Label {
    pub span: Span,
    pub primary: bool,
}

impl Diagnostic {
    /// The line in this file; 1 when the place is elsewhere, as it is for a broken guarantee of the defaults.
    fn line_in(&self, file: &str) -> usize {
        let here = self.file.as_ref().is_some_and(|name| name.ends_with(file));
        self.span.as_ref().filter(|_| here).map_or(1, |span| span.line)
    }
}

/// Runs `facteur check --format json`.
#[track_caller]
pub fn diagnostics(policy: &Path) -> Vec<Diagnostic> {
    let ran = program::run(Command::new(program::facteur()).args(["check", "--format", "json"]).arg(policy));
    let lines = ran.out.lines().filter(|line| line.contains("\"kind\":\"diagnostic\""));
    let found: Vec<Diagnostic> =
        lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    assert!(ran.code.is_some_and(|code| code < 8), "check ended with {:?}\n{}", ran.code, ran.err);
    found
}

/// The diagnostics for people, with the folder's name taken out.
pub fn shown(policy: &Path) -> String {
    let ran = program::run(Command::new(program::facteur()).arg("check").arg(policy));
    let folder = policy.parent().expect("a policy lies in a folder").display().to_string();
    let said = ran.err.replace(&folder, "DIR");
    // The summary is snapshotted where it is about something: for the policies that ship.
    let is_summary = |line: &&str| line.split_once(" error").is_some_and(|(count, _)| count.parse::<u32>().is_ok());
    let lines: Vec<&str> = said.lines().take_while(|line| !is_summary(line)).collect();
    format!("{}\nexit code {}", lines.join("\n"), ran.code.unwrap_or(-1))
}

/// The policies in a suite, each with the line of the suite it begins on.
pub fn blocks(text: &str) -> Vec<(usize, String)> {
    let (mut blocks, mut open) = (Vec::new(), None);
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line) {
            (None, "```ron") => open = Some((index + 1, String::new())),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some((_, block)), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a block that is not closed");
    blocks
}

/// Line and code of each error a block announces: `// error: [E0101, E0104]`. What has its place outside the policy is
/// announced on the first line.
pub fn expected(block: &str) -> BTreeSet<(usize, String)> {
    let mut expected = BTreeSet::new();
    for (index, line) in block.lines().enumerate() {
        let Some((_, codes)) = line.split_once("// error: [") else { continue };
        let codes = codes.strip_suffix(']').unwrap_or_else(|| panic!("`{line}` does not end with `]`"));
        expected.extend(codes.split(", ").map(|code| (index + 1, code.to_string())));
    }
    assert!(!expected.is_empty(), "a block of a suite shows an error");
    expected
}

/// Every block of a suite gets the errors it announces and no other.
#[track_caller]
pub fn check(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let (scratch, blocks) = (Scratch::new("suite"), blocks(&text));
    let mut wrong = Vec::new();
    for (number, (line, block)) in blocks.iter().enumerate() {
        let policy = scratch.join("policy.ron");
        std::fs::write(&policy, block).expect("the scratch folder is ours");
        let errors = diagnostics(&policy).into_iter().filter(|it| it.level == "error");
        let found: BTreeSet<_> = errors.map(|it| (it.line_in("policy.ron"), it.code)).collect();
        let expected = expected(block);
        if found != expected {
            wrong.push(format!("{}:{line}: announced {expected:?}, found {found:?}", path.display()));
        }
        insta::assert_snapshot!(format!("{name}-{}", number + 1), shown(&policy));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    blocks.len()
}

#[test]
fn blocks_and_their_announcements_are_read() {
    let text =
        "# A\n\n```ron\nPolicy(\n  a: 1, // error: [E0101, E0104]\n)\n```\nprose\n```ron\nb // error: [L0101]\n```\n";
    let blocks = blocks(text);
    assert_eq!(blocks.len(), 2);
    assert_eq!(blocks[0].0, 3);
    assert_eq!(expected(&blocks[0].1), BTreeSet::from([(2, "E0101".into()), (2, "E0104".into())]));
}
