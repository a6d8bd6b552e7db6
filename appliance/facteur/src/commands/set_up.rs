//! `facteur autodiscover` and `facteur mobileconfig`: what Outlook and Apple's Mail take an account from.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use mail::Address;
use pages::{Holder, NoAutoconfig};
use server::CertificateFrom;

use super::autoconfig::{login_of, told};
use super::dns::Where;
use super::{ready, unix_s};
use crate::Exit;

#[derive(Args)]
pub struct AutodiscoverArgs {
    /// A policy file, or a folder with policy.ron
    pub policy: PathBuf,
    /// The address that Outlook asks for; the answer is the same whether or not it is anybody's
    #[arg(long)]
    pub address: Address,
}

#[derive(Args)]
pub struct MobileconfigArgs {
    /// A policy file, or a folder with policy.ron and people.ron
    pub policy: PathBuf,
    /// For the person with this address
    #[arg(long)]
    pub address: Address,
    /// With a site, the profile is signed by the portal's certificate
    #[command(flatten)]
    place: Where,
}

pub fn autodiscover(args: &AutodiscoverArgs) -> Exit {
    let answer = ready(&args.policy, false).and_then(|ready| {
        pages::autodiscover(&ready.sealed.plan, &args.address)
            .map_err(|why| trouble("autodiscover", why, &args.address))
    });
    match answer {
        Ok(text) => {
            say!("{}", text.trim_end());
            Exit::Fine
        }
        Err(exit) => exit,
    }
}

pub fn mobileconfig(args: &MobileconfigArgs) -> Exit {
    match profile(args) {
        Ok(octets) => match std::io::stdout().write_all(&octets) {
            Ok(()) => Exit::Fine,
            Err(error) => {
                eprintln!("facteur mobileconfig: {error}");
                Exit::Trouble
            }
        },
        Err(exit) => exit,
    }
}

fn profile(args: &MobileconfigArgs) -> Result<Vec<u8>, Exit> {
    let ready = ready(&args.policy, false)?;
    let people = ready.people.as_ref();
    let Some(login) = people.and_then(|people| login_of(people, &args.address)) else {
        eprintln!("facteur mobileconfig: nobody here has the address {}", args.address);
        return Err(Exit::Trouble);
    };
    let person = people.and_then(|people| people.people.iter().find(|person| person.login.as_str() == login));
    let name = person.map(|person| format!("{} {}", person.first, person.last)).unwrap_or_default();
    let holder = Holder { address: args.address.clone(), login: login.to_owned(), name };
    let known = args.place.known(ready.sealed.plan)?;
    let from = known.site.as_ref().map(|site| site.certificates.of("portal"));
    // Of others the key is sealed in the store: the portal signs with it.
    let given = from.and_then(|from| match from {
        CertificateFrom::Given(given) => Some(given),
        CertificateFrom::SelfSigned | CertificateFrom::Acme(_) => None,
    });
    server::profile(known.tables.plan(), given, &holder, unix_s())
        .map_err(|why| trouble("mobileconfig", why, &args.address))
}

fn trouble(command: &str, why: NoAutoconfig, address: &Address) -> Exit {
    eprintln!("facteur {command}: {}", told(why, address.domain().as_str()));
    Exit::Trouble
}
