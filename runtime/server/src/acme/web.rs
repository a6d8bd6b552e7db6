//! The HTTPS of the ACME client: over the connections and under the roots everything else asks the world with.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Bytes;
use hyper::{Request, Response};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};

use crate::service::Service;
use crate::world::web::{self, NoAnswer};

/// A chain is the longest answer.
const ANSWER_OCTETS_MAX: usize = 256 * 1024;
const ANSWER_MAX: Duration = Duration::from_secs(30);

pub(super) struct Web(pub Arc<Service>);

type Answer = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;

impl HttpClient for Web {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Answer {
        let service = self.0.clone();
        Box::pin(async move {
            match tokio::time::timeout(ANSWER_MAX, asked(&service, request)).await {
                Ok(answer) => answer,
                Err(_) => Err(trouble(format!("no answer in {} s", ANSWER_MAX.as_secs()))),
            }
        })
    }
}

async fn asked(service: &Service, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
    let (parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(never) => match never {},
    };
    // Every URL but the first is the authority's: none leads elsewhere than to a host that shows its certificate.
    let (true, Some(host)) = (parts.uri.scheme_str() == Some("https"), parts.uri.host()) else {
        return Err(trouble(format!("{} is no https URL", parts.uri)));
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut asking = Request::builder().method(parts.method).uri(path);
    for (name, value) in &parts.headers {
        asking = asking.header(name, value);
    }
    let port = parts.uri.port_u16().unwrap_or(443);
    match web::ask(service, host, port, asking, body, ANSWER_OCTETS_MAX).await {
        Ok((parts, body)) => Ok(BytesResponse::from(Response::from_parts(parts, BodyWrapper::from(body.to_vec())))),
        Err(NoAnswer::Certificate) => Err(trouble(format!("{host} shows no certificate for its name that we believe"))),
        Err(NoAnswer::Trouble) => Err(trouble(format!("{host}:{port} does not answer"))),
    }
}

fn trouble(why: String) -> Error {
    Error::Other(why.into())
}
