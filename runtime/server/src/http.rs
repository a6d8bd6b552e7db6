//! The small pages for machines: `/metrics`, `/healthz`, and `/status` on the control socket (`operate::door`). HTTP/1.1
//! over hyper, a bounded number of connections, nothing read but the request line and its header.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::service::{Service, stopped};

const CONNECTIONS_MAX: usize = 64;
pub(crate) const HEADER_MAX: Duration = Duration::from_secs(10);
/// A connection is closed after this, busy or not.
const CONNECTION_MAX: Duration = Duration::from_secs(60);
pub(crate) const HEADER_OCTETS_MAX: usize = 16 * 1024;

/// Which pages a socket shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Public,
    Control,
}

/// Serves `/metrics` and `/healthz` until the server stops.
pub async fn serve_public(service: Arc<Service>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut stop = service.stop.clone();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.map(|(stream, _)| stream),
            () = stopped(&mut stop) => return,
        };
        match stream {
            Ok(stream) => spawn(service.current(), stream, &places),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// One connection; past the bound it is closed unheard.
fn spawn(service: Arc<Service>, stream: TcpStream, places: &Arc<Semaphore>) {
    let Ok(place) = places.clone().try_acquire_owned() else { return };
    tokio::spawn(async move {
        let answer = service_fn(|request| {
            let response = respond(&service, &request, Door::Public);
            async move { Ok::<_, Infallible>(response) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADER_MAX).max_buf_size(HEADER_OCTETS_MAX);
        let connection = http.serve_connection(TokioIo::new(stream), answer);
        let _ = tokio::time::timeout(CONNECTION_MAX, connection).await;
        drop(place);
    });
}

pub(crate) fn respond(service: &Service, request: &Request<Incoming>, door: Door) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return page(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "GET only\n".to_owned());
    }
    match (request.uri().path(), door) {
        ("/metrics", _) => {
            let store = &service.store;
            crate::keys::count(store, &service.metrics);
            service.metrics.store_read_only.set(i64::from(store.is_read_only()));
            service
                .metrics
                .store_free
                .set(store.free_bytes().and_then(|octets| i64::try_from(octets).ok()).unwrap_or(0));
            let waiting = i64::try_from(service.passwords.waiting()).unwrap_or(i64::MAX);
            service.metrics.logins_waiting.set(waiting);
            let kept = i64::try_from(service.passwords.kept()).unwrap_or(i64::MAX);
            service.metrics.logins_kept.set(kept);
            let page_text = service.metrics.page(&service.store.metrics().now());
            page(StatusCode::OK, "text/plain; version=0.0.4", page_text)
        }
        ("/healthz", _) => match service.trouble() {
            None => page(StatusCode::OK, "text/plain", format!("ok\n{}", service.detail())),
            Some(trouble) => page(StatusCode::SERVICE_UNAVAILABLE, "text/plain", format!("{trouble}\n")),
        },
        ("/status", Door::Control) => page(StatusCode::OK, "application/json", crate::control::status(service)),
        (_, Door::Public | Door::Control) => page(StatusCode::NOT_FOUND, "text/plain", "no such page\n".to_owned()),
    }
}

fn page(status: StatusCode, content_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let value = hyper::header::HeaderValue::from_static(content_type);
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, value);
    response
}
