//! `facteur compile`: the plan and its source map, written.

use std::path::PathBuf;

use clap::Args;

use super::report::Report;
use super::signatures::{self, SignArgs};
use super::{compiled, exit_of};
use crate::Exit;
use crate::cli::Format;
use crate::files::{policy_files, write_whole};

#[derive(Args)]
pub struct CompileArgs {
    /// A policy file, or a folder with policy.ron
    pub policy: PathBuf,
    /// Where NAME.plan.ron and NAME.map.ron are written
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    #[command(flatten)]
    pub sign: SignArgs,
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
    /// Write the plan even if a guarantee is broken (test builds only)
    #[cfg(debug_assertions)]
    #[arg(long)]
    pub unproved: bool,
}

impl CompileArgs {
    fn unproved(&self) -> bool {
        #[cfg(debug_assertions)]
        return self.unproved;
        #[cfg(not(debug_assertions))]
        false
    }
}

/// Writes the plan and its source map.
pub fn run(args: &CompileArgs) -> Exit {
    let files = policy_files(&args.policy);
    let compiled = match compiled(&args.policy) {
        Ok(compiled) => compiled,
        Err(exit) => return exit,
    };
    Report::default().print(&compiled, args.format);
    let sealed = if args.unproved() { compiled.plan_unproved.as_ref() } else { compiled.plan.as_ref() };
    let Some(sealed) = sealed else { return exit_of(&compiled) };
    let plan_path = args.out.join(format!("{}.plan.ron", files.name));
    let map_path = args.out.join(format!("{}.map.ron", files.name));
    let written = write_whole(&plan_path, &sealed.text).and_then(|()| write_whole(&map_path, &plan::emit(&sealed.map)));
    if let Err(error) = written {
        eprintln!("facteur: {}: {error}", plan_path.display());
        return Exit::Trouble;
    }
    eprintln!("{} {} ({} octets, hash {})", plan_path.display(), sealed.hash, sealed.text.len(), sealed.hash.full());
    if let Some(key) = &args.sign.sign {
        let path = args.out.join(format!("{}.sig.ron", files.name));
        match signatures::sign(&args.sign, key, &path, &sealed.hash) {
            Ok(said) => eprintln!("{said}"),
            Err(why) => {
                eprintln!("facteur: {why}");
                return Exit::Trouble;
            }
        }
    }
    if args.unproved() { Exit::Fine } else { exit_of(&compiled) }
}
