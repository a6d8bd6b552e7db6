//! The commands and their arguments.

use std::path::PathBuf;

use crate::commands::live::{
    alias, audit, backup, block, compromise, delegate, deploy, directory, export, grant, health, import, key, log,
    operator, person, probe, quarantine, queue, recall, redirect, reports, restore, status, store, trace, why,
};
use crate::commands::{
    appliance, autoconfig, check, compile, completions, diff, dns, doc, doctor, dump, explain, fmt, image, manual,
    metrics, proof, replay, set_up, simulate, snapshot, spam, test, update, verify,
};
use crate::logging::LogTo;
use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(name = "facteur", version, about = "A mail appliance you compile", max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Read a policy and say everything that is wrong with it; writes nothing
    Check(check::CheckArgs),
    /// Turn a policy into a plan and a source map
    Compile(compile::CompileArgs),
    /// Print the facts of a plan, one a line
    Dump(dump::DumpArgs),
    /// Put policy files into the canonical layout
    Fmt(fmt::FmtArgs),
    /// Compare two policies or plans by what they decide
    Diff(diff::DiffArgs),
    /// Explain a refusal, a code, a section, a default or a person
    Explain(explain::ExplainArgs),
    /// Say what the spam passes see in a message
    Spam(spam::SpamArgs),
    /// Talk SMTP to a policy: nothing is delivered
    Simulate(simulate::SimulateArgs),
    /// Judge a recorded decision log under another plan, and say who would be refused newly
    Replay(replay::ReplayArgs),
    /// Run the tests of a policy
    Test(test::TestArgs),
    /// Compare the plan with the committed one, and accept it
    Snapshot(snapshot::SnapshotArgs),
    /// Decide a guarantee and show what the proof rests on
    Proof(proof::ProofArgs),
    /// Check the octets of a plan without the compiler
    Verify(verify::VerifyArgs),
    /// Print what the DNS zones of the policy's domains should hold
    Dns(dns::DnsArgs),
    /// Compare what the policy needs with DNS, certificates and the hosts it names; ends with 2 when something is wrong
    Doctor(doctor::DoctorArgs),
    /// Write the users' pages from the plan
    Doc(doc::DocArgs),
    /// Print what mail programs read to set an account up by themselves
    Autoconfig(autoconfig::AutoconfigArgs),
    /// Print what Outlook is answered when it sets an account up
    Autodiscover(set_up::AutodiscoverArgs),
    /// Print the profile that Apple's Mail takes an account from
    Mobileconfig(set_up::MobileconfigArgs),
    /// Build the appliance as a disk image, convert it, and say what is in it
    Image(image::ImageArgs),
    /// Print shell completions
    Completions(completions::CompletionsArgs),
    /// Write the manual pages
    Manual(manual::ManualArgs),
    /// Print the table of all metrics the server has, as Markdown
    Metrics(metrics::MetricsArgs),
    /// Say on one screen how the server does, what is wrong first; ends with 1 when something is
    Status(status::StatusArgs),
    /// Ask one thing for a monitoring system: one line, and the exit code of a plugin
    Probe(probe::ProbeArgs),
    /// Serve a plan at a site
    Serve(ServeArgs),
    /// What the appliance runs at boot and shows at its console
    Appliance(appliance::ApplianceArgs),
    /// Update an appliance from signed bundles, and go back
    Update(update::UpdateArgs),
    /// Say whether everything that has to work does, and open what waits for it
    Health(health::HealthArgs),
    /// Ask the store of a data folder, served or not
    Store(store::StoreArgs),
    /// Take, list and try out backups
    Backup(backup::BackupArgs),
    /// Say who sends mail in our name, as others report it, and what came in from domains that want reports
    Reports(reports::ReportsArgs),
    /// Put messages of an account back from a backup
    Restore(restore::RestoreArgs),
    /// Bring people up to date, set passwords
    Person(person::PersonArgs),
    /// Let an address lead to people
    Alias(alias::AliasArgs),
    /// Functional addresses and their members
    Function(alias::FunctionArgs),
    /// Refuse mail by sender, client, link, attachment or reply address, for some days
    Block(block::BlockArgs),
    /// Put another plan on trial in a running server
    Deploy(deploy::DeployArgs),
    /// Let the plan on trial stay; ends with 7 when none is on trial
    Confirm(deploy::ConfirmArgs),
    /// Take the plan on trial back, or put a former plan in the place of the one that runs
    Rollback(deploy::RollbackArgs),
    /// List the last plans, who deployed them and why
    History(deploy::HistoryArgs),
    /// Say who sends in whose name, until a day
    Delegate(delegate::DelegateArgs),
    /// See accounts that look stolen and what is held of them, and let it go
    Compromise(compromise::CompromiseArgs),
    /// See how the directory server does that people are read from, and let a sync pass
    Directory(directory::DirectoryArgs),
    /// Say where the mail of a person goes on to, and decide what people ask for
    Redirect(redirect::RedirectArgs),
    /// Let somebody use a mailbox of another person or of a functional address, until a day if it is to end
    Grant(grant::GrantArgs),
    /// Say what was granted to a person, and what on their mailboxes
    Grants(grant::GrantsArgs),
    /// Write mail of an account as Maildir or mbox
    Export(export::ExportArgs),
    /// Read Maildir or mbox into an account
    Import(import::ImportArgs),
    /// See what waits for other servers, and hold, release, retry, bounce or remove it
    Queue(queue::QueueArgs),
    /// See what is in quarantine, release or purge it, take a delivered message out of all mailboxes
    Quarantine(quarantine::QuarantineArgs),
    /// Find a delivered message by what is known of it, take it out of all mailboxes, put it back
    Recall(recall::RecallArgs),
    /// Take no new mail, and deliver what can be delivered
    Drain(queue::DrainArgs),
    /// Watch what a person's sessions say
    Trace(trace::TraceArgs),
    /// Make keys that sign plans, and say whose plans a server takes
    Key(key::KeyArgs),
    /// Operate servers from other machines: what you show there, and who may
    Operator(operator::OperatorArgs),
    /// Say who did what, and about whom
    Audit(audit::AuditArgs),
    /// Write what decisions rested on, for `replay` and `diff --log`
    Log(log::LogArgs),
    /// Tell the story of a message
    Why(why::WhyArgs),
    /// Serve a policy on loopback, with people, engines and the Internet as stand-ins, and tell a short story
    Try(TryArgs),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Human,
    /// One JSON object a line
    Json,
}

