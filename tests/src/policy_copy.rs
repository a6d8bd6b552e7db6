//! A copy of a policy folder with some places changed: a mutation somebody might make.

use std::path::PathBuf;

use crate::program;
use crate::scratch::Scratch;

/// Copies `policies/NAME` and replaces each text, which must stand there exactly once.
#[track_caller]
pub fn changed(scratch: &Scratch, name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let (from, to) = (program::top().join("policies").join(name), scratch.join(name));
    std::fs::create_dir_all(&to).expect("the scratch folder is ours");
    for file in std::fs::read_dir(&from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let file = file.expect("the folder can be read");
        if file.file_type().is_ok_and(|kind| kind.is_file()) {
            std::fs::copy(file.path(), to.join(file.file_name())).expect("the copy fits");
        }
    }
    let policy = to.join("policy.ron");
    let mut text = std::fs::read_to_string(&policy).expect("the folder has a policy.ron");
    for (was, becomes) in changes {
        assert_eq!(text.matches(was).count(), 1, "`{was}` stands once in policies/{name}/policy.ron");
        text = text.replace(was, becomes);
    }
    std::fs::write(&policy, text).expect("the scratch folder is ours");
    to
}
