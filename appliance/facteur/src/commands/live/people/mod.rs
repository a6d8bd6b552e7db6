//! `facteur person import|export|add|change|remove|list|show`: the built-in directory.

mod export;
mod import;
mod one;
mod who;

use clap::Subcommand;

use crate::Exit;

pub use who::who;

#[derive(Subcommand)]
pub enum PeopleCommand {
    /// Take people over from a CSV or LDIF file; nobody is taken away
    Import(import::ImportArgs),
    /// Write everybody as CSV or LDIF, as `import` reads it
    Export(export::ExportArgs),
    /// Add one person: login and address follow from the policy unless they are given
    Add(one::AddArgs),
    /// Change what is said of a person; the login never changes
    Change(one::ChangeArgs),
    /// Give a person a last day, today unless one is named; what follows is the policy's
    Remove(one::RemoveArgs),
    /// Say who there is
    List(one::ListArgs),
    /// Say everything that is known of a person, and all that leads there
    Show(one::ShowArgs),
}

pub fn run(command: &PeopleCommand) -> Result<Exit, Exit> {
    match command {
        PeopleCommand::Import(args) => import::run(args),
        PeopleCommand::Export(args) => export::run(args),
        PeopleCommand::Add(args) => one::add(args),
        PeopleCommand::Change(args) => one::change(args),
        PeopleCommand::Remove(args) => one::remove(args),
        PeopleCommand::List(args) => one::list(args),
        PeopleCommand::Show(args) => one::show(args),
    }
}
