//! `facteur redirect`: where the mail of one person goes on to, as the policy allows.

use clap::{Args, Subcommand};
use server::operate::{Approval, EndRedirect, JudgedRedirect, ListRedirects, SetRedirect};

use super::redirect_asked::{self, ApproveArgs, AskedArgs, RefuseArgs, RequestArgs};
use super::{Place, ask, counted, failed, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct RedirectArgs {
    #[command(subcommand)]
    command: RedirectCommand,
}

#[derive(Subcommand)]
enum RedirectCommand {
    /// Send mail of a person on; the policy says where to, and what has to be approved
    Set(SetArgs),
    /// Keep mail of a person here again; ends with 4 when there was no redirect
    End(EndArgs),
    /// Ask for a redirect: the policy answers at once, or somebody has to approve it
    Request(RequestArgs),
    /// Approve what a person asks for
    Approve(ApproveArgs),
    /// Refuse what a person asks for, with words they read
    Refuse(RefuseArgs),
    /// Say what people ask for, and what became of it
    Asked(AskedArgs),
    /// Say where mail goes on to, and which redirects the policy stops
    List(ListArgs),
}

#[derive(Args)]
struct SetArgs {
    #[command(flatten)]
    place: Place,
    #[arg(long)]
    login: String,
    /// Where to
    #[arg(long, value_name = "ADDRESS")]
    to: mail::Address,
    /// Keep no copy in the mailbox
    #[arg(long)]
    no_copy: bool,
    /// Who approved it
    #[arg(long, value_name = "WHO")]
    approver: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", requires = "approver")]
    because: Option<String>,
    /// Its last day
    #[arg(long, value_name = "YYYY-MM-DD", requires = "approver")]
    until: Option<String>,
    /// The domain of the institution the person comes from
    #[arg(long, value_name = "DOMAIN", requires = "approver")]
    home: Option<mail::Domain>,
}

#[derive(Args)]
struct EndArgs {
    #[command(flatten)]
    place: Place,
    #[arg(long)]
    login: String,
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    place: Place,
    /// Only those that mail does not follow any more; ends with 4 when there are any
    #[arg(long)]
    stopped: bool,
}

pub fn run(args: &RedirectArgs) -> Exit {
    let ended = match &args.command {
        RedirectCommand::Set(args) => set(args),
        RedirectCommand::End(args) => end(args),
        RedirectCommand::Request(args) => redirect_asked::request(args),
        RedirectCommand::Approve(args) => redirect_asked::approve(args),
        RedirectCommand::Refuse(args) => redirect_asked::refuse(args),
        RedirectCommand::Asked(args) => redirect_asked::list(args),
        RedirectCommand::List(args) => list(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

fn set(args: &SetArgs) -> Result<Exit, Exit> {
    let approval = args.approver.as_ref().map(|approver| Approval {
        home: args.home.clone(),
        approver: approver.clone(),
        because: args.because.clone().unwrap_or_default(),
        until: args.until.clone().unwrap_or_default(),
    });
    let (login, to) = (args.login.clone(), args.to.clone());
    let judged = ask(&args.place, "redirect", SetRedirect { login, to, keeps_copy: !args.no_copy, approval })?;
    say(args.place.format, &judged);
    Ok(Exit::Fine)
}

fn end(args: &EndArgs) -> Result<Exit, Exit> {
    if ask(&args.place, "redirect", EndRedirect { login: args.login.clone() })? {
        return Ok(Exit::Fine);
    }
    Err(failed(args.place.format, &format!("{} has no redirect", args.login), Exit::DifferencesFound))
}

fn list(args: &ListArgs) -> Result<Exit, Exit> {
    let all = ask(&args.place, "redirect", ListRedirects { stopped: args.stopped })?;
    all.iter().for_each(|judged| say(args.place.format, judged));
    if args.place.format == Format::Human {
        let stopped = all.iter().filter(|judged| !judged.stopped.is_empty()).count() as u64;
        say!("{}, {stopped} of them stopped by the policy", counted(all.len() as u64, "redirect", "redirects"));
    }
    Ok(if args.stopped && !all.is_empty() { Exit::DifferencesFound } else { Exit::Fine })
}

fn say(format: Format, judged: &JudgedRedirect) {
    if format == Format::Json {
        return say_json("redirect", judged);
    }
    let redirect = &judged.redirect;
    let copy = if redirect.keeps_copy { "a copy stays" } else { "no copy stays" };
    say!("{:<20} → {}  ({copy})", judged.login, redirect.to);
    if let Some(approval) = &redirect.approval {
        let until = if approval.until.is_empty() { "without end" } else { approval.until.as_str() };
        say!("{:<20}   approved by {}, {until}: {}", "", approval.approver, approval.because);
    }
    match judged.stopped.as_str() {
        "" => say!("{:<20}   allowed by {}", "", judged.rule),
        why => say!("{:<20}   STOPPED by {}: {why}; mail stays here", "", judged.rule),
    }
}
