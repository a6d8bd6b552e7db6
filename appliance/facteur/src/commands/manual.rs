//! `facteur manual`: a manual page for the program and one for each command.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
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
    let program = Cli::command();
    let mut pages = vec![(String::from("facteur"), program.clone())];
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("facteur-{}", command.get_name());
        // The page's head and synopsis show the whole name.
        let called = format!("facteur {}", command.get_name());
        pages.push((name.clone(), command.clone().display_name(name).bin_name(called)));
    }
    let count = pages.len();
    for (name, command) in pages {
        let mut text = Vec::new();
        Man::new(command).render(&mut text)?;
        write_whole(&args.out.join(format!("{name}.1")), &String::from_utf8_lossy(&text))?;
    }
    Ok(count)
}
