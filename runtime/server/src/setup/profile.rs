//! The signed profile of an account.

use pages::{Holder, NoAutoconfig};
use plan::Plan;
use ring::digest::{SHA256, digest};

use super::cms;
use crate::site::Certificate;

/// The profile of an account (`pages::mobileconfig`) under the `certificate` of the portal, signed at `at_s`, Unix seconds. Where
/// its key cannot sign, the profile is as good and says that nobody vouches for it.
pub fn profile(
    plan: &Plan,
    certificate: Option<&Certificate>,
    holder: &Holder,
    at_s: i64,
) -> Result<Vec<u8>, NoAutoconfig> {
    let text = pages::mobileconfig(plan, holder, &ids(plan.institution.domain.as_str(), &holder.address.folded()))?;
    let Some(certificate) = certificate else { return Ok(text.into_bytes()) };
    Ok(cms::signed(text.as_bytes(), certificate, at_s).unwrap_or_else(|why| {
        tracing::warn!("a profile is not signed: {why}");
        text.into_bytes()
    }))
}

/// Two UUIDs of version 8 (RFC 9562 5.8), made of the institution and the account.
pub(super) fn ids(domain: &str, account: &str) -> [String; 2] {
    ["profile", "account"].map(|part| {
        let hash = digest(&SHA256, format!("{domain}\0{account}\0{part}").as_bytes());
        let mut octets = [0; 16];
        octets.iter_mut().zip(hash.as_ref()).for_each(|(octet, from)| *octet = *from);
        octets[6] = octets[6] & 0x0f | 0x80;
        octets[8] = octets[8] & 0x3f | 0x80;
        let digits: String = octets.iter().map(|octet| format!("{octet:02X}")).collect();
        [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
    })
}
