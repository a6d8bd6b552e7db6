//! The one program a person types: arguments, printing, wiring. Everything it says of a policy comes from `policy` and
//! `decide`; everything it does to mail from `server`.

/// Prints a line of what a person or program asked for. A reader that went away (`| head`) is no error of ours.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}

mod cli;
mod commands;
mod files;
mod people;
mod serving;
mod site_file;
mod trying;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    // Argument mistakes end with 2 in clap, too.
    let cli = Cli::parse();
    let exit = match cli.command {
        Command::Check(args) => commands::check(&args),
        Command::Compile(args) => commands::compile(&args),
        Command::Dump(args) => commands::dump(&args),
        Command::Serve(args) => serving::serve(&args),
        Command::Try(args) => trying::run(&args),
    };
    ExitCode::from(exit as u8)
}

/// How a command ends; distinct everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Fine = 0,
    PolicyErrors = 1,
    /// Usage, file or network.
    Trouble = 2,
    StepWentOtherwise = 5,
    GuaranteeBroken = 6,
}
