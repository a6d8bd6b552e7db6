//! The list of parts, CycloneDX 1.6: each Debian package of the image, and each crate the program is linked from.

use serde_json::{Value, json};

use crate::description::Description;
use crate::fault::{Fault, Result};
use crate::lock::Lock;

/// Crates, as the build noted them.
const CRATES: &str = include_str!(concat!(env!("OUT_DIR"), "/crates.json"));

/// The document; the same text for the same parts.
pub fn document(description: &Description, lock: &Lock) -> Result<String> {
    let mut parts: Vec<Value> = lock.0.values().map(debian).collect();
    let crates: Vec<Value> = serde_json::from_str(CRATES).map_err(|error| Fault(error.to_string()))?;
    parts.extend(crates.iter().map(linked));
    // The serial number is a UUID of the contents (RFC 9562, version 8): no chance, and none twice.
    let digest = blake3::hash(Value::Array(parts.clone()).to_string().as_bytes());
    let mut octets = [0; 16];
    octets.copy_from_slice(&digest.as_bytes()[..16]);
    octets[6] = octets[6] & 0x0f | 0x80;
    octets[8] = octets[8] & 0x3f | 0x80;
    let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let serial = format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    let version = &description.version;
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial,
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "component": {"type": "operating-system", "bom-ref": "facteur-image", "name": "facteur-image", "version": version},
        },
        "components": parts,
    });
    serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(|error| Fault(error.to_string()))
}

fn debian(package: &crate::lock::Package) -> Value {
    // Package URL, type deb: what is not allowed as it is stands as %XX.
    let escaped = |text: &str| text.replace('%', "%25").replace('+', "%2B").replace(':', "%3A");
    let url = format!(
        "pkg:deb/debian/{}@{}?arch={}",
        escaped(&package.name),
        escaped(&package.version),
        package.architecture
    );
    json!({
        "type": "library", "bom-ref": url, "name": package.name, "version": package.version, "purl": url,
        "hashes": [{"alg": "SHA-256", "content": package.sha256}],
    })
}

fn linked(package: &Value) -> Value {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    let url = format!("pkg:cargo/{}@{}", text("name"), text("version").replace('+', "%2B"));
    let mut part = json!({
        "type": "library", "bom-ref": url, "name": text("name"), "version": text("version"), "purl": url,
    });
    if !text("licence").is_empty() {
        // Old manifests write `/` for OR.
        part["licenses"] = json!([{"expression": text("licence").replace('/', " OR ")}]);
    }
    if !text("sha256").is_empty() {
        part["hashes"] = json!([{"alg": "SHA-256", "content": text("sha256")}]);
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Package;

    #[test]
    fn packages_and_crates_are_listed_with_their_digests() {
        let description = Description::parse(include_str!("../image.ron")).expect("our own description");
        let package = Package {
            name: "libstdc++6".into(),
            version: "1:14.2".into(),
            architecture: "amd64".into(),
            sha256: "ab".repeat(32),
        };
        let lock = Lock::new([package]);
        let text = document(&description, &lock).expect("a document");
        assert_eq!(document(&description, &lock), Ok(text.clone()));
        let document: Value = serde_json::from_str(&text).expect("JSON");
        let parts = document["components"].as_array().expect("a list");
        assert_eq!(parts[0]["purl"], "pkg:deb/debian/libstdc%2B%2B6@1%3A14.2?arch=amd64");
        let named = |name: &str| parts.iter().find(|part| part["name"] == name);
        assert_eq!(named("rustls").expect("is linked")["hashes"][0]["alg"], "SHA-256");
        assert!(named("facteur").is_some() && named("server").is_some());
        // Of tests alone.
        assert!(named("insta").is_none() && named("divan").is_none());
    }
}
