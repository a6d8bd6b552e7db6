//! `facteur verify`: a second, small checker that reads only the octets of a plan. It shares the types of `plan` and
//! nothing else: its reader is not the emitter's, and it knows neither the compiler's checks nor `decide`.

pub(crate) mod decode;
pub(crate) mod node;
mod references;
mod relay;
pub(crate) mod text;

use std::fmt;

use plan::{FORMAT, Pins, Plan, PlanHash};

use crate::codes::Code;

/// One thing that is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// From 1; 0 when no line says it.
    pub line: u32,
    /// Of the catalogue, where it has one: E1002, E0501.
    pub code: Option<Code>,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "error[{code}]: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Most faults that are told of one plan.
const FAULTS_MAX: usize = 50;
/// Largest plan text, in octets.
const PLAN_OCTETS_MAX: usize = 4 << 20;

/// Checks the octets of a plan; nothing is wrong when nothing comes back. The first thing that makes it unreadable
/// hides the rest.
pub fn verify(octets: &[u8]) -> Result<PlanHash, Vec<Fault>> {
    if octets.len() > PLAN_OCTETS_MAX {
        return Err(alone(0, None, format!("larger than {PLAN_OCTETS_MAX} octets")));
    }
    let text = std::str::from_utf8(octets).map_err(|error| {
        let line = octets.iter().take(error.valid_up_to()).filter(|octet| **octet == b'\n').count() + 1;
        alone(u32::try_from(line).unwrap_or(u32::MAX), None, "not UTF-8".to_owned())
    })?;
    let tree = text::read(text).map_err(|fault| vec![fault])?;
    // Another format has other fields: it is said before they are looked at.
    if let Some(format) = tree.get("format").filter(|node| !is_our_format(node)) {
        let what = format!("plan format {}, this program reads {FORMAT}", format.word().unwrap_or("unknown"));
        return Err(alone(format.line, Some(Code::E1002), what));
    }
    let plan: Plan = decode::decode(&tree).map_err(|fault| vec![fault])?;
    let mut faults = Faults { tree: &tree, found: Vec::new() };
    pins(&plan, &mut faults);
    references::judge(&plan, &mut faults);
    relay::judge(&plan, &mut faults);
    if faults.found.is_empty() {
        // The reader the server uses has the last word: what is spelled otherwise than it would be written is refused.
        if let Err(error) = plan::read(text) {
            return Err(alone(0, None, format!("the server's reader refuses it: {error}")));
        }
        return Ok(plan::hash(text));
    }
    Err(faults.found)
}

fn is_our_format(node: &node::Node<'_>) -> bool {
    node.word().and_then(|word| word.parse::<u32>().ok()) == Some(FORMAT)
}

fn alone(line: u32, code: Option<Code>, what: String) -> Vec<Fault> {
    vec![Fault { line, code, what }]
}

/// The lists decisions rest on are those of this program.
fn pins(plan: &Plan, faults: &mut Faults<'_, '_>) {
    let own = Pins::of_this_build();
    if plan.pins != own {
        let what = "another list of providers or suffixes is pinned than this program has";
        faults.coded(Code::E1002, &["pins"], what);
    }
}

/// What was found, at the lines of the text.
struct Faults<'n, 't> {
    tree: &'n node::Node<'t>,
    found: Vec<Fault>,
}

impl Faults<'_, '_> {
    fn at(&mut self, path: &[&str], what: impl Into<String>) {
        self.push(None, path, what.into());
    }

    fn coded(&mut self, code: Code, path: &[&str], what: impl Into<String>) {
        self.push(Some(code), path, what.into());
    }

    /// At the line of the last step of `path` that is there.
    fn push(&mut self, code: Option<Code>, path: &[&str], what: String) {
        if self.found.len() == FAULTS_MAX {
            return;
        }
        let mut node = self.tree;
        for name in path {
            match node.inner().get(name) {
                Some(next) => node = next,
                None => break,
            }
        }
        self.found.push(Fault { line: node.line, code, what });
    }
}
