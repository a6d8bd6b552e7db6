//! Certificates we sign ourselves.

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};

use super::kept::Kept;

/// Apple's programs believe none that lasts longer, even when they are told to.
const DAYS: i64 = 825;
const DAY_S: i64 = 86_400;

/// A new key, PEM.
pub(crate) fn new_key() -> Result<String, rcgen::Error> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?.serialize_pem())
}

/// One for `hosts`, from the day before `now_s`, Unix seconds, so that clocks may differ.
pub(super) fn self_signed(hosts: &[String], now_s: i64) -> Result<Kept, rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let named = if hosts.is_empty() { vec!["localhost".to_owned()] } else { hosts.to_vec() };
    let mut params = CertificateParams::new(named.clone())?;
    params.distinguished_name.push(DnType::CommonName, named[0].as_str());
    if let (Some((year, month, at)), Some((until_year, until_month, until_at))) =
        (day(now_s - DAY_S), day(now_s + DAYS * DAY_S))
    {
        params.not_before = date_time_ymd(year, month, at);
        params.not_after = date_time_ymd(until_year, until_month, until_at);
    }
    let made = params.self_signed(&key)?;
    Ok(Kept { hosts: hosts.to_vec(), chain: made.pem(), key: key.serialize_pem(), directory: String::new() })
}

/// The day of a moment, in UTC. A certificate starts and ends at midnight.
fn day(at_s: i64) -> Option<(i32, u8, u8)> {
    let day = jiff::Timestamp::from_second(at_s).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date();
    Some((i32::from(day.year()), u8::try_from(day.month()).ok()?, u8::try_from(day.day()).ok()?))
}
