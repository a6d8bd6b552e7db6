//! What runs, for programs: the file of `--describe`.

use std::path::Path;

use plan::{ListenerAuth, Speaks, TlsMode};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Published and additive only.
#[derive(Serialize)]
pub struct Description {
    pub schema: u32,
    pub pid: u32,
    /// Short hash of the plan that is served.
    pub plan: String,
    pub domain: String,
    pub data: String,
    pub metrics: String,
    pub control: String,
    /// The control channel for other machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// PEM file of the certificate every listener shows.
    pub ca: String,
    pub listeners: Ordered<ListenerView>,
    /// In the order of N in 127.N.0.0/16.
    pub networks: Ordered<NetworkView>,
    pub people: Vec<PersonView>,
    /// URL of the portal as each network that reaches it sees it.
    pub portal: Ordered<String>,
}

#[derive(Serialize)]
pub struct ListenerView {
    pub addr: String,
    pub host: String,
    pub speaks: Speaks,
    /// `StartTls`, `Implicit` or `None`.
    pub tls: &'static str,
    pub auth: ListenerAuth,
}

#[derive(Serialize)]
pub struct NetworkView {
    pub source: String,
    pub seen_as: String,
}

#[derive(Clone, Serialize)]
pub struct PersonView {
    pub login: String,
    pub address: String,
    pub password: String,
    pub profile: String,
}

/// A JSON object whose keys keep their order.
pub struct Ordered<T>(pub Vec<(String, T)>);

impl<T: Serialize> Serialize for Ordered<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// The word for a listener's TLS.
pub fn tls_word(mode: TlsMode) -> &'static str {
    match mode {
        TlsMode::None => "None",
        TlsMode::Offered | TlsMode::Required => "StartTls",
        TlsMode::Implicit => "Implicit",
    }
}

/// Writes the file under a temporary name and renames it.
pub fn write(description: &Description, path: &Path) -> std::io::Result<()> {
    let mut text = serde_json::to_string(description).map_err(std::io::Error::other)?;
    text.push('\n');
    crate::files::write_whole(path, &text)
}
