//! One request over HTTPS to a server of the world, its certificate verified; redirects are not followed.

use std::sync::Arc;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::http::response::Parts;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::assure::{Assurance, Because};
use super::{World, certificate};
use crate::service::Service;
use crate::site::Site;

/// How others are reached from here.
#[derive(Clone, Copy)]
pub struct Reach<'a> {
    pub world: &'a World,
    pub site: &'a Site,
}

impl<'a> From<&'a Service> for Reach<'a> {
    fn from(service: &'a Service) -> Reach<'a> {
        Reach { world: &service.world, site: &service.site }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The certificate is not one for this name that we believe.
    Certificate,
    /// No connection, no HTTP, or too long.
    Trouble,
}

/// Sends `request`, whose URI is a path, to `host:port`; at most `octets_max` of the body are taken.
pub async fn ask(
    reach: Reach<'_>,
    host: &str,
    port: u16,
    request: hyper::http::request::Builder,
    body: Bytes,
    octets_max: usize,
) -> Result<(Parts, Bytes), NoAnswer> {
    let stream = reach.world.connect_by_name(reach.site, host, port).await.map_err(|_| NoAnswer::Trouble)?;
    let assurance = Assurance::Verified(Because::MtaSts);
    let (config, judge) = certificate::config(&reach.world.roots, &assurance, None).map_err(|_| NoAnswer::Trouble)?;
    let name = ServerName::try_from(host.to_owned()).map_err(|_| NoAnswer::Certificate)?;
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let stream = connected.map_err(|_| match judge.verdict() {
        Err(_) => NoAnswer::Certificate,
        Ok(()) => NoAnswer::Trouble,
    })?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|_| NoAnswer::Trouble)?;
    // RFC 9110 7.2: the port is named where it is not the usual one.
    let authority = if port == 443 { host.to_owned() } else { format!("{host}:{port}") };
    let asking = async {
        let request = request.header(header::HOST, authority).body(Full::new(body)).map_err(|_| NoAnswer::Trouble)?;
        let request: Request<Full<Bytes>> = request;
        let (parts, body) = sender.send_request(request).await.map_err(|_| NoAnswer::Trouble)?.into_parts();
        let body = Limited::new(body, octets_max).collect().await.map_err(|_| NoAnswer::Trouble)?;
        Ok((parts, body.to_bytes()))
    };
    tokio::pin!(connection);
    tokio::pin!(asking);
    tokio::select! {
        answer = &mut asking => answer,
        // The server has said all it will say: the answer is whole, or there is none.
        _ = &mut connection => asking.await,
    }
}
