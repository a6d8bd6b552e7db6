//! `facteur doc`: the users' pages from the plan, written, printed, or compared with what is published.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use pages::{Difference, Published, Site, folder};
use plan::Language;
use policy::codes::Code;
use policy::compile::{LoadError, Loader, Sealed};
use serde_json::{Value, json};

use crate::Exit;
use crate::cli::Format;
use crate::commands::ready;
use crate::files::{Disk, policy_files, write_whole};

#[derive(Args)]
pub struct DocArgs {
    /// A policy file, or a folder with policy.ron
    pub policy: PathBuf,
    /// Where the pages are written, in a folder for each language; else NAME.pages
    #[arg(long, short, value_name = "DIR", conflicts_with_all = ["page", "check"])]
    pub out: Option<PathBuf>,
    /// Only this language; for --page else the institution's
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
    /// Print one page as Markdown
    #[arg(long, value_name = "NAME", conflicts_with = "check")]
    pub page: Option<String>,
    /// Write each page as Markdown, too
    #[arg(long)]
    pub markdown: bool,
    /// Compare a published folder with the plan: 0, or 4 with every stale cell named
    #[arg(long, value_name = "DIR")]
    pub check: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    Fr,
    En,
}

impl Lang {
    fn language(self) -> Language {
        match self {
            Lang::Fr => Language::French,
            Lang::En => Language::English,
        }
    }
}

/// One file of the folder.
struct PageFile {
    /// Below the folder: `fr/restrictions.html`.
    path: String,
    text: String,
}

pub fn run(args: &DocArgs) -> Exit {
    let sealed = match ready(&args.policy, false) {
        Ok(ready) => ready.sealed,
        Err(exit) => return exit,
    };
    if let Some(name) = &args.page {
        return print(args, &sealed, name);
    }
    let files = page_files(args, &sealed);
    if let Some(published) = &args.check {
        return check(published, &files, &sealed.hash.short(), args.format);
    }
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.pages", policy_files(&args.policy).name)));
    match write(&out, &files) {
        Ok(()) => {
            eprintln!("{}: {} pages from plan {}", out.display(), files.len(), sealed.hash);
            Exit::Fine
        }
        Err(error) => {
            eprintln!("facteur: {}: {error}", out.display());
            Exit::Trouble
        }
    }
}

fn site(sealed: &Sealed, language: Language) -> Site {
    Site::new(&sealed.plan, &sealed.hash.short(), language)
}

fn print(args: &DocArgs, sealed: &Sealed, name: &str) -> Exit {
    let site = site(sealed, args.lang.map_or(sealed.plan.institution.pages, Lang::language));
    match site.page(name) {
        Some(page) => {
            say!("{}", site.markdown(page).trim_end());
            Exit::Fine
        }
        None => {
            let names: Vec<&str> = site.pages.iter().map(|page| page.name.as_str()).collect();
            eprintln!("facteur: there is no page `{name}`; there are: {}", names.join(", "));
            Exit::Trouble
        }
    }
}

/// Every file of the folder, the front page first.
fn page_files(args: &DocArgs, sealed: &Sealed) -> Vec<PageFile> {
    let languages = match args.lang {
        Some(one) => vec![one.language()],
        None => vec![Language::French, Language::English],
    };
    let own = sealed.plan.institution.pages;
    let front = if languages.contains(&own) { own } else { languages[0] };
    let mut files = vec![PageFile { path: "index.html".to_owned(), text: site(sealed, front).front() }];
    for language in languages {
        let site = site(sealed, language);
        let folder = folder(language);
        for page in &site.pages {
            files.push(PageFile { path: format!("{folder}/{}.html", page.name), text: site.html(page) });
            if args.markdown {
                files.push(PageFile { path: format!("{folder}/{}.md", page.name), text: site.markdown(page) });
            }
        }
    }
    files
}

