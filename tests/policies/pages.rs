//! The users' pages: the guide's numbers in the cells where the guide has them, the same in HTML and Markdown, every
//! file well formed and complete in itself, a stale cell named.

mod html;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use plan::{Limits, Plan, Windows};
use tests::policy_copy;
use tests::program;
use tests::scratch::Scratch;

use self::html::{Html, Table, markdown_tables, ordinary};
use crate::{facteur, shipped};

/// Sections 2, 2.1, 4 and 5 of the guide: page, row, column, what stands there.
const GUIDE: &[(&str, &str, &str, &str)] = &[
    (
        "servers",
        "Adresse électronique officielle",
        "Forme et exemple",
        "Prenom.Nom@univ-nantes.fr, par exemple Jean.Toto@univ-nantes.fr",
    ),
    (
        "servers",
        "Compte de consultation (login)",
        "Forme et exemple",
        "<nom>-<initiales du prénom>, par exemple toto-j",
    ),
    ("servers", "Prénom composé, homonymes", "Forme et exemple", "Jean-Pierre Toto : toto-jp ; Jérôme Toto : toto-j-1"),
    ("servers", "Entrant (IMAP)", "Adresse", "imaps.univ-nantes.fr"),
    ("servers", "Entrant (IMAP)", "Port", "993"),
    ("servers", "Entrant (IMAP)", "Sécurité", "TLS"),
    ("servers", "Entrant (IMAP)", "Identification", "login et mot de passe"),
    ("servers", "Entrant (IMAP)", "Utilisable", "de partout"),
    ("servers", "Sortant (SMTP)", "Adresse", "smtp.univ-nantes.fr"),
    ("servers", "Sortant (SMTP)", "Port", "25, 465 ou 587"),
    ("servers", "Sortant (SMTP)", "Sécurité", "TLS (465) ou STARTTLS (587, 25)"),
    ("servers", "Sortant (SMTP)", "Identification", "login et mot de passe"),
    ("servers", "Sortant (SMTP)", "Utilisable", "de partout"),
    ("servers", "Webmail", "Adresse", "https://webmail.univ-nantes.fr"),
    ("servers", "Webmail", "Utilisable", "de partout"),
    ("servers", "Changer de mot de passe", "Adresse", "https://motdepasse.univ-nantes.fr"),
    ("servers", "Changer de mot de passe", "Utilisable", "depuis l'intérieur (réseau « inside »)"),
    ("servers", "smtp.univ-nantes.prive", "Port", "25"),
    ("restrictions", "webmail", "Destinataires / message", "50"),
    ("restrictions", "webmail", "Messages / heure", "100"),
    ("restrictions", "webmail", "Destinataires / ¼ h", "500 ¹"),
    ("restrictions", "webmail", "Destinataires / h", "1000 ¹"),
    ("restrictions", "smtp, depuis l'intérieur", "Destinataires / message", "100"),
    ("restrictions", "smtp, depuis l'intérieur", "Messages / heure", "200"),
    ("restrictions", "smtp, depuis l'intérieur", "Destinataires / ¼ h", "500 ¹"),
    ("restrictions", "smtp, depuis l'intérieur", "Destinataires / h", "1000 ¹"),
    ("restrictions", "smtp, depuis l'extérieur", "Destinataires / message", "50"),
    ("restrictions", "smtp, depuis l'extérieur", "Messages / heure", "50"),
    ("restrictions", "smtp, depuis l'extérieur", "Destinataires / ¼ h", "250 ¹"),
    ("restrictions", "smtp, depuis l'extérieur", "Destinataires / h", "500 ¹"),
    ("restrictions", "smtp.univ-nantes.prive", "Destinataires / message", "50"),
    ("restrictions", "smtp.univ-nantes.prive", "Messages / heure", "100"),
    ("restrictions", "smtp.univ-nantes.prive", "Destinataires / ¼ h", "—"),
    ("restrictions", "smtp.univ-nantes.prive", "Destinataires / h", "—"),
    ("quotas", "Chercheur invité, vacataire", "Quota", "2 Go"),
    ("quotas", "Utilisateur type", "Quota", "1 Go"),
    ("quotas", "Directeur de composante, demandes explicites", "Quota", "plus de 1 Go, selon les besoins"),
    ("quotas", "Message entier", "Taille", "20 Mo"),
    ("virus", "Message reçu", "Virus reconnu", "mis en quarantaine ; personne n'est prévenu"),
    ("virus", "Message que vous envoyez", "Virus reconnu", "mis en quarantaine ; personne n'est prévenu"),
    ("redirects", "INSERM", "Redirection", "acceptée"),
    ("redirects", "CHU", "Redirection", "acceptée"),
    ("redirects", "IN2P3", "Redirection", "acceptée"),
    ("redirects", "SUBATECH", "Redirection", "acceptée"),
    ("redirects", "CNRS", "Redirection", "acceptée"),
    ("redirects", "CNRS", "Adresse de destination", "…@cnrs.fr et ses sous-domaines"),
    ("backup", "Quand", "Réponse", "chaque nuit à 3 h 30"),
    ("backup", "Conservée", "Réponse", "30 jours au moins, 35 jours au plus ; au-delà, rien n'est gardé"),
    ("thunderbird", "Nom d'hôte", "Courrier entrant", "imaps.univ-nantes.fr"),
    ("thunderbird", "Nom d'hôte", "Courrier sortant", "smtp.univ-nantes.fr"),
    ("thunderbird", "Port", "Courrier entrant", "993"),
    ("apple-mail", "TLS/SSL", "Courrier entrant", "SSL (c'est-à-dire TLS)"),
];

