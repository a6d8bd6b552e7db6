//! All pages of one Plan in one language.

use plan::{Language, Plan};

use crate::content::Page;
use crate::facts::Facts;
use crate::{html, markdown, refusals, topics};

/// The pages of a Plan in one language.
pub struct Site {
    pub language: Language,
    /// Name of the institution.
    pub institution: String,
    /// Short hash of the Plan.
    pub plan_hash: String,
    /// The table of contents is in this order; the first is `index`.
    pub pages: Vec<Page>,
}

impl Site {
    /// `plan_hash` is `PlanHash::short` of that Plan.
    pub fn new(plan: &Plan, plan_hash: &str, language: Language) -> Site {
        let facts = Facts { plan, language };
        let mut pages = topics::pages(&facts);
        pages.extend(refusals::pages(&facts));
        pages.insert(0, topics::index(&facts, &pages));
        Site { language, institution: plan.institution.name.clone(), plan_hash: plan_hash.to_owned(), pages }
    }

    pub fn page(&self, name: &str) -> Option<&Page> {
        self.pages.iter().find(|page| page.name == name)
    }

    /// One self-contained file, to stand in `folder(language)` beside the other pages of its language.
    pub fn html(&self, page: &Page) -> String {
        html::draw(self, page, html::Stands::InItsFolder)
    }

    /// The index as it stands above the folders of both languages.
    pub fn front(&self) -> String {
        self.pages.first().map(|index| html::draw(self, index, html::Stands::AboveTheFolders)).unwrap_or_default()
    }

    pub fn markdown(&self, page: &Page) -> String {
        markdown::draw(self, page)
    }
}

/// The folder of a language, its tag (RFC 5646).
pub fn folder(language: Language) -> &'static str {
    match language {
        Language::French => "fr",
        Language::English => "en",
    }
}
