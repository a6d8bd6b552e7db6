//! `facteur doctor`: is everything around the server as the policy needs it? Without a policy the machine and the data
//! folder are looked at, while the server works.

mod bundle;
mod here;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use server::zone::{self, Finding, Lookup, Standing};

use self::bundle::BundleArgs;
use super::dns::{Known, Where, plan_of};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DoctorArgs {
    #[command(subcommand)]
    command: Option<DoctorCommand>,
    /// A policy file, a folder with policy.ron, or a plan (NAME.plan.ron); without one the machine is looked at
    #[arg(required_if_eq("online", "true"))]
    policy: Option<PathBuf>,
    #[command(flatten)]
    place: Where,
    /// Ask DNS, and connect to what the policy names; else only what is on this machine is looked at
    #[arg(long)]
    online: bool,
    /// Say what is well, too
    #[arg(long)]
    all: bool,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Subcommand)]
enum DoctorCommand {
    /// Write logs, plan, metrics and facts of the machine into a tar archive for whoever helps; no mail, no addresses, no secrets
    Bundle(BundleArgs),
}

pub fn run(args: &DoctorArgs) -> Exit {
    if let Some(DoctorCommand::Bundle(args)) = &args.command {
        return bundle::run(args);
    }
    match looked(args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn looked(args: &DoctorArgs) -> Result<Exit, Exit> {
    let Some(policy) = &args.policy else {
        let data = args.place.data_folder().map_err(|error| crate::serving::trouble(error.as_ref()))?;
        return Ok(told(&here::findings(&data), args));
    };
    let (plan, _) = plan_of(policy, args.format)?;
    let known = args.place.known(plan)?;
    let mut findings = zone::set_up_files(known.tables.plan());
    if let Some(site) = &known.site {
        findings.extend(zone::certificates(known.tables.plan(), site));
        findings.extend(zone::portal_certificate(known.tables.plan(), site));
    }
    if args.online {
        let trouble = |error: &dyn std::fmt::Display| {
            eprintln!("facteur: {error}");
            Exit::Trouble
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| trouble(&error))?;
        findings.extend(runtime.block_on(outside(&known)).map_err(|error| trouble(&error))?);
    }
    Ok(told(&findings, args))
}

fn told(findings: &[Finding], args: &DoctorArgs) -> Exit {
    findings
        .iter()
        .filter(|finding| args.all || finding.standing != Standing::Ok)
        .for_each(|finding| say(finding, args));
    let bad = findings.iter().filter(|finding| finding.standing != Standing::Ok).count();
    if args.format == Format::Human {
        say!("{} checks, {bad} to look at", findings.len());
    }
    if bad == 0 { Exit::Fine } else { Exit::Trouble }
}

async fn outside(known: &Known) -> Result<Vec<Finding>, zone::LookupError> {
    let lookup = Lookup::new(&known.world())?;
    let mut findings = zone::compared_with_dns(&lookup, &known.zones()).await;
    findings.extend(zone::reverse_names(&lookup, &known.place).await);
    if let Some(site) = &known.site {
        findings.extend(zone::connections(known.tables.plan(), site).await);
        findings.extend(server::directory_servers(&known.tables, site).await);
        findings.extend(server::sign_in_servers(&known.tables, site).await);
        findings.extend(zone::set_up_hosts(known.tables.plan(), site, &lookup).await);
    }
    Ok(findings)
}

fn say(finding: &Finding, args: &DoctorArgs) {
    match args.format {
        Format::Human => say!("{}", here::line(finding)),
        Format::Json => {
            let mut line = json!({"schema": 1, "kind": "doctor_finding"});
            if let (Value::Object(line), Ok(Value::Object(fields))) = (&mut line, serde_json::to_value(finding)) {
                line.extend(fields);
            }
            say!("{line}");
        }
    }
}
