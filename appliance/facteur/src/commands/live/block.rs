//! `facteur block`: what mail is refused for by name, for some days.

use clap::{Args, Subcommand, ValueEnum};
use plan::BlockedWhat;
use policy::diagnostic::Sources;
use policy::model::Policy;
use policy::model::literal::span_s;
use policy::syntax::read;
use server::operate::{AddBlock, BlockKind, ListBlocks, ListedBlock, RemoveBlock, blocked_thing};

use super::{Place, ask, counted, failed, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct BlockArgs {
    #[command(subcommand)]
    command: BlockCommand,
}

#[derive(Subcommand)]
enum BlockCommand {
    /// Refuse mail for what it is from or holds, from the next command of every connection on
    Add(AddArgs),
    /// Say what is blocked, by whom, why and until when
    List(ListArgs),
    /// Take mail again; ends with 4 when there is no such block
    Remove(RemoveArgs),
    /// Print the entry that makes a block part of the policy; ends with 4 when there is no such block
    Promote(PromoteArgs),
}

/// What a block looks at.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// An address: reverse-path or From of mail from outside
    Sender,
    /// The domain of such an address, and those under it
    Domain,
    /// An IP address or prefix that hands mail in
    Client,
    /// The host of a link, and those under it
    UrlHost,
    /// The SHA-256 of an attachment
    Attachment,
    /// An address that mail of people here asks to answer to
    ReplyTo,
}

#[derive(Args)]
struct AddArgs {
    #[command(flatten)]
    place: Place,
    #[arg(value_enum)]
    kind: Kind,
    value: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    because: String,
    /// How long: "12 h", "7 days"
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    for_s: u64,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct RemoveArgs {
    #[command(flatten)]
    place: Place,
    id: String,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
}

#[derive(Args)]
struct PromoteArgs {
    #[command(flatten)]
    place: Place,
    id: String,
    /// The last day of the entry; without one it has no end
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<String>,
}

fn time(text: &str) -> Result<u64, String> {
    span_s(text).filter(|seconds| *seconds > 0).ok_or_else(|| "write a time such as \"12 h\" or \"7 days\"".to_owned())
}

pub fn run(args: &BlockArgs) -> Exit {
    let ended = match &args.command {
        BlockCommand::Add(args) => add(args),
        BlockCommand::List(args) => list(args),
        BlockCommand::Remove(args) => remove(args),
        BlockCommand::Promote(args) => promote(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

fn add(args: &AddArgs) -> Result<Exit, Exit> {
    let kind = match args.kind {
        Kind::Sender => BlockKind::Sender,
        Kind::Domain => BlockKind::Domain,
        Kind::Client => BlockKind::Client,
        Kind::UrlHost => BlockKind::UrlHost,
        Kind::Attachment => BlockKind::Attachment,
        Kind::ReplyTo => BlockKind::ReplyTo,
    };
    let (value, because, by) = (args.value.clone(), args.because.clone(), args.by.clone());
    let listed = ask(&args.place, "block", AddBlock { kind, value, because, for_s: args.for_s, by })?;
    say(args.place.format, &listed);
    Ok(Exit::Fine)
}

fn list(args: &ListArgs) -> Result<Exit, Exit> {
    let all = ask(&args.place, "block", ListBlocks {})?;
    all.iter().for_each(|listed| say(args.place.format, listed));
    if args.place.format == Format::Human {
        say!("{}", counted(all.len() as u64, "block", "blocks"));
    }
    Ok(Exit::Fine)
}

fn remove(args: &RemoveArgs) -> Result<Exit, Exit> {
    if ask(&args.place, "block", RemoveBlock { id: args.id.clone(), by: args.by.clone() })? {
        return Ok(Exit::Fine);
    }
    Err(none(args.place.format, &args.id))
}

fn none(format: Format, id: &str) -> Exit {
    failed(format, &format!("there is no block {id}"), Exit::DifferencesFound)
}

fn promote(args: &PromoteArgs) -> Result<Exit, Exit> {
    let format = args.place.format;
    let all = ask(&args.place, "block", ListBlocks {})?;
    let listed = all.iter().find(|listed| listed.id == args.id).ok_or_else(|| none(format, &args.id))?;
    let entry = entry(listed, args.until.as_deref()).map_err(|why| failed(format, &why, Exit::Trouble))?;
    match format {
        Format::Json => say_json("entry", &serde_json::json!({ "section": "blocked", "entry": entry })),
        Format::Human => say!("blocked: [\n    {entry},\n],"),
    }
    Ok(Exit::Fine)
}

/// The entry of `blocked`, as the compiler's own types read it.
fn entry(listed: &ListedBlock, until: Option<&str>) -> Result<String, String> {
    // One line with its quotes.
    let quoted = |text: &str| plan::emit(&text).trim_end().to_owned();
    let what = match &listed.block.what {
        BlockedWhat::Sender(address) => format!("Sender({})", quoted(&address.to_string())),
        BlockedWhat::SenderDomain(domain) => format!("SenderDomain({})", quoted(domain.as_str())),
        BlockedWhat::Client(prefix) => format!("Client({})", quoted(&prefix.to_string())),
        BlockedWhat::UrlHost(domain) => format!("UrlHost({})", quoted(domain.as_str())),
        BlockedWhat::Attachment(hash) => format!("Attachment({})", quoted(hash)),
        BlockedWhat::ReplyTo(address) => format!("ReplyTo({})", quoted(&address.to_string())),
    };
    let end = until.map(|day| format!(", until: {}", quoted(day))).unwrap_or_default();
    let entry = format!("(what: {what}, because: {}{end})", quoted(&listed.block.because));
    let text = format!("Policy(blocked: [{entry}])");
    let (mut sources, mut sink) = (Sources::new(), Vec::new());
    let file = sources.add("blocked", text.as_str());
    let document = read(file, &text, &mut sink);
    let policy = Policy::decode(&document, &mut sink);
    match sink.first() {
        Some(wrong) => Err(format!("no policy takes {entry}: {}", wrong.message)),
        None if policy.blocked.sound().is_none() => Err(format!("no policy takes {entry}")),
        None => Ok(entry),
    }
}

fn say(format: Format, listed: &ListedBlock) {
    if format == Format::Json {
        return say_json("block", listed);
    }
    let block = &listed.block;
    let until = jiff::Timestamp::from_second(block.until_s).unwrap_or_default();
    say!("{:<7} {:<40} until {until}", listed.id, blocked_thing(&block.what));
    say!("{:<7} {}, by {}", "", block.because, block.by);
}

#[cfg(test)]
mod tests {
    use server::operate::Block;

    use super::*;

    fn listed(what: BlockedWhat, because: &str) -> ListedBlock {
        let block = Block { what, because: because.into(), by: "root".into(), at_s: 0, until_s: 1 };
        ListedBlock { id: "k3f9ab".into(), block }
    }

    #[test]
    fn an_entry_is_one_the_compiler_reads_whatever_was_typed() {
        let odd = listed(BlockedWhat::Sender("\"a b\"@phish.example".parse().unwrap()), "é \"quoted\" \\ \n");
        for until in [None, Some("2027-01-31")] {
            let entry = entry(&odd, until).unwrap();
            assert!(entry.starts_with("(what: Sender(") && !entry.contains('\n'), "{entry}");
        }
        let host = listed(BlockedWhat::UrlHost("login.phish.example".parse().unwrap()), "phish");
        assert_eq!(entry(&host, None).unwrap(), r#"(what: UrlHost("login.phish.example"), because: "phish")"#);
        assert!(entry(&host, Some("tomorrow")).is_err());
    }
}
