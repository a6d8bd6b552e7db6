//! `facteur audit`: who did what.

use clap::Args;
use server::operate::{AuditEntry, ReadAudit};

use super::{Place, ask, failed, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct AuditArgs {
    #[command(flatten)]
    place: Place,
    /// Only what names this login, address or id
    #[arg(long, value_name = "LOGIN")]
    about: Option<String>,
    /// Only what this login did
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
    /// Only from this day on, in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<jiff::civil::Date>,
    /// The newest so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

pub fn run(args: &AuditArgs) -> Exit {
    read(args).unwrap_or_else(|exit| exit)
}

fn read(args: &AuditArgs) -> Result<Exit, Exit> {
    let format = args.place.format;
    let since_s = match args.since.map(|day| day.to_zoned(jiff::tz::TimeZone::UTC)) {
        Some(Ok(start)) => Some(start.timestamp().as_second()),
        Some(Err(error)) => return Err(failed(format, &error.to_string(), Exit::Trouble)),
        None => None,
    };
    let (mut before_id, mut said) = (None, 0);
    loop {
        let (about, by) = (args.about.clone(), args.by.clone());
        let limit = args.limit - said;
        let page = ask(&args.place, "audit", ReadAudit { about, by, since_s, before_id, limit })?;
        page.entries.iter().for_each(|entry| say(format, entry));
        said += page.entries.len();
        before_id = page.before_id;
        if before_id.is_none() || said >= args.limit {
            return Ok(Exit::Fine);
        }
    }
}

fn say(format: Format, entry: &AuditEntry) {
    if format == Format::Json {
        return say_json("audit", entry);
    }
    let at = jiff::Timestamp::from_second(entry.at_s).map(|at| at.to_string()).unwrap_or_default();
    say!("{at}  {}: {}", entry.who, entry.what);
}
