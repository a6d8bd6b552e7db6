//! `facteur person quota`: more room for a person, until a day.

use clap::{Args, Subcommand};
use server::operate::{EndQuota, GrantQuota, ListQuotas, ListedQuota};

use super::{Place, ask, failed, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct QuotaArgs {
    #[command(subcommand)]
    command: QuotaCommand,
}

#[derive(Subcommand)]
enum QuotaCommand {
    /// Give a person of a profile that has more on request so much room
    Grant(GrantArgs),
    /// Take it back before its day; ends with 4 when there was none
    End(EndArgs),
    /// Say who was given how much, by whom and until when
    List(ListArgs),
}

#[derive(Args)]
struct GrantArgs {
    login: String,
    /// As `5 GB`
    #[arg(value_parser = octets)]
    size: u64,
    #[command(flatten)]
    place: Place,
    #[arg(long, value_name = "TEXT")]
    because: String,
    /// Who approved it
    #[arg(long, value_name = "WHO")]
    approver: String,
    /// The last day
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: String,
    /// The correspondent or manager who keys it in
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
}

#[derive(Args)]
struct EndArgs {
    login: String,
    #[command(flatten)]
    place: Place,
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
}

#[derive(Args)]
struct ListArgs {
    login: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// `500 MB`, `5 GB`, `5GB`: decimal, as the policy has them.
fn octets(text: &str) -> Result<u64, String> {
    let bad = || format!("{text} is no size: give 500 MB or 5 GB");
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
    let number: u64 = text[..at].parse().map_err(|_| bad())?;
    let unit = match text[at..].trim() {
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return Err(bad()),
    };
    number.checked_mul(unit).ok_or_else(bad)
}

pub fn run(args: &QuotaArgs) -> Result<Exit, Exit> {
    match &args.command {
        QuotaCommand::Grant(args) => grant(args),
        QuotaCommand::End(args) => end(args),
        QuotaCommand::List(args) => list(args),
    }
}

fn grant(args: &GrantArgs) -> Result<Exit, Exit> {
    let (login, because, until) = (args.login.clone(), args.because.clone(), args.until.clone());
    let (approver, by) = (Some(args.approver.clone()), args.by.clone());
    let request = GrantQuota { login, octets: args.size, because, approver, until, by };
    say(args.place.format, &ask(&args.place, "quota", request)?);
    Ok(Exit::Fine)
}

fn end(args: &EndArgs) -> Result<Exit, Exit> {
    if ask(&args.place, "quota", EndQuota { login: args.login.clone(), by: args.by.clone() })? {
        return Ok(Exit::Fine);
    }
    Err(failed(args.place.format, &format!("{} was given nothing", args.login), Exit::DifferencesFound))
}

fn list(args: &ListArgs) -> Result<Exit, Exit> {
    let all = ask(&args.place, "quota", ListQuotas { login: args.login.clone() })?;
    all.iter().for_each(|one| say(args.place.format, one));
    Ok(Exit::Fine)
}

fn say(format: Format, one: &ListedQuota) {
    if format == Format::Json {
        return say_json("quota", one);
    }
    let grant = &one.grant;
    let ended = if one.holds { "" } else { "  ENDED" };
    say!("{:<20} {:>10} until {}  [{}]{ended}", one.login, super::size(grant.octets), grant.until, one.rule);
    say!("{:<20} approved by {}: {}", "", grant.approver, grant.because);
}

#[cfg(test)]
mod tests {
    use super::octets;

    #[test]
    fn sizes_are_decimal_and_have_a_unit() {
        for (text, expected) in [
            ("500 MB", Some(500_000_000)),
            ("5GB", Some(5_000_000_000)),
            ("1 TB", Some(1_000_000_000_000)),
            ("5", None),
            ("-5 GB", None),
            ("5 GiB", None),
            ("99999999999999999999 GB", None),
            ("99999999999 TB", None),
            ("", None),
        ] {
            assert_eq!(octets(text).ok(), expected, "{text}");
        }
    }
}