/// What the guide says in sentences.
const SENTENCES: &[(&str, &str)] = &[
    ("servers", "Apple Mail appelle SSL ce que nous appelons TLS"),
    ("passwords", "tous les 6 mois"),
    ("passwords", "Les MAJUSCULES et les minuscules comptent"),
    ("restrictions", "les tentatives sont comptabilisées"),
    ("quotas", "la corbeille, tant qu'elle n'est pas vidée"),
    ("antispam", "l'objet du message est précédé de [SPAM]"),
    ("antispam", "Dans tous les cas, le message est délivré"),
    ("antispam", "faites-le suivre en pièce jointe à traitementspam@univ-nantes.fr"),
    (
        "virus",
        "Deux antivirus différents (ClamAV et McAfee VirusScan) analysent tous les messages qui arrivent et tous ceux qui partent",
    ),
    ("virus", "Un poste de travail doit toujours avoir son propre antivirus"),
    ("redirects", "Hotmail, Yahoo, Gmail, Free, Orange et les autres messageries grand public"),
    ("redirects", "au service informatique de votre composante"),
    ("backup", "Un message reçu et supprimé le même jour n'est pas sauvegardé"),
];

/// A folder of pages with the Plan they were made from.
struct Site {
    folder: PathBuf,
    plan: Plan,
    _scratch: Scratch,
}

impl Site {
    fn of(policy: &Path) -> Site {
        let scratch = Scratch::new("pages");
        let folder = scratch.join("site");
        write(policy, &folder);
        let text = facteur(&["dump", "--plan"], policy).ends(0).out;
        let (plan, _) = plan::read(&text).expect("what we dump can be read");
        Site { folder, plan, _scratch: scratch }
    }

    /// Each HTML file by its path below the folder.
    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for below in ["", "fr/", "en/"] {
            let entries = std::fs::read_dir(self.folder.join(below)).expect("the folder was written");
            for entry in entries {
                let name = entry.expect("it can be read").file_name().to_string_lossy().into_owned();
                if name.ends_with(".html") {
                    let path = format!("{below}{name}");
                    let text = std::fs::read_to_string(self.folder.join(&path)).expect("it is text");
                    files.insert(path, text);
                }
            }
        }
        assert!(files.len() > 60, "two languages of pages, not {}", files.len());
        files
    }

    #[track_caller]
    fn page(&self, path: &str) -> Html {
        let text = std::fs::read_to_string(self.folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        Html::read(&text).unwrap_or_else(|wrong| panic!("{path}: {wrong}"))
    }
}

fn write(policy: &Path, folder: &Path) {
    let folder = folder.display().to_string();
    facteur(&["doc", "--markdown", "--out", &folder], policy).ends(0);
}

