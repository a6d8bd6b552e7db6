//! `facteur dns`: what the DNS zones of our domains should hold for the policy to be true outside.

use std::path::{Path, PathBuf};

use clap::Args;
use decide::Tables;
use plan::Plan;
use serde_json::json;
use server::operate::client::ClientError;
use server::operate::{SigningKeys, signing_domains};
use server::zone::{self, Place, Zone};
use server::{Site, World};

use super::exit_of;
use super::live::called;
use super::side::Side;
use crate::Exit;
use crate::cli::Format;
use crate::site_file;

#[derive(Args)]
pub struct DnsArgs {
    /// A policy file, a folder with policy.ron, or a plan (NAME.plan.ron)
    pub policy: PathBuf,
    #[command(flatten)]
    pub place: Where,
    /// Only this domain
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

/// Where the plan runs.
#[derive(Args)]
pub struct Where {
    /// The facts of the machine, site.ron: addresses, certificates and the data folder with the keys
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// The data folder with the keys, where no site is known
    #[arg(long, value_name = "FOLDER", conflicts_with = "site")]
    data: Option<PathBuf>,
}

/// A plan and what is known of its place.
pub struct Known {
    pub tables: Tables,
    pub site: Option<Site>,
    pub place: Place,
}

impl Known {
    pub fn world(&self) -> World {
        self.site.as_ref().map(|site| site.world.clone()).unwrap_or_default()
    }

    pub fn zones(&self) -> Vec<Zone> {
        zone::implied(self.tables.plan(), &self.place)
    }
}

impl Where {
    /// Brings together what is known. What goes wrong is said.
    pub fn known(&self, plan: Plan) -> Result<Known, Exit> {
        let trouble = |error: &dyn std::fmt::Display| {
            eprintln!("facteur: {error}");
            Exit::Trouble
        };
        let domains = signing_domains(&plan);
        let tables = Tables::new(plan).map_err(|error| trouble(&error))?;
        let site = match &self.site {
            Some(path) => Some(site_file::read(path, Some(&tables)).map_err(|error| trouble(&error))?),
            None => None,
        };
        let mut place = site.as_ref().map(Place::of).unwrap_or_default();
        let data = site.as_ref().map(|site| site.data.as_path()).or(self.data.as_deref());
        place.keys = match data.map(|data: &Path| called(data, SigningKeys { domains })) {
            Some(Ok(keys)) => Some(keys),
            // Nothing has run there yet: no keys are there, and the zone says so.
            Some(Err(ClientError::NoStore { .. })) => Some(Default::default()),
            Some(Err(error)) => return Err(trouble(&error)),
            None => None,
        };
        Ok(Known { tables, site, place })
    }
}

/// The plan behind a path. What is wrong is said.
pub fn plan_of(path: &Path, format: Format) -> Result<(Plan, Exit), Exit> {
    let side = Side::load(path, format)?;
    let (plan, _) = plan::read(&side.text).map_err(|error| {
        eprintln!("facteur: {}: {error}", path.display());
        Exit::Trouble
    })?;
    Ok((plan, side.compiled.as_ref().map_or(Exit::Fine, exit_of)))
}

pub fn run(args: &DnsArgs) -> Exit {
    match shown(args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn shown(args: &DnsArgs) -> Result<Exit, Exit> {
    let (plan, exit) = plan_of(&args.policy, args.format)?;
    let mut zones = args.place.known(plan)?.zones();
    if let Some(domain) = &args.domain {
        zones.retain(|zone| zone.domain == *domain);
        if zones.is_empty() {
            eprintln!("facteur: the policy has no domain {domain}");
            return Err(Exit::Trouble);
        }
    }
    match args.format {
        Format::Human => say!("{}", zone::written(&zones).trim_end()),
        Format::Json => zones.iter().for_each(say_zone),
    }
    Ok(exit)
}

/// A line for each record, note and policy.
fn say_zone(zone: &Zone) {
    let domain = &zone.domain;
    for record in &zone.records {
        let (kind, data) = (record.data.kind().to_string(), record.data.to_string());
        let (name, ttl, why) = (&record.name, zone::TTL_S, &record.why);
        say!(
            "{}",
            json!({"schema": 1, "kind": "dns_record", "domain": domain, "name": name, "ttl": ttl, "type": kind, "data": data, "why": why})
        );
    }
    for note in &zone.notes {
        say!("{}", json!({"schema": 1, "kind": "dns_note", "domain": domain, "note": note}));
    }
    if let Some(policy) = &zone.mta_sts {
        say!("{}", json!({"schema": 1, "kind": "mta_sts_policy", "domain": domain, "text": policy}));
    }
}
