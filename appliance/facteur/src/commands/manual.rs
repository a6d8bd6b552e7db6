//! `facteur manual`: a manual page for the program and one for each command.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use crate::Exit;
use crate::cli::Cli;
use crate::files::write_whole;

#[derive(Args)]
pub struct ManualArgs {
    /// Where facteur.1, facteur-check.1 and the others are written
    #[arg(long, short, value_name = "DIR", default_value = "man1")]
    pub out: PathBuf,
}

pub fn run(args: &ManualArgs) -> Exit {
    match write(args) {
        Ok(count) => {
            eprintln!("{count} pages in {}", args.out.display());
            Exit::Fine
        }
        Err(error) => {
            eprintln!("facteur: {}: {error}", args.out.display());
            Exit::Trouble
        }
    }
}

fn write(args: &ManualArgs) -> std::io::Result<usize> {
    fs::create_dir_all(&args.out)?;
    let mut pages = Vec::new();
    collect(&Cli::command(), "facteur", &mut pages);
    let count = pages.len();
    for (name, command) in pages {
        let mut text = Vec::new();
        Man::new(command).render(&mut text)?;
        write_whole(&args.out.join(format!("{name}.1")), &String::from_utf8_lossy(&text))?;
    }
    Ok(count)
}

/// The page of a command and those of the commands in it. `called` is what one types, `facteur store verify`.
fn collect(command: &Command, called: &str, pages: &mut Vec<(String, Command)>) {
    let name = called.replace(' ', "-");
    // The page's head and synopsis show the whole name.
    pages.push((name.clone(), command.clone().display_name(name).bin_name(called)));
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        collect(inner, &format!("{called} {}", inner.get_name()), pages);
    }
}