/// The site of the guide, a small office, a university with neighbours.
fn sites() -> [(&'static str, PathBuf); 3] {
    let neighbours = program::top().join("compiler/policy/src/tests/neighbours.ron");
    [("nantes", shipped("nantes")), ("office", shipped("office")), ("neighbours", neighbours)]
}

#[track_caller]
fn cell<'a>(tables: &'a [Table], row: &str, column: &str) -> &'a str {
    let found: Vec<&str> = tables.iter().filter_map(|table| table.cell(row, column)).collect();
    assert_eq!(found.len(), 1, "row `{row}`, column `{column}` in {tables:#?}");
    found[0]
}

#[test]
fn every_number_of_the_guide_stands_in_its_cell() {
    let site = Site::of(&shipped("nantes"));
    for (page, row, column, expected) in GUIDE {
        let html = site.page(&format!("fr/{page}.html"));
        assert_eq!(cell(&html.tables, row, column), *expected, "{page}: row `{row}`, column `{column}`");
    }
    for (page, sentence) in SENTENCES {
        let text = site.page(&format!("fr/{page}.html")).text;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".");
        assert!(text.contains(sentence), "{page}: `{sentence}` in\n{text}");
    }
}

#[test]
fn the_limits_of_the_page_are_the_limits_of_the_plan() {
    let site = Site::of(&shipped("nantes"));
    let tables = site.page("fr/restrictions.html").tables;
    let rows = [
        ("webmail", "person-webmail"),
        ("smtp, depuis l'intérieur", "person-inside"),
        ("smtp, depuis l'extérieur", "person-outside"),
        ("smtp.univ-nantes.prive", "machine"),
    ];
    assert_eq!(tables[0].rows.len(), site.plan.may_send.len());
    for (row, block) in rows {
        let (Limits::EachAccount(limits) | Limits::EachClientAddress(limits)) = &site.plan.may_send[block].limits;
        let of = |windows: &Windows, width: u32, mark: &str| {
            let window = windows.list().iter().find(|window| window.width_s == width);
            window.map_or("—".to_owned(), |window| format!("{}{mark}", window.max))
        };
        let expected = [
            ("Destinataires / message", limits.recipients_in_one_message.to_string()),
            ("Messages / heure", of(&limits.messages_accepted, 3_600, "")),
            ("Destinataires / ¼ h", of(&limits.recipients_attempted, 900, " ¹")),
            ("Destinataires / h", of(&limits.recipients_attempted, 3_600, " ¹")),
        ];
        for (column, expected) in expected {
            assert_eq!(cell(&tables, row, column), expected, "row `{row}`, column `{column}`");
        }
    }
    let size = cell(&site.page("en/quotas.html").tables, "The whole message", "Size").to_owned();
    assert_eq!(size, format!("{} MB", site.plan.mailboxes.message_size_octets / 1_000_000));
}

#[test]
fn both_languages_have_the_same_tables_with_the_same_figures() {
    for (name, policy) in sites() {
        let site = Site::of(&policy);
        for path in site.files().keys().filter_map(|path| path.strip_prefix("fr/")) {
            let (french, english) = (site.page(&format!("fr/{path}")), site.page(&format!("en/{path}")));
            let figures = |page: &Html| -> Vec<Vec<Vec<String>>> {
                let digits = |cell: &String| cell.chars().filter(char::is_ascii_digit).collect();
                let rows = |table: &Table| table.rows.iter().map(|row| row.iter().map(digits).collect()).collect();
                page.tables.iter().map(rows).collect()
            };
            assert_eq!(figures(&french), figures(&english), "{name}: {path}");
        }
    }
}

#[test]
fn markdown_has_the_cells_of_html() {
    for (name, policy) in sites() {
        let site = Site::of(&policy);
        let mut compared = 0;
        for path in site.files().keys().filter(|path| path.contains('/')) {
            let mut html = site.page(path).tables;
            html.iter_mut().for_each(|table| table.caption.clear());
            let text = std::fs::read_to_string(site.folder.join(path.replace(".html", ".md"))).expect("it was written");
            assert_eq!(markdown_tables(&text), html, "{name}: {path}");
            compared += html.iter().flat_map(|table| &table.rows).flatten().count();
        }
        assert!(compared > 200, "{name}: only {compared} cells");
    }
}

