//! Judges folders of labelled mail (`FOLDER/{ham,spam}*/SOURCE/FILE`) by the form pass alone, and says for each source how much
//! would be tagged at 0, and what each rule found.
//!
//! `judge [--own DOMAIN]... [--rules] [--show RULE] [--lost] FOLDER...`

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mail::date::DateTime;
use spam::form::{self, Facts, RULES, Reported};
use spam::view::View;

#[derive(Default)]
struct Source {
    messages: usize,
    below: usize,
    sum: i64,
    rules: BTreeMap<&'static str, usize>,
}

#[derive(Default)]
struct Wishes {
    own: Vec<String>,
    rules: bool,
    show: Option<String>,
    lost: bool,
    folders: Vec<PathBuf>,
}

fn main() {
    let wishes = wishes();
    let mut files = Vec::new();
    wishes.folders.iter().for_each(|folder| walk(folder, &mut files));
    files.sort();
    let mut sources: BTreeMap<String, Source> = BTreeMap::new();
    let started = std::time::Instant::now();
    let mut octets = 0;
    for file in &files {
        let Ok(raw) = fs::read(file).map(|raw| without_marks_of_the_corpus(&raw)) else { continue };
        octets += raw.len();
        judge(&wishes, file, &raw, sources.entry(name_of(file)).or_default());
    }
    eprintln!("{} messages, {octets} octets, {:?}", files.len(), started.elapsed());
    print(&wishes, &sources);
}

fn wishes() -> Wishes {
    let mut wishes = Wishes::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--own" => wishes.own.extend(words.next()),
            "--rules" => wishes.rules = true,
            "--show" => wishes.show = words.next(),
            "--lost" => wishes.lost = true,
            _ => wishes.folders.push(word.into()),
        }
    }
    wishes
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().map(|entry| entry.path()) {
        if entry.is_dir() { walk(&entry, files) } else { files.push(entry) }
    }
}

fn name_of(file: &Path) -> String {
    let mut folders = file.iter().rev().skip(1).map(|part| part.to_string_lossy());
    let source = folders.next().unwrap_or_default();
    let class = folders.next().unwrap_or_default();
    format!("{class}/{source}")
}

/// What those who published the mail put in the place of addresses is no address, and would be held against the message.
fn without_marks_of_the_corpus(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    let marks: [(&[u8], &[u8]); 4] = [
        (b"\nFrom:\n", b"\nFrom: somebody@removed.example\n"),
        (b"\nFrom:\r\n", b"\nFrom: somebody@removed.example\r\n"),
        (b"[removed]", b"somebody@removed.example"),
        (b"phishing@pot", b"somebody@removed.example"),
    ];
    while at < raw.len() {
        match marks.iter().find(|(mark, _)| raw[at..].starts_with(mark)) {
            Some((mark, address)) => {
                out.extend_from_slice(address);
                at += mark.len();
            }
            None => {
                out.push(raw[at]);
                at += 1;
            }
        }
    }
    out
}

/// When the last host took it, as its own trace says.
fn received(view: &View<'_>) -> Option<i64> {
    let value = view.field("Received")?.text();
    DateTime::parse_rfc5322(value.rsplit_once(';')?.1.as_bytes()).map(|date| date.unix_seconds)
}

fn judge(wishes: &Wishes, file: &Path, raw: &[u8], source: &mut Source) {
    let view = View::read(raw);
    let own: Vec<&str> = wishes.own.iter().map(String::as_str).collect();
    let ours = |id: &str| own.iter().any(|own| id.ends_with(own));
    let reported = Reported::read(&view, ours);
    let signed = reported.as_ref().map(Reported::signed).unwrap_or_default();
    let reverse_path = view.field("Return-Path").map(|field| field.text());
    let reverse_path = reverse_path.as_deref().map(|path| path.trim_matches(['<', '>', ' ']));
    let facts = Facts {
        reverse_path,
        now: received(&view),
        authentication: reported.as_ref().map(|it| it.authentication(&signed)),
        own_domains: &own,
        ..Facts::default()
    };
    let score = form::score(&view, &facts);
    source.messages += 1;
    source.sum += score.thousandths;
    let below = score.thousandths < 0;
    source.below += usize::from(below);
    let shown = wishes.show.as_deref().is_some_and(|rule| score.has(rule));
    if shown || wishes.lost && below != file.to_string_lossy().contains("spam") {
        println!("{} {}", score.thousandths, file.display());
        for each in &score.contributions[1..] {
            println!("    {:>6} {} ({})", each.thousandths, each.rule, each.about);
        }
    }
    for each in score.contributions {
        *source.rules.entry(each.rule).or_default() += 1;
    }
}

fn print(wishes: &Wishes, sources: &BTreeMap<String, Source>) {
    for (name, source) in sources {
        let share = 100.0 * source.below as f64 / source.messages as f64;
        let mean = source.sum / source.messages as i64;
        println!(
            "{name:<40} {:>5} messages {:>5} below 0 ({share:>6.2} %) mean {mean:>6}",
            source.messages, source.below
        );
    }
    if !wishes.rules {
        return;
    }
    let names: Vec<&String> = sources.keys().collect();
    for rule in RULES.iter().skip(1) {
        print!("{:<26}{:>6} ", rule.name, rule.thousandths);
        for name in &names {
            let source = &sources[*name];
            let hits = source.rules.get(rule.name).copied().unwrap_or(0);
            print!("{:>6.1}", 100.0 * hits as f64 / source.messages as f64);
        }
        println!();
    }
    println!("columns: {names:?}");
}
