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
mod key_files;
mod logging;
mod people;
mod serving;
mod site_file;
mod trying;
mod wire;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    // Argument mistakes end with 2 in clap, too.
    let cli = Cli::parse();
    let exit = match cli.command {
        Command::Check(args) => commands::check::run(&args),
        Command::Compile(args) => commands::compile::run(&args),
        Command::Dump(args) => commands::dump::run(&args),
        Command::Fmt(args) => commands::fmt::run(&args),
        Command::Diff(args) => commands::diff::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Spam(args) => commands::spam::run(&args),
        Command::Simulate(args) => commands::simulate::run(&args),
        Command::Replay(args) => commands::replay::run(&args),
        Command::Log(args) => commands::live::log::run(&args),
        Command::Test(args) => commands::test::run(&args),
        Command::Snapshot(args) => commands::snapshot::run(&args),
        Command::Proof(args) => commands::proof::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Dns(args) => commands::dns::run(&args),
        Command::Metrics(args) => commands::metrics::run(&args),
        Command::Status(args) => commands::live::status::run(&args),
        // Its exit codes are those of plugins.
        Command::Probe(args) => return ExitCode::from(commands::live::probe::run(&args)),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Doc(args) => commands::doc::run(&args),
        Command::Autoconfig(args) => commands::autoconfig::run(&args),
        Command::Autodiscover(args) => commands::set_up::autodiscover(&args),
        Command::Mobileconfig(args) => commands::set_up::mobileconfig(&args),
        Command::Completions(args) => commands::completions::run(&args),
        Command::Manual(args) => commands::manual::run(&args),
        Command::Serve(args) => serving::serve(&args),
        Command::Appliance(args) => commands::appliance::run(&args),
        Command::Store(args) => commands::live::store::run(&args),
        Command::Backup(args) => commands::live::backup::run(&args),
        Command::Reports(args) => commands::live::reports::run(&args),
        Command::Restore(args) => commands::live::restore::run(&args),
        Command::Person(args) => commands::live::person::run(&args),
        Command::Grant(args) => commands::live::grant::grant(&args),
        Command::Grants(args) => commands::live::grant::grants(&args),
        Command::Alias(args) => commands::live::alias::alias(&args),
        Command::Function(args) => commands::live::alias::function(&args),
        Command::Block(args) => commands::live::block::run(&args),
        Command::Compromise(args) => commands::live::compromise::run(&args),
        Command::Directory(args) => commands::live::directory::run(&args),
        Command::Redirect(args) => commands::live::redirect::run(&args),
        Command::Deploy(args) => commands::live::deploy::deploy(&args),
        Command::Confirm(args) => commands::live::deploy::confirm(&args),
        Command::Rollback(args) => commands::live::deploy::rollback(&args),
        Command::History(args) => commands::live::deploy::history(&args),
        Command::Delegate(args) => commands::live::delegate::run(&args),
        Command::Key(args) => commands::live::key::run(&args),
        Command::Operator(args) => commands::live::operator::run(&args),
        Command::Audit(args) => commands::live::audit::run(&args),
        Command::Export(args) => commands::live::export::run(&args),
        Command::Import(args) => commands::live::import::run(&args),
        Command::Queue(args) => commands::live::queue::run(&args),
        Command::Quarantine(args) => commands::live::quarantine::run(&args),
        Command::Recall(args) => commands::live::recall::run(&args),
        Command::Drain(args) => commands::live::queue::drain(&args),
        Command::Trace(args) => commands::live::trace::run(&args),
        Command::Why(args) => commands::live::why::run(&args),
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
    LintsDenied = 3,
    /// `diff`, `snapshot`, `fmt --check`, `doc --check`; `store verify` and `backup verify` with findings, `export` and `import` of less than
    /// all; also `explain`, `why` and `recall` with nothing found.
    DifferencesFound = 4,
    /// A step of the story, or a policy test.
    StepWentOtherwise = 5,
    GuaranteeBroken = 6,
    /// A plan that was not deployed, or is not there to be confirmed.
    Refused = 7,
}

impl Exit {
    /// When several apply, the first of 2, 6, 1, 7, 5, 3, 4 is said.
    pub fn or(self, other: Exit) -> Exit {
        let rank = |exit: Exit| match exit {
            Exit::Trouble => 0,
            Exit::GuaranteeBroken => 1,
            Exit::PolicyErrors => 2,
            Exit::Refused => 3,
            Exit::StepWentOtherwise => 4,
            Exit::LintsDenied => 5,
            Exit::DifferencesFound => 6,
            Exit::Fine => 7,
        };
        if rank(self) <= rank(other) { self } else { other }
    }
}