#[test]
fn every_page_is_well_formed_accessible_and_complete_in_itself() {
    for (name, policy) in sites() {
        let site = Site::of(&policy);
        let files = site.files();
        for (path, text) in &files {
            let page = Html::read(text).unwrap_or_else(|wrong| panic!("{name}: {path}: {wrong}"));
            let count = |element: &str| page.elements.iter().filter(|(it, _)| it == element).count();
            for once in ["html", "main", "nav", "h1", "header", "footer", "title", "style"] {
                assert_eq!(count(once), 1, "{name}: {path}: <{once}>");
            }
            assert_eq!(count("table"), count("caption"), "{name}: {path}");
            for forbidden in ["script", "link", "img", "iframe", "object", "form", "base"] {
                assert_eq!(count(forbidden), 0, "{name}: {path}: <{forbidden}>");
            }
            for forbidden in ["@import", "url(", "src=", "http-equiv", "javascript:"] {
                assert!(!text.contains(forbidden), "{name}: {path}: {forbidden}");
            }
            let tag = if path.starts_with("en/") { "en" } else { "fr" };
            assert_eq!(page.elements[0].1.get("lang").map(String::as_str), Some(tag), "{name}: {path}");
            for (element, attributes) in &page.elements {
                assert!(element != "th" || attributes.contains_key("scope"), "{name}: {path}: a heading without scope");
            }
            links_resolve(&format!("{name}: {path}"), path, &page, &files);
        }
    }
}

#[track_caller]
fn links_resolve(place: &str, path: &str, page: &Html, files: &BTreeMap<String, String>) {
    let ids: BTreeSet<&String> = page.elements.iter().filter_map(|(_, attributes)| attributes.get("id")).collect();
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for (element, attributes) in &page.elements {
        let Some(address) = attributes.get("href") else { continue };
        assert_eq!(element, "a", "{place}: {address}");
        if let Some(id) = address.strip_prefix('#') {
            assert!(ids.contains(&id.to_owned()), "{place}: #{id}");
        } else if !address.starts_with("mailto:") && !address.starts_with("https://") {
            let below = match address.strip_prefix("../") {
                Some(rest) => rest.to_owned(),
                None if folder.is_empty() => address.clone(),
                None => format!("{folder}/{address}"),
            };
            assert!(files.contains_key(&below), "{place}: {address} leads nowhere");
        }
    }
}

#[test]
fn every_refusal_has_its_page() {
    let site = Site::of(&shipped("office"));
    for reason in decide::Reason::ALL {
        for folder in ["fr", "en"] {
            let page = site.page(&format!("{folder}/{}.html", reason.word()));
            assert!(page.text.contains(reason.word()), "{reason}");
            assert!(page.elements.iter().filter(|(element, _)| element == "h2").count() >= 3, "{reason}");
        }
    }
}

#[test]
fn names_in_a_policy_cannot_write_html_or_markdown() {
    let scratch = Scratch::new("names");
    let changes = [
        ("\"Université de Nantes\"", "\"<script>a</script> & \\\"b\\\" [c](d)\""),
        ("\"Utilisateur type\"", "\"*Staff* `a|b` <b>c</b> \\\\\""),
        ("Webmail: \"https://webmail.univ-nantes.fr\"", "Webmail: \"https://webmail.univ-nantes.fr/\\\"><i>\""),
    ];
    let policy = policy_copy::changed(&scratch, "nantes", &changes);
    let site = Site::of(&policy);
    for (path, text) in site.files() {
        let page = Html::read(&text).unwrap_or_else(|wrong| panic!("{path}: {wrong}"));
        let strange = page.elements.iter().find(|(element, _)| ["script", "b", "i"].contains(&element.as_str()));
        assert_eq!(strange, None, "{path}");
    }
    let html = site.page("fr/quotas.html").tables;
    let staff = "*Staff* `a|b` <b>c</b> \\";
    assert_eq!(cell(&html, staff, "Quota"), "1 Go");
    let markdown = std::fs::read_to_string(site.folder.join("fr/quotas.md")).expect("it was written");
    assert!(markdown.contains("| \\*Staff\\* \\`a\\|b\\` \\<b\\>c\\</b\\> \\\\ "), "{markdown}");
}