fn write(out: &Path, files: &[PageFile]) -> io::Result<()> {
    for file in files {
        let path = out.join(&file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        write_whole(&path, &file.text)?;
    }
    Ok(())
}

/// What is wrong with one published page.
enum Finding {
    /// Made from this plan; what it says otherwise, which may be nothing.
    Stale {
        made_from: String,
        differences: Vec<Difference>,
    },
    Missing,
    /// No plan gives such a page.
    Extra,
}

fn check(published: &Path, files: &[PageFile], plan: &str, format: Format) -> Exit {
    let findings = match findings(published, files, plan) {
        Ok(findings) => findings,
        Err(error) => {
            eprintln!("facteur: {}: {error}", published.display());
            return Exit::Trouble;
        }
    };
    match format {
        Format::Human => human(&findings, plan),
        Format::Json => {
            for (path, finding) in &findings {
                for line in lines(path, finding, plan) {
                    say!("{line}");
                }
            }
            say!(
                "{}",
                json!({"schema": 1, "kind": "summary", "plan": plan, "pages": files.len(), "stale": findings.len()})
            );
        }
    }
    if findings.is_empty() { Exit::Fine } else { Exit::DifferencesFound }
}

fn findings(published: &Path, files: &[PageFile], plan: &str) -> io::Result<Vec<(String, Finding)>> {
    let mut there = Vec::new();
    list(published, "", &mut there)?;
    for language in [Language::French, Language::English] {
        if published.join(folder(language)).is_dir() {
            list(published, folder(language), &mut there)?;
        }
    }
    let mut findings = Vec::new();
    for file in files {
        let text = match Disk.load(&published.join(&file.path).to_string_lossy()) {
            Ok(text) => text,
            Err(LoadError::NotFound) => {
                findings.push((file.path.clone(), Finding::Missing));
                continue;
            }
            Err(LoadError::Unreadable(why)) => return Err(io::Error::other(format!("{}: {why}", file.path))),
        };
        if text == file.text {
            continue;
        }
        let (was, is) = (Published::read(&text), Published::read(&file.text));
        let differences = pages::differences(&was, &is);
        let hash = if file.path.ends_with(".md") { last_word(&text) } else { was.plan_hash.as_str() };
        let made_from = if hash.is_empty() { plan } else { hash }.to_owned();
        findings.push((file.path.clone(), Finding::Stale { made_from, differences }));
    }
    let languages: Vec<&str> = files.iter().filter_map(|file| Some(file.path.split_once('/')?.0)).collect();
    let judged = |path: &str| path.split_once('/').is_none_or(|(folder, _)| languages.contains(&folder));
    there.retain(|path| judged(path) && !files.iter().any(|file| file.path == *path));
    findings.extend(there.into_iter().map(|path| (path, Finding::Extra)));
    Ok(findings)
}

/// The hash at the end of a Markdown page; empty when there is none.
fn last_word(text: &str) -> &str {
    let word = text.trim_end().trim_end_matches('.').rsplit(' ').next().unwrap_or_default();
    if word.len() == 8 && word.bytes().all(|b| b.is_ascii_alphanumeric()) { word } else { "" }
}

/// HTML files of one folder, in the order of their names.
fn list(published: &Path, below: &str, there: &mut Vec<String>) -> io::Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(published.join(below))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".html") {
            names.push(if below.is_empty() { name } else { format!("{below}/{name}") });
        }
    }
    names.sort();
    there.extend(names);
    Ok(())
}

fn human(findings: &[(String, Finding)], plan: &str) {
    if findings.is_empty() {
        eprintln!("every page says what plan {plan} says");
        return;
    }
    let made_from = findings.iter().filter_map(|(_, finding)| match finding {
        Finding::Stale { made_from, .. } if made_from != plan => Some(made_from.as_str()),
        Finding::Stale { .. } | Finding::Missing | Finding::Extra => None,
    });
    let mut plans: Vec<&str> = made_from.collect();
    plans.sort_unstable();
    plans.dedup();
    for old in &plans {
        eprintln!("error[{}]: {}", Code::E1004, message(old, plan));
    }
    let mut unchanged = 0;
    for (path, finding) in findings {
        match finding {
            Finding::Missing => eprintln!("  {path}: is missing"),
            Finding::Extra => eprintln!("  {path}: is no page of this plan"),
            Finding::Stale { differences, made_from } if differences.is_empty() && made_from != plan => unchanged += 1,
            Finding::Stale { differences, .. } if differences.is_empty() => eprintln!("  {path}: was changed by hand"),
            Finding::Stale { differences, .. } => {
                for difference in differences {
                    eprintln!("  {path}: {}", words(difference));
                }
            }
        }
    }
    if unchanged > 0 {
        eprintln!("  {unchanged} pages differ in the name of the plan alone");
    }
    eprintln!("  = help: {}", Code::E1004.remedy());
}

fn message(old: &str, new: &str) -> String {
    Code::E1004.title().replace("{old}", old).replace("{new}", new)
}

fn words(difference: &Difference) -> String {
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
    match difference {
        Difference::Cell { row, column, was, is, .. } => {
            format!("row \"{row}\", column \"{column}\": {} → {}", shown(was), shown(is))
        }
        Difference::Text { was, is } => format!("{} → {}", shown(was), shown(is)),
    }
}

/// One JSON object for each difference; one for the page where there is none to name.
fn lines(path: &str, finding: &Finding, plan: &str) -> Vec<Value> {
    let line = |what: &str, made_from: Option<&str>| {
        let message = match (what, made_from) {
            ("missing", _) => "the page is missing".to_owned(),
            ("extra", _) => "no page of this plan".to_owned(),
            (_, Some(old)) => message(old, plan),
            (_, None) => String::new(),
        };
        json!({
            "schema": 1, "kind": "page", "code": Code::E1004.as_str(), "level": "error", "page": path, "what": what,
            "message": message, "made_from": made_from, "plan": plan,
        })
    };
    let (made_from, differences) = match finding {
        Finding::Missing => return vec![line("missing", None)],
        Finding::Extra => return vec![line("extra", None)],
        Finding::Stale { made_from, differences } => (made_from, differences),
    };
    if differences.is_empty() {
        return vec![line("plan", Some(made_from))];
    }
    let one = |difference: &Difference| match difference {
        Difference::Cell { table, row, column, was, is } => {
            let mut line = line("cell", Some(made_from));
            for (name, value) in [("table", table), ("row", row), ("column", column)] {
                line[name] = json!(value);
            }
            (line["was"], line["is"]) = (json!(was), json!(is));
            line
        }
        Difference::Text { was, is } => {
            let mut line = line("text", Some(made_from));
            (line["was"], line["is"]) = (json!(was), json!(is));
            line
        }
    };
    differences.iter().map(one).collect()
}
