//! The one style sheet. Its address holds its hash, so that browsers may keep it for ever.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Route;

const CSS: &str = include_str!("style.css");
const ROUTE: &str = "/style/{hash}";

/// Where it is.
pub(super) static PATH: LazyLock<String> =
    LazyLock::new(|| format!("/style/{}.css", &blake3::hash(CSS.as_bytes()).to_hex()[..16]));

pub(super) fn routes() -> Vec<Route> {
    vec![(ROUTE, get(style))]
}

/// It answers under every hash: a page of an older server finds its style.
async fn style() -> Response {
    let kept = "public, max-age=31536000, immutable";
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, kept)], CSS).into_response()
}
