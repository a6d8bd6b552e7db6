//! What the address of a page says: a part of its path, and what stands behind the question mark. One that cannot be read is
//! answered by a page, as all else is.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::words::Problem;
use super::{Portal, Visit, page, words};

/// The fields behind the question mark.
pub(crate) struct Query<T>(pub T);

/// The part of the path a route leaves open.
pub(crate) struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Portal>> for Query<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, portal: &Arc<Portal>) -> Result<Query<T>, Response> {
        match axum::extract::Query::<T>::from_request_parts(parts, portal).await {
            Ok(axum::extract::Query(fields)) => Ok(Query(fields)),
            Err(_) => Err(told(parts, StatusCode::BAD_REQUEST, words::BAD_LINK)),
        }
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Portal>> for Path<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, portal: &Arc<Portal>) -> Result<Path<T>, Response> {
        match axum::extract::Path::<T>::from_request_parts(parts, portal).await {
            Ok(axum::extract::Path(open)) => Ok(Path(open)),
            Err(_) => Err(told(parts, StatusCode::NOT_FOUND, words::NO_SUCH_PAGE)),
        }
    }
}

fn told(parts: &Parts, code: StatusCode, problem: Problem) -> Response {
    // INVARIANT (one-gate): the gate put it there.
    let visit = parts.extensions.get::<Visit>();
    visit.map_or_else(|| code.into_response(), |visit| page::problem(visit, code, problem))
}
