//! Plans that ran: the appliance keeps them with their maps under their hashes, for replies people paste weeks later.

use std::path::{Path, PathBuf};

use plan::PlanHash;
use server::slots::Slots;

/// The kept plan a short hash names, in the data folder; the newest of two that share it, which nobody has seen yet. `None` also where
/// its octets are not those of its name, which is said: it decided nothing.
pub fn find(data: &Path, short: &str) -> Option<PathBuf> {
    let slots = Slots::of(data);
    let named =
        slots.hashes().into_iter().filter(|full| PlanHash::of_full(full).is_some_and(|hash| hash.short() == short));
    let whole = |hash: &String| match slots.plan(hash) {
        Ok(_) => true,
        Err(error) => {
            eprintln!("facteur: {error}");
            false
        }
    };
    named.into_iter().find(whole).map(|hash| slots.plan_file(&hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_plan_is_found_by_its_short_hash_while_it_is_whole() {
        let data = std::env::temp_dir().join(format!("facteur-past-{}", std::process::id()));
        let hash = plan::hash("a plan");
        let file = Slots::of(&data).plan_file(&hash.full());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "a plan").unwrap();
        assert_eq!(find(&data, &hash.short()), Some(file.clone()));
        assert_eq!(find(&data, &plan::hash("another").short()), None);
        std::fs::write(&file, "a plaN").unwrap();
        assert_eq!(find(&data, &hash.short()), None);
        std::fs::remove_dir_all(data).unwrap();
    }
}
