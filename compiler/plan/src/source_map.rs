//! Where each rule of a plan stands in the policy. Beside the plan, never in it: lines do not move a hash.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::PlanHash;

/// Rule id (the path in the policy) to its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceMap {
    /// Short hash of the plan it belongs to.
    pub plan: String,
    /// File names as the compiler was given them.
    pub files: Vec<String>,
    pub places: BTreeMap<String, Place>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Index into `files`.
    pub file: u32,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The line as it stands there.
    pub text: String,
}

/// Why a map is not to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadSourceMap {
    /// It says it is of this plan.
    OtherPlan(String),
    /// The place of this rule cannot be.
    NoPlace(String),
}

impl fmt::Display for BadSourceMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadSourceMap::OtherPlan(plan) => write!(f, "it is of plan {plan:?}"),
            BadSourceMap::NoPlace(rule) => write!(f, "the place of {rule:?} is none in its files"),
        }
    }
}

impl std::error::Error for BadSourceMap {}

impl SourceMap {
    /// Is it one of this plan, and is every place in it one a file can have? Whether that file says so nobody sees who has the plan
    /// alone.
    pub fn check(&self, plan: &PlanHash) -> Result<(), BadSourceMap> {
        if self.plan != plan.short() {
            return Err(BadSourceMap::OtherPlan(self.plan.clone()));
        }
        let is_one_line = |text: &str| !text.chars().any(|c| c.is_control() && c != '\t');
        let is_there = |place: &Place| {
            // Of a long line the map has the beginning.
            (place.file as usize) < self.files.len() && place.line >= 1 && place.column >= 1 && is_one_line(&place.text)
        };
        let wrong = self.places.iter().find(|(rule, place)| !is_one_line(rule) || !is_there(place));
        if let Some((rule, _)) = wrong {
            return Err(BadSourceMap::NoPlace(rule.clone()));
        }
        match self.files.iter().find(|name| !is_one_line(name)) {
            Some(name) => Err(BadSourceMap::NoPlace(name.clone())),
            None => Ok(()),
        }
    }

    /// The place of `rule`, or of the nearest rule above it in the path.
    pub fn find(&self, rule: &str) -> Option<&Place> {
        let mut path = rule;
        loop {
            if let Some(place) = self.places.get(path) {
                return Some(place);
            }
            path = &path[..path.rfind(['.', '/'])?];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_of_one_plan_and_its_places_are_in_its_files() {
        let hash = crate::hash("a plan");
        let place = |change: fn(&mut Place)| {
            let mut place = Place { file: 0, line: 3, column: 5, text: "    mx: 25,".to_owned() };
            change(&mut place);
            let (files, places) = (vec!["policy.ron".to_owned()], BTreeMap::from([("listeners.mx".to_owned(), place)]));
            SourceMap { plan: hash.short(), files, places }.check(&hash)
        };
        assert_eq!(place(|_| ()), Ok(()));
        let wrong: [fn(&mut Place); 4] =
            [|it| it.file = 1, |it| it.line = 0, |it| it.column = 0, |it| it.text = "two\nlines".to_owned()];
        for (case, change) in wrong.into_iter().enumerate() {
            assert_eq!(place(change), Err(BadSourceMap::NoPlace("listeners.mx".to_owned())), "{case}");
        }
        let other = SourceMap { plan: "q7k3m2xw".to_owned(), ..SourceMap::default() };
        assert_eq!(other.check(&hash), Err(BadSourceMap::OtherPlan("q7k3m2xw".to_owned())));
    }
}
