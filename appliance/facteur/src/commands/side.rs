//! What a command that takes a policy or a plan was given: canonical plan text, and where its rules stand.

use std::path::Path;

use plan::SourceMap;
use policy::compile::{Compiled, LoadError, Loader};

use super::report::Report;
use super::{compiled, exit_of};
use crate::Exit;
use crate::cli::Format;
use crate::files::Disk;

/// How plans are called on disk.
const PLAN: &str = ".plan.ron";

/// A policy that compiled, or a plan.
pub struct Side {
    pub text: String,
    /// A plan has one only where `compile` wrote it beside.
    pub map: Option<SourceMap>,
    /// The compilation, where it was a policy.
    pub compiled: Option<Compiled>,
}

impl Side {
    /// Compiles, or reads. What is wrong is said.
    pub fn load(path: &Path, format: Format) -> Result<Side, Exit> {
        let name = path.to_string_lossy();
        if !path.is_dir() && name.ends_with(PLAN) {
            let text = read(&name)?;
            let map = map_beside(&name, &text);
            return Ok(Side { text, map, compiled: None });
        }
        let compiled = compiled(path)?;
        match &compiled.plan {
            Some(sealed) => {
                Ok(Side { text: sealed.text.clone(), map: Some(sealed.map.clone()), compiled: Some(compiled) })
            }
            None => {
                Report::default().print(&compiled, format);
                Err(exit_of(&compiled))
            }
        }
    }
}

/// The text of a file. What goes wrong is said.
pub fn read(name: &str) -> Result<String, Exit> {
    Disk.load(name).map_err(|error| {
        match error {
            LoadError::NotFound => eprintln!("facteur: {name}: there is no such file"),
            LoadError::Unreadable(why) => eprintln!("facteur: {name}: {why}"),
        }
        Exit::Trouble
    })
}

/// `NAME.map.ron`, if it belongs to this plan.
fn map_beside(name: &str, text: &str) -> Option<SourceMap> {
    let map = Disk.load(&format!("{}.map.ron", name.strip_suffix(PLAN)?)).ok()?;
    let map: SourceMap = ron::from_str(&map).ok()?;
    (map.plan == plan::hash(text).short()).then_some(map)
}
