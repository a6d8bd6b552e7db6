use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use super::*;

/// A folder of its own, gone with the value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let name = format!("facteur-command-{:016x}", u64::from_le_bytes(random::octets()));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// A scanner that is this shell script; `arguments` follow its path.
    fn scanner(&self, script: &str, arguments: &str) -> Program {
        let path = self.0.join("scanner");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let exits = [(0, ExitMeans::Clean), (1, ExitMeans::Infected), (8, ExitMeans::Suspect)];
        let exits = exits.map(|(code, means)| Exit { code, means });
        let at = format!("{} {arguments}", path.display());
        Program::new("test", &at, &exits, &self.0.join("data"), 20).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn message(text: &str) -> Source {
    Source::Memory(Arc::from(text.as_bytes()))
}

fn said(script: &str, arguments: &str, source: &Source) -> Look {
    let folder = Folder::new();
    let look = run(folder.scanner(script, arguments).scan(source)).unwrap();
    let left = fs::read_dir(folder.0.join("data/scanning")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no file is left");
    look
}

#[test]
fn exit_codes_mean_what_the_plan_says_and_nothing_else() {
    let cases = [
        ("cat >/dev/null; exit 0", Look::Clean),
        ("cat >/dev/null; echo 'stdin: Eicar FOUND'; exit 1", Look::Infected("Eicar".into())),
        ("cat >/dev/null; echo 'Infection: macro'; exit 8", Look::Suspect("macro".into())),
        ("exit 1", Look::Infected("without a name".into())),
    ];
    for (script, expected) in cases {
        assert_eq!(said(script, "", &message("Subject: x\r\n\r\n")), expected, "{script}");
    }
    for script in ["cat >/dev/null; exit 2", "exit 255", "kill -SEGV $$"] {
        assert!(matches!(said(script, "", &message("x")), Look::Failed(_)), "{script}");
    }
}

#[test]
fn a_message_comes_on_standard_input_or_as_a_file() {
    let long = "x".repeat(300_000);
    let counts = r#"test "$(wc -c)" -eq 300017"#;
    assert_eq!(said(counts, "", &message(&long)), Look::Clean);
    let counts = r#"test "$1" = --file -a "$(wc -c < "$2")" -eq 300017 -a "$(stat -c %a "$2")" = 600"#;
    assert_eq!(said(counts, "--file {file}", &message(&long)), Look::Clean);
    // No shell: what looks like one is an argument.
    assert_eq!(said(r#"cat >/dev/null; test "$1" = '$(id);' -a "$2" = '>x'"#, "$(id); >x", &message("x")), Look::Clean);
}

#[test]
fn clean_is_not_believed_of_a_scanner_that_did_not_read_the_message() {
    assert!(matches!(said("exit 0", "", &message(&"x".repeat(1_000_000))), Look::Failed(_)));
}

#[test]
fn nothing_of_our_environment_is_there() {
    let script = r#"cat >/dev/null; test "$(env | grep -vE '^(PATH|LANG|PWD|SHLVL|_|OLDPWD)=' | wc -l)" -eq 0"#;
    assert_eq!(said(script, "", &message("x")), Look::Clean);
}

#[test]
fn endless_output_is_read_and_dropped() {
    let script = "cat >/dev/null; head -c 50000000 /dev/zero; echo; echo 'x: Late FOUND'; exit 1";
    let Look::Infected(name) = said(script, "", &message("x")) else { panic!("its code counts") };
    assert!(name.chars().count() <= proto::scan::NAME_CHARS_MAX);
}

#[test]
fn a_scanner_whose_program_is_not_there_gives_no_verdict() {
    let folder = Folder::new();
    let exits = [Exit { code: 0, means: ExitMeans::Clean }, Exit { code: 127, means: ExitMeans::Infected }];
    let program = Program::new("test", "/nowhere/scanner", &exits, &folder.0, 20).unwrap();
    let look = run(program.scan(&message("x")));
    assert!(matches!(look, Ok(Look::Failed(_)) | Err(_)), "{look:?}");
}

#[test]
fn dropped_at_its_deadline_it_ends_with_its_children() {
    let folder = Folder::new();
    let alive = folder.0.join("alive");
    // Sized so that a child that lives on would be seen: it writes again and again.
    let script = format!("(while :; do date +%s%N > {}; sleep 0.05; done) & sleep 600", alive.display());
    let program = folder.scanner(&script, "");
    let source = message("x");
    run(async {
        program.sandbox().await;
        let scan = tokio::time::timeout(Duration::from_secs(5), program.scan(&source));
        assert!(scan.await.is_err(), "it hangs");
        // Ended is when nothing changes any more for ten rounds of its child.
        let mut seen = vec![fs::read(&alive).unwrap_or_default()];
        assert!(!seen[0].is_empty(), "the child ran");
        while seen.len() < 2 || seen[seen.len() - 1] != seen[seen.len() - 2] {
            assert!(seen.len() < 50, "the child lives on");
            tokio::time::sleep(Duration::from_millis(500)).await;
            seen.push(fs::read(&alive).unwrap_or_default());
        }
    });
}