/// An office that decided otherwise: no spam filter, no backup, limits on what was accepted, refusals that are final.
const OTHERWISE: &str = r#"Policy(
    language: 1,
    institution: (name: "Atelier", domain: "atelier.example", time_zone: "Europe/Paris", pages: English),
    networks: { "inside": In(["192.168.10.0/24"]), "outside": Rest },
    listeners: {
        "mx":    (host: "mail.atelier.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.atelier.example", port: 465, speaks: Smtp, auth: Required),
        "subm":  (host: "mail.atelier.example", port: 587, speaks: Smtp, auth: Required),
        "imaps": (host: "mail.atelier.example", port: 993, speaks: Imap, auth: Required),
    },
    may_send: {
        "slow": (
            connecting_to: ["subm"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: Refuse,
            each_account: (recipients_in_one_message: 5, messages_accepted: Unlimited, recipients_accepted: ["50 / 1 day"]),
        ),
        "usual": (
            connecting_to: ["subs"], from: ["inside", "outside"], to: Anyone, as: OwnAddresses, empty_sender: Refuse,
            each_account: (recipients_in_one_message: 30, messages_accepted: Unlimited, recipients_accepted: ["300 / 1 day"]),
        ),
    },
    when_over: (recipients_in_one_message: Refuse, window: Refuse),
    reception: [KnownRecipient, Accept, Filters, Redirect, Deliver],
    antispam: None,
    backup: None,
    guarantees: [NoOpenRelay],
)"#;

#[test]
fn another_policy_has_other_words() {
    let scratch = Scratch::new("otherwise");
    let policy = scratch.join("policy.ron");
    std::fs::write(&policy, OTHERWISE).expect("the scratch folder is ours");
    let site = Site::of(&policy);
    let front = std::fs::read_to_string(site.folder.join("index.html")).expect("it was written");
    assert!(front.contains("<html lang=\"en\">"), "the index is in the institution's language");
    let limits = site.page("en/restrictions.html");
    assert_eq!(limits.tables[0].columns, ["Access", "Recipients / message", "Recipients / day"]);
    let rows = [["smtp, from anywhere (port 587)", "5", "50"], ["smtp, from anywhere (port 465)", "30", "300"]];
    assert_eq!(limits.tables[0].rows, rows, "what people would call alike is told apart by what they see");
    let says = |page: &str, sentence: &str| site.page(&format!("en/{page}.html")).text.contains(sentence);
    assert!(says("restrictions", "it must be sent again later"));
    for never in ["attempts", "¹", "Machines"] {
        assert!(!says("restrictions", never), "{never}");
    }
    assert!(says("antispam", "no central spam filter"));
    assert!(says("virus", "does not look for viruses"));
    assert!(says("backup", "This service is not backed up."));
    assert!(says("redirects", "is not redirected"));
    assert!(!says("antispam", "[SPAM]"));
}

