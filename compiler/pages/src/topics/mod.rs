//! The pages, one file each.

mod accounts;
mod antispam;
mod backup;
mod index;
mod passwords;
mod programs;
mod quotas;
mod redirects;
mod restrictions;
mod retention;
mod servers;

mod virus;

use crate::content::Page;
use crate::facts::Facts;

pub use index::index;

/// Every page but the index and the refusals, in the order of the table of contents.
pub fn pages(facts: &Facts<'_>) -> Vec<Page> {
    let mut pages = vec![servers::page(facts)];
    pages.extend(programs::pages(facts));
    pages.push(passwords::page(facts));
    pages.extend([
        accounts::page(facts),
        restrictions::page(facts),
        quotas::page(facts),
        antispam::page(facts),
        virus::page(facts),
        redirects::page(facts),
        backup::page(facts),
        retention::page(facts),
    ]);
    pages
}
