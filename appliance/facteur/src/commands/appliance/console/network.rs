//! The address of this machine as files of systemd-networkd. Nothing else is ever written.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// What somebody wants of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Dhcp { interface: String },
    Static { interface: String, fixed: Static },
}

/// A fixed address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Static {
    address: IpAddr,
    prefix: u8,
    gateway: IpAddr,
    servers: Vec<IpAddr>,
}

const SERVERS_MAX: usize = 4;

impl Static {
    /// `192.0.2.10/24` with its gateway and name servers.
    pub fn read(address: &str, gateway: &str, servers: &str) -> Result<Static, String> {
        let (address, prefix) = Static::address(address)?;
        let one = |text: &str| text.parse::<IpAddr>().map_err(|_| format!("`{text}` is no address"));
        let gateway = one(gateway)?;
        if gateway.is_ipv4() != address.is_ipv4() {
            return Err("the gateway is of another family than the address".to_owned());
        }
        let servers: Vec<IpAddr> = servers.split_whitespace().map(one).collect::<Result<_, _>>()?;
        if servers.is_empty() || servers.len() > SERVERS_MAX {
            return Err(format!("from 1 to {SERVERS_MAX} name servers"));
        }
        Ok(Static { address, prefix, gateway, servers })
    }

    pub fn address(text: &str) -> Result<(IpAddr, u8), String> {
        let read = || {
            let (address, prefix) = text.split_once('/')?;
            let (address, prefix): (IpAddr, u8) = (address.parse().ok()?, prefix.parse().ok()?);
            let longest = if address.is_ipv4() { 32 } else { 128 };
            let usable = !address.is_loopback() && !address.is_unspecified() && !address.is_multicast();
            ((1..=longest).contains(&prefix) && usable).then_some((address, prefix))
        };
        read().ok_or_else(|| format!("`{text}` is no address with a prefix, as 192.0.2.10/24"))
    }
}

impl Wanted {
    pub fn interface(&self) -> &str {
        match self {
            Wanted::Dhcp { interface } | Wanted::Static { interface, .. } => interface,
        }
    }

    /// The file of an interface in `folder`. `None` for a name the kernel would not give.
    pub fn file(&self, folder: &Path) -> Option<PathBuf> {
        let name = self.interface();
        let fits = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
        let is_name = !name.is_empty() && name.len() <= 15 && name.bytes().all(fits) && !name.starts_with('.');
        is_name.then(|| folder.join(format!("10-{name}.network")))
    }

    /// Its text (systemd.network(5)).
    pub fn text(&self) -> String {
        let head = format!("# Written at the console.\n[Match]\nName={}\n\n[Network]\n", self.interface());
        match self {
            Wanted::Dhcp { .. } => format!("{head}DHCP=yes\n"),
            Wanted::Static { fixed, .. } => {
                let servers: String = fixed.servers.iter().map(|server| format!("DNS={server}\n")).collect();
                format!("{head}Address={}/{}\nGateway={}\n{servers}", fixed.address, fixed.prefix, fixed.gateway)
            }
        }
    }
}
