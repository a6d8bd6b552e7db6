//! Draws a page as one HTML file that needs nothing else: no script, no font, no image, the style inside.
//!
//! Made for screen readers and for paper as well: landmarks, one `h1`, a heading for every row and column, roles that
//! survive the style that turns a wide table into cards on a telephone.

use std::fmt::Write;

use plan::Language;

use crate::content::{Block, Page, Row, Section, Span, Table};
use crate::site::{Site, folder};
use crate::typography::{printed, spaced};
use crate::words::pick;

const STYLE: &str = include_str!("style.css");
/// A table with more columns than this becomes cards on a telephone.
const COLUMNS_ON_A_TELEPHONE: usize = 2;
/// A table with more columns than this becomes cards wherever the table of contents does not stand beside it.
const COLUMNS_ON_A_TABLET: usize = 4;

/// Where the file will be, for its links.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    InItsFolder,
    AboveTheFolders,
}

struct Draw<'a> {
    site: &'a Site,
    stands: Stands,
    out: String,
}

pub fn draw(site: &Site, page: &Page, stands: Stands) -> String {
    let mut draw = Draw { site, stands, out: String::with_capacity(32 << 10) };
    draw.head(page);
    draw.banner(page);
    draw.main(page);
    draw.contents(page);
    draw.footer();
    draw.out
}

impl Draw<'_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn words(&self, text: &str) -> String {
        escaped(&printed(&spaced(self.site.language, text)))
    }

    fn say(&self, french: &'static str, english: &'static str) -> String {
        self.words(pick(self.site.language, french, english))
    }

    fn address(&self, page: &str) -> String {
        let before = match self.stands {
            Stands::InItsFolder => "",
            Stands::AboveTheFolders => pick(self.site.language, "fr/", "en/"),
        };
        format!("{before}{}.html", escaped(page))
    }

    fn head(&mut self, page: &Page) {
        let language = folder(self.site.language);
        let service = self.say("Messagerie", "E-mail");
        let (title, institution) = (self.words(&page.title), self.words(&self.site.institution));
        let lead: String = page.lead.iter().map(plain).collect();
        let (lead, hash) = (self.words(&lead), escaped(&self.site.plan_hash));
        self.put(&format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <title>{title} – {service}, {institution}</title>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"description\" content=\"{lead}\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"facteur-plan\" content=\"{hash}\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        ));
    }

    fn banner(&mut self, page: &Page) {
        let skip = self.say("Aller au contenu", "Skip to the content");
        let contents = self.say("Sommaire", "Contents");
        let service = self.say("Messagerie électronique", "E-mail service");
        let institution = self.words(&self.site.institution);
        let home = self.address("index");
        let (other, tag) = pick(self.site.language, ("English", "en"), ("Français", "fr"));
        let up = if self.stands == Stands::InItsFolder { "../" } else { "" };
        let name = escaped(&page.name);
        self.put(&format!(
            "<a class=\"skip\" href=\"#content\">{skip}</a>\n<header>\n<p class=\"who\"><a href=\"{home}\">\
             <span class=\"institution\">{institution}</span> <span class=\"service\">{service}</span></a></p>\n\
             <ul class=\"tools\">\n<li class=\"to-contents\"><a href=\"#contents\">{contents}</a></li>\n\
             <li><a href=\"{up}{tag}/{name}.html\" lang=\"{tag}\" hreflang=\"{tag}\">{other}</a></li>\n</ul>\n\
             </header>\n<div class=\"frame\">\n"
        ));
    }

    fn main(&mut self, page: &Page) {
        let title = self.words(&page.title);
        self.put(&format!("<main id=\"content\" tabindex=\"-1\">\n<h1>{title}</h1>\n<p class=\"lead\">"));
        self.spans(&page.lead);
        self.put("</p>\n");
        for block in &page.body {
            self.block(block);
        }
        self.put("</main>\n");
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(words) => {
                let words = self.words(words);
                self.put(&format!("<h2>{words}</h2>\n"));
            }
            Block::Paragraph(text) => self.element("p", text),
            Block::Note(text) => {
                self.put("<div class=\"note\" role=\"note\">\n");
                self.element("p", text);
                self.put("</div>\n");
            }
            Block::List(items) => self.list("ul", items),
            Block::Links(links) => self.links(links),
            Block::Steps(items) => self.list("ol", items),
            Block::Table(table) => self.table(table),
        }
    }

    fn list(&mut self, tag: &str, items: &[Vec<Span>]) {
        self.put(&format!("<{tag}>\n"));
        for item in items {
            self.element("li", item);
        }
        self.put(&format!("</{tag}>\n"));
    }

    fn links(&mut self, links: &[(Span, Vec<Span>)]) {
        self.put("<ul class=\"links\">\n");
        for (link, about) in links {
            let link = self.span(link);
            self.put(&format!("<li>{link}\n"));
            self.element("p", about);
            self.put("</li>\n");
        }
        self.put("</ul>\n");
    }

    fn element(&mut self, tag: &str, text: &[Span]) {
        self.put(&format!("<{tag}>"));
        self.spans(text);
        self.put(&format!("</{tag}>\n"));
    }

    fn table(&mut self, table: &Table) {
        let cards = match table.columns.len() {
            columns if columns > COLUMNS_ON_A_TABLET => " cards wide",
            columns if columns > COLUMNS_ON_A_TELEPHONE => " cards",
            _ => "",
        };
        let figures = if table.figures { " figures" } else { "" };
        let caption = self.words(&table.caption);
        self.put(&format!(
            "<table class=\"grid{cards}{figures}\" role=\"table\">\n<caption>{caption}</caption>\n\
             <thead role=\"rowgroup\">\n<tr role=\"row\">"
        ));
        let columns: Vec<String> = table.columns.iter().map(|column| self.words(column)).collect();
        for column in &columns {
            self.put(&format!("<th scope=\"col\" role=\"columnheader\">{column}</th>"));
        }
        self.put("</tr>\n</thead>\n<tbody role=\"rowgroup\">\n");
        for row in &table.rows {
            self.row(row, &columns);
        }
        self.put("</tbody>\n</table>\n");
        for footnote in &table.footnotes {
            let footnote = self.words(footnote);
            self.put(&format!("<p class=\"footnote\">{footnote}</p>\n"));
        }
    }

    fn row(&mut self, row: &Row, columns: &[String]) {
        self.put("<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">");
        self.spans(&row.heading);
        self.put("</th>");
        for (cell, column) in row.cells.iter().zip(columns.iter().skip(1)) {
            self.put(&format!("<td role=\"cell\" data-label=\"{column}\">"));
            self.spans(cell);
            self.put("</td>");
        }
        self.put("</tr>\n");
    }

    fn spans(&mut self, text: &[Span]) {
        for span in text {
            let drawn = self.span(span);
            self.put(&drawn);
        }
    }

    fn span(&self, span: &Span) -> String {
        match span {
            Span::Words(words) => self.words(words),
            Span::Strong(words) => format!("<strong>{}</strong>", self.words(words)),
            Span::Code(text) => format!("<code>{}</code>", escaped(text)),
            Span::Keys(keys) => {
                let keys: Vec<String> = keys.iter().map(|key| format!("<kbd>{}</kbd>", self.words(key))).collect();
                keys.join(" + ")
            }
            Span::Menu(path) => {
                let path: Vec<String> = path.iter().map(|step| self.words(step)).collect();
                format!("<strong class=\"menu\">{}</strong>", path.join(" › "))
            }
            Span::Link { page, words } => format!("<a href=\"{}\">{}</a>", self.address(page), self.words(words)),
            Span::Web(address) if is_web(address) => {
                format!("<a href=\"{0}\" rel=\"external\">{0}</a>", escaped(address))
            }
            Span::Web(address) => format!("<code>{}</code>", escaped(address)),
            Span::Mail(address) => format!("<a href=\"mailto:{0}\">{0}</a>", escaped(address)),
        }
    }

    fn contents(&mut self, here: &Page) {
        let contents = self.say("Sommaire", "Contents");
        self.put(&format!("<nav id=\"contents\" aria-label=\"{contents}\">\n<p class=\"title\">{contents}</p>\n"));
        for section in [Section::Start, Section::Settings, Section::Rules, Section::Refusals] {
            let pages: Vec<&Page> = self.site.pages.iter().filter(|page| page.section == section).collect();
            if pages.is_empty() {
                continue;
            }
            if let Some(name) = section_name(self.site.language, section) {
                let name = self.words(name);
                self.put(&format!("<p class=\"section\">{name}</p>\n"));
            }
            self.put("<ul>\n");
            for page in pages {
                let current = if page.name == here.name { " aria-current=\"page\"" } else { "" };
                let (address, title) = (self.address(&page.name), self.words(&page.title));
                self.put(&format!("<li><a href=\"{address}\"{current}>{title}</a></li>\n"));
            }
            self.put("</ul>\n");
        }
        self.put("</nav>\n</div>\n");
    }

    fn footer(&mut self) {
        let made = made_from(self.site);
        let made = self.words(&made);
        let institution = self.words(&self.site.institution);
        let top = self.say("Haut de la page", "Top of the page");
        self.put(&format!(
            "<footer>\n<p class=\"by\">{institution}</p>\n<p class=\"made\">{made}</p>\n\
             <p class=\"top\"><a href=\"#content\">{top}</a></p>\n</footer>\n</body>\n</html>\n"
        ));
    }
}

