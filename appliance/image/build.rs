//! Notes which crates are linked into the program: name, version, licence and digest of each, for the list of parts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

fn main() {
    let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let top = here.join("../..");
    println!("cargo:rerun-if-changed={}", top.join("Cargo.lock").display());
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = std::env::var("TARGET").unwrap_or_default();
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", &target]);
    command.arg("--manifest-path").arg(top.join("Cargo.toml"));
    let output = command.output().unwrap_or_else(|error| panic!("cargo metadata: {error}"));
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("cargo metadata: {error}"));
    let lock = std::fs::read_to_string(top.join("Cargo.lock")).unwrap_or_else(|error| panic!("Cargo.lock: {error}"));
    let crates = linked(&metadata, &checksums(&lock));
    assert!(!crates.is_empty(), "cargo metadata names no crate of facteur");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("crates.json");
    std::fs::write(&out, Value::Array(crates).to_string()).unwrap_or_else(|error| panic!("{}: {error}", out.display()));
}

/// The packages `facteur` is linked from, by name and version.
fn linked(metadata: &Value, checksums: &BTreeMap<(String, String), String>) -> Vec<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: BTreeMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|it| (text(&it["id"]), it)).collect();
    let nodes: BTreeMap<String, Value> =
        list(&metadata["resolve"]["nodes"]).into_iter().map(|it| (text(&it["id"]), it)).collect();
    let top = packages.iter().find(|(_, package)| package["name"] == "facteur").map(|(id, _)| id.clone());
    let mut found = BTreeSet::new();
    let mut waiting: Vec<String> = top.into_iter().collect();
    while let Some(id) = waiting.pop() {
        if !found.insert(id.clone()) {
            continue;
        }
        for dependency in nodes.get(&id).map(|node| list(&node["deps"])).unwrap_or_default() {
            // `kind` is null for what is linked, else "dev" or "build".
            if list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()) {
                waiting.push(text(&dependency["pkg"]));
            }
        }
    }
    let mut crates: Vec<(String, String, Value)> = Vec::new();
    for package in found.iter().filter_map(|id| packages.get(id)) {
        let (name, version) = (text(&package["name"]), text(&package["version"]));
        let sha256 = checksums.get(&(name.clone(), version.clone()));
        let licence = text(&package["license"]);
        crates.push((
            name.clone(),
            version.clone(),
            json!({"name": name, "version": version, "licence": licence, "sha256": sha256}),
        ));
    }
    crates.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    crates.into_iter().map(|(_, _, value)| value).collect()
}

/// Digests of the packages of `Cargo.lock`.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let mut all = BTreeMap::new();
    for package in lock.split("[[package]]") {
        let field = |key: &str| {
            package
                .lines()
                .find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')?.to_owned()))
        };
        if let (Some(name), Some(version), Some(checksum)) = (field("name"), field("version"), field("checksum")) {
            all.insert((name, version), checksum);
        }
    }
    all
}