#[derive(Args)]
pub struct ServeArgs {
    /// A plan written by `facteur compile`
    #[arg(long)]
    pub plan: PathBuf,
    /// The facts of this machine, site.ron
    #[arg(long)]
    pub site: PathBuf,
    /// Keep port 25 closed until the control socket hears that this machine is healthy
    #[arg(long)]
    pub wait_for_health: bool,
    /// Serve what can be bound, and try the other addresses again; without it one that cannot be bound ends the start
    #[arg(long)]
    pub keep_trying: bool,
    /// A test platform: nothing is handed to another server, whatever the site says
    #[arg(long)]
    pub twin: bool,
    /// Where log lines go
    #[arg(long, value_enum, default_value = "auto")]
    pub log: LogTo,
}

#[derive(Args)]
pub struct TryArgs {
    /// A policy file, or a folder with policy.ron and people.ron
    pub policy: PathBuf,
    /// End after the story: 0, or 5 if a step went otherwise
    #[arg(long, conflicts_with = "no_story")]
    pub once: bool,
    /// Serve only
    #[arg(long)]
    pub no_story: bool,
    /// Keep mail here instead of in a folder that goes at the end
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Ports P, P+1, … for the listeners in order of name; else the kernel chooses
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u16).range(1..))]
    pub port_base: Option<u16>,
    /// N more people for measuring: user0001…, password `pass`
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub people: u32,
    /// Ask this name server about mail that comes in; nobody is asked without one
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub name_server: Vec<std::net::SocketAddr>,
    /// Speak to the scanners where the policy says they are; without it each antivirus engine has a stand-in, and no other is asked
    #[arg(long)]
    pub real_engines: bool,
    /// Where operators of other machines are listened to, as on an appliance
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub control: Option<std::net::SocketAddr>,
    /// Write what runs, as JSON, when everything listens
    #[arg(long, value_name = "FILE")]
    pub describe: Option<PathBuf>,
    /// Serve the plan even if a guarantee is broken (test builds only)
    #[cfg(debug_assertions)]
    #[arg(long)]
    pub unproved: bool,
}

impl TryArgs {
    pub fn unproved(&self) -> bool {
        #[cfg(debug_assertions)]
        return self.unproved;
        #[cfg(not(debug_assertions))]
        false
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_of_every_command_are_sound() {
        super::Cli::command().debug_assert();
    }
}
