//! Cookies (RFC 6265). Names begin with `__Host-`: the browser itself sees to it that they are of this host, secure and for
//! every path. No value a visitor chose is written into one.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Of who is signed in.
pub const SESSION: &str = "__Host-session";
/// Of forms of who is not.
pub const FORM: &str = "__Host-form";
/// Of who signs in elsewhere, until they are back.
pub const OUTING: &str = "__Host-outing";
/// `fr` or `en`.
pub const LANGUAGE: &str = "__Host-language";

/// A year, for what is no secret.
const LONG_S: u32 = 31_536_000;

/// A secret of a cookie.
pub type Id = [u8; 32];

/// The value of the first cookie of this name.
pub fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = pairs.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// An id of ours.
pub fn id(headers: &HeaderMap, name: &str) -> Option<Id> {
    URL_SAFE_NO_PAD.decode(value(headers, name)?).ok()?.try_into().ok()
}

/// A cookie that ends with the browser.
pub fn set(name: &str, id: &Id) -> HeaderValue {
    line(format!("{name}={}; Path=/; Secure; HttpOnly; SameSite=Strict", URL_SAFE_NO_PAD.encode(id)))
}

/// A cookie that comes along when another site leads back here, for `seconds`.
pub fn set_lax(name: &str, id: &Id, seconds: u64) -> HeaderValue {
    let value = URL_SAFE_NO_PAD.encode(id);
    line(format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}"))
}

pub fn clear(name: &str) -> HeaderValue {
    line(format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"))
}

pub fn language(word: &'static str) -> HeaderValue {
    line(format!("{LANGUAGE}={word}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={LONG_S}"))
}

fn line(text: String) -> HeaderValue {
    // INVARIANT: names, base64 and our own words are what a field may hold.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