/// The last line of every page.
pub fn made_from(site: &Site) -> String {
    let hash = &site.plan_hash;
    pick(site.language, format!("Page produite à partir du plan {hash}."), format!("Page made from plan {hash}."))
}

/// The name of a section of the table of contents; the index needs none.
pub fn section_name(language: Language, section: Section) -> Option<&'static str> {
    match section {
        Section::Start => None,
        Section::Settings => Some(pick(language, "Régler sa messagerie", "Setting up")),
        Section::Rules => Some(pick(language, "Les règles du service", "How the service works")),
        Section::Refusals | Section::Reason => Some(pick(language, "En cas de refus", "When mail is refused")),
    }
}

fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

/// A span without its dress.
pub fn plain(span: &Span) -> String {
    match span {
        Span::Words(text) | Span::Strong(text) | Span::Code(text) | Span::Web(text) | Span::Mail(text) => text.clone(),
        Span::Keys(keys) => keys.join(" + "),
        Span::Menu(path) => path.join(" › "),
        Span::Link { words, .. } => words.clone(),
    }
}

/// Text as it may stand between tags and in quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            control if control.is_control() => {
                // A Plan may hold any character; HTML may not (WHATWG HTML 13.2.2, control-character-in-input-stream).
                let _ = write!(escaped, "\u{fffd}");
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}
