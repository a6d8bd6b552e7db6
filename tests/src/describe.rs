//! What `facteur try --describe FILE` says about the running server, schema 1.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

/// The whole description; fields that came later are ignored, for the schema is additive.
#[derive(Clone, Debug, Deserialize)]
pub struct Describe {
    pub schema: u32,
    pub pid: u32,
    /// The first 40 bits of the plan's hash, as replies show them.
    pub plan: String,
    pub domain: String,
    pub data: PathBuf,
    /// `http://host:port/…`
    pub metrics: String,
    pub control: PathBuf,
    /// The control channel for other machines.
    #[serde(default)]
    pub remote: Option<SocketAddr>,
    /// The certificate clients must trust, PEM.
    pub ca: PathBuf,
    pub listeners: BTreeMap<String, Listener>,
    pub networks: BTreeMap<String, Network>,
    pub people: Vec<Person>,
    /// URL of the portal for each network that reaches it.
    #[serde(default)]
    pub portal: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Listener {
    pub addr: SocketAddr,
    /// The name clients use.
    #[serde(default)]
    pub host: String,
    pub speaks: String,
    pub tls: Tls,
    pub auth: Auth,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Tls {
    None,
    StartTls,
    Implicit,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Auth {
    Never,
    Required,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Network {
    /// Bind this address to be in the network.
    pub source: Ipv4Addr,
    pub seen_as: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Person {
    pub login: String,
    pub address: String,
    pub password: String,
    pub profile: String,
}

impl Describe {
    #[track_caller]
    pub fn listener(&self, name: &str) -> &Listener {
        self.listeners.get(name).unwrap_or_else(|| panic!("no listener `{name}` in {:?}", self.listeners.keys()))
    }

    #[track_caller]
    pub fn network(&self, name: &str) -> &Network {
        self.networks.get(name).unwrap_or_else(|| panic!("no network `{name}` in {:?}", self.networks.keys()))
    }

    #[track_caller]
    pub fn person(&self, login: &str) -> &Person {
        let found = self.people.iter().find(|person| person.login == login);
        found.unwrap_or_else(|| panic!("nobody with the login `{login}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_schema_is_read() {
        let text = r#"{"schema":1,"pid":7,"plan":"q7k3m2xw","domain":"univ-nantes.fr","data":"/d","metrics":"http://127.0.0.1:9/metrics",
            "control":"/d/control.sock","ca":"/d/cert.pem",
            "listeners":{"mx":{"addr":"127.0.0.1:24000","speaks":"Smtp","tls":"StartTls","auth":"Never"}},
            "networks":{"outside":{"source":"127.4.0.1","seen_as":"198.18.4.7"}},
            "people":[{"login":"toto-j","address":"Jean.Toto@univ-nantes.fr","password":"x","profile":"standard"}]}"#;
        let describe: Describe = serde_json::from_str(text).expect("the schema of the issue");
        assert_eq!(describe.listener("mx").tls, Tls::StartTls);
        assert_eq!(describe.network("outside").source, Ipv4Addr::new(127, 4, 0, 1));
        assert_eq!(describe.person("toto-j").profile, "standard");
    }
}