/// Colours of the text and what lies under it (WCAG 2.2, 1.4.3: at least 4.5 to 1).
#[test]
fn text_can_be_read_on_both_papers() {
    let style = Site::of(&shipped("office")).page("fr/index.html").style;
    let schemes: Vec<&str> = style.split(":root {").skip(1).take(2).collect();
    assert_eq!(schemes.len(), 2, "a light and a dark scheme");
    for scheme in schemes {
        let colour = |name: &str| -> f64 {
            let (_, rest) = scheme.split_once(&format!("--{name}: #")).unwrap_or_else(|| panic!("--{name}"));
            let part = |at: usize| {
                let part =
                    f64::from(u8::from_str_radix(&rest[at..at + 2], 16).expect("six hexadecimal digits")) / 255.0;
                if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
        };
        let pairs = [
            ("ink", "paper"),
            ("ink", "tint"),
            ("ink", "code"),
            ("quiet", "paper"),
            ("quiet", "tint"),
            ("accent", "paper"),
            ("accent", "tint"),
            ("band-ink", "band"),
        ];
        for (text, under) in pairs {
            let (a, b) = (colour(text), colour(under));
            let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(contrast >= 4.5, "{text} on {under}: {contrast:.2}");
        }
    }
}

const HOUR_OF_OUTSIDE: (&str, &str) = (
    "messages_accepted: [\"50 / 1 h\"], recipients_attempted: [\"250 / 15 min\", \"500 / 1 h\"]",
    "messages_accepted: [\"50 / 1 h\"], recipients_attempted: [\"250 / 15 min\", \"250 / 1 h\"]",
);

#[test]
fn a_stale_cell_is_named() {
    let scratch = Scratch::new("stale");
    let published = scratch.join("published");
    write(&shipped("nantes"), &published);
    let folder = published.display().to_string();
    facteur(&["doc", "--check", &folder], &shipped("nantes")).ends(0);
    let tighter = policy_copy::changed(&scratch, "nantes", &[HOUR_OF_OUTSIDE]);
    let said = ordinary(&facteur(&["doc", "--check", &folder], &tighter).ends(4).err);
    assert!(said.contains("error[E1004]: published page was made from "), "{said}");
    let named: Vec<&str> = said.lines().filter(|line| line.contains('→')).map(str::trim).collect();
    assert_eq!(
        named,
        [
            "fr/restrictions.html: row \"smtp, depuis l'extérieur\", column \"Destinataires / h\": 500 ¹ → 250 ¹",
            "en/restrictions.html: row \"smtp, from outside\", column \"Recipients / h\": 500 ¹ → 250 ¹",
        ]
    );
    let texts = facteur(&["doc", "--markdown", "--check", &folder], &tighter).ends(4).err;
    assert!(!texts.contains("by hand") && texts.contains("error[E1004]"), "{texts}");
    let lines = facteur(&["doc", "--format", "json", "--check", &folder], &tighter).ends(4).out;
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let cells: Vec<_> = lines.iter().filter(|line| line["what"] == "cell").collect();
    assert_eq!(cells.len(), 2);
    assert_eq!((&cells[0]["code"], &cells[0]["page"]), (&"E1004".into(), &"fr/restrictions.html".into()));
    assert!(lines.iter().all(|line| line["kind"] == "summary" || line["what"] == "cell" || line["what"] == "plan"));
    assert!(cells[0]["made_from"] != cells[0]["plan"] && cells[0]["plan"].as_str().is_some_and(|it| it.len() == 8));
    write(&tighter, &published);
    facteur(&["doc", "--check", &folder], &tighter).ends(0);
}

#[test]
fn missing_strange_and_edited_pages_are_named() {
    let scratch = Scratch::new("edited");
    let published = scratch.join("published");
    write(&shipped("office"), &published);
    let folder = published.display().to_string();
    std::fs::remove_file(published.join("en/quotas.html")).expect("it was written");
    std::fs::write(published.join("fr/menu.html"), "<p>lundi</p>").expect("the scratch folder is ours");
    let quotas = std::fs::read_to_string(published.join("fr/quotas.html")).expect("it was written");
    std::fs::write(published.join("fr/quotas.html"), quotas.replace("20\u{a0}Mo", "30\u{a0}Mo")).expect("it is ours");
    let said = ordinary(&facteur(&["doc", "--check", &folder], &shipped("office")).ends(4).err);
    assert!(said.contains("en/quotas.html: is missing"), "{said}");
    assert!(said.contains("fr/menu.html: is no page of this plan"), "{said}");
    assert!(said.contains("fr/quotas.html: row \"Message entier\", column \"Taille\": 30 Mo → 20 Mo"), "{said}");
    facteur(&["doc", "--lang", "en", "--check", &folder], &shipped("office")).ends(4);
    facteur(&["doc", "--check", &scratch.join("nowhere").display().to_string()], &shipped("office")).ends(2);
    facteur(&["doc", "--page", "menu"], &shipped("office")).ends(2);
}

/// The page as printed, without the hash that moves with every change of the policy.
fn printed(arguments: &[&str]) -> String {
    let text = facteur(&[&["doc", "--page", "restrictions"], arguments].concat(), &shipped("nantes")).ends(0).out;
    let hash = text.trim_end().trim_end_matches('.').rsplit(' ').next().expect("the last line names it").to_owned();
    assert_eq!(hash.len(), 8, "{text}");
    ordinary(&text).replace(&hash, "HASH")
}

#[test]
fn the_restrictions_in_french() {
    insta::assert_snapshot!(printed(&[]));
}

#[test]
fn the_restrictions_in_english() {
    insta::assert_snapshot!(printed(&["--lang", "en"]));
}
