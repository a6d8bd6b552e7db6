//! Which crate of the house may know which: `design.md` 1. An edge not in this list is a bug.

use super::Fault;

/// Crate, folder, and the crates it may depend on.
const ALLOWED: [(&str, &str, &[&str]); 14] = [
    ("mail", "runtime/mail", &[]),
    ("plan", "compiler/plan", &["mail"]),
    ("proto", "runtime/proto", &["mail"]),
    ("sieve", "runtime/sieve", &["mail"]),
    ("spam", "runtime/spam", &["mail"]),
    ("decide", "runtime/decide", &["plan", "mail"]),
    ("pages", "compiler/pages", &["plan", "mail", "decide"]),
    ("policy", "compiler/policy", &["plan", "mail", "decide"]),
    ("store", "runtime/store", &["mail"]),
    ("queue", "runtime/queue", &["store", "decide", "plan", "mail"]),
    ("server", "runtime/server", &["plan", "mail", "proto", "sieve", "spam", "decide", "pages", "store", "queue"]),
    ("image", "appliance/image", &["plan"]),
    (
        "facteur",
        "appliance/facteur",
        &["plan", "mail", "proto", "sieve", "spam", "decide", "pages", "policy", "store", "queue", "server", "image"],
    ),
    (
        "tests",
        "tests",
        &[
            "plan", "mail", "proto", "sieve", "spam", "decide", "pages", "policy", "store", "queue", "server", "image",
            "facteur",
        ],
    ),
];

/// One line of a dependency table.
#[derive(Debug, PartialEq, Eq)]
pub struct Dependency {
    pub name: String,
    /// 1-based.
    pub line: usize,
    /// In `dev-dependencies`.
    pub dev: bool,
    /// Says `package = …`, which would hide what the crate really is.
    pub renamed: bool,
}

/// The dependencies a manifest names. Reads the subset of TOML our manifests use: one dependency a line, or one table each.
pub fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    let (mut inside, mut dev) = (false, false);
    for (index, line) in manifest.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let number = index + 1;
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_matches(|c| c == '[' || c == ']');
            let (table, name) = table_of(header);
            inside = table.is_some_and(|_| name.is_none());
            dev = table == Some("dev-dependencies");
            if let (Some(_), Some(name)) = (table, name) {
                found.push(Dependency { name: name.into(), line: number, dev, renamed: false });
            }
        } else if inside && let Some((key, value)) = line.split_once('=') {
            let name = key.trim().split('.').next().unwrap_or_default().trim_matches('"');
            found.push(Dependency { name: name.into(), line: number, dev, renamed: value.contains("package") });
        } else if line.starts_with("package")
            && line.contains('=')
            && !inside
            && let Some(last) = found.last_mut()
        {
            // `package = "…"` inside `[dependencies.name]`.
            last.renamed = true;
        }
    }
    found
}

/// The dependency table a header opens, and the dependency when the header names one.
fn table_of(header: &str) -> (Option<&str>, Option<&str>) {
    for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(at) = header.rfind(table) else { continue };
        let (before, after) = (&header[..at], &header[at + table.len()..]);
        if !before.is_empty() && !before.ends_with('.') || before.starts_with("workspace") {
            continue;
        }
        match after.strip_prefix('.') {
            Some(name) => return (Some(table), Some(name)),
            None if after.is_empty() => return (Some(table), None),
            None => {}
        }
    }
    (None, None)
}

/// Faults of one manifest, by its path.
pub fn faults(path: &str, manifest: &str) -> Vec<Fault> {
    let fault = |line: usize, says: String| Fault { rule: "edges", place: path.into(), line, says };
    let folder = path.trim_end_matches("/Cargo.toml");
    if path == "Cargo.toml" || folder == "tests/fuzz" {
        return Vec::new();
    }
    let Some((name, _, allowed)) = ALLOWED.iter().find(|(_, its, _)| *its == folder) else {
        return vec![fault(0, format!("the house has no crate in `{folder}`"))];
    };
    let mut faults = Vec::new();
    if !manifest.lines().any(|line| line == format!("name = \"{name}\"")) {
        faults.push(fault(0, format!("the package in `{folder}` is named `{name}`")));
    }
    for dependency in dependencies(manifest) {
        let ours = ALLOWED.iter().any(|(crate_name, _, _)| *crate_name == dependency.name);
        if ours && !allowed.contains(&dependency.name.as_str()) {
            faults.push(fault(dependency.line, format!("`{name}` may not depend on `{}`", dependency.name)));
        }
        if dependency.renamed {
            faults.push(fault(dependency.line, format!("`{}` is a renamed package", dependency.name)));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(manifest: &str) -> Vec<(String, bool)> {
        dependencies(manifest).into_iter().map(|it| (it.name, it.dev)).collect()
    }

    #[test]
    fn every_form_of_dependency_is_read() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\nmail.workspace = true\nplan = { path = \"x\" }\n\
                        [dev-dependencies]\n\"store\" = \"1\"\n[dependencies.proto]\nversion = \"1\"\n\
                        [target.'cfg(unix)'.dependencies]\nqueue = \"1\"\n[build-dependencies]\nserver = \"1\"\n";
        let expected =
            [("mail", false), ("plan", false), ("store", true), ("proto", false), ("queue", false), ("server", false)];
        assert_eq!(names(manifest), expected.map(|(name, dev)| (name.to_string(), dev)));
    }

    #[test]
    fn an_edge_not_in_the_list_is_a_fault_for_tests_too() {
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let manifest = format!("name = \"server\"\n[{table}]\npolicy.workspace = true\n");
            let found = faults("runtime/server/Cargo.toml", &manifest);
            assert_eq!(found.len(), 1, "{table}");
            assert_eq!(found[0].line, 3);
        }
        assert_eq!(
            faults("runtime/server/Cargo.toml", "name = \"server\"\n[dependencies]\nplan.workspace = true\n"),
            []
        );
    }

    #[test]
    fn a_stranger_a_wrong_name_and_a_renamed_package_are_faults() {
        assert_eq!(faults("runtime/extra/Cargo.toml", "name = \"extra\"\n").len(), 1);
        assert_eq!(faults("runtime/mail/Cargo.toml", "name = \"post\"\n").len(), 1);
        let renamed = "name = \"mail\"\n[dependencies]\nsmall = { package = \"store\", path = \"x\" }\n";
        assert_eq!(faults("runtime/mail/Cargo.toml", renamed).len(), 1);
        let table = "name = \"mail\"\n[dependencies.small]\npackage = \"store\"\n";
        assert_eq!(faults("runtime/mail/Cargo.toml", table).len(), 1);
    }
}
