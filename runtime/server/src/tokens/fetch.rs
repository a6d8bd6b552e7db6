//! One GET over HTTPS, bounded in time and size: the keys of an issuer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::site::Site;

/// All of it takes at most this long.
const FETCH_MAX: Duration = Duration::from_secs(10);
const BODY_OCTETS_MAX: usize = 256 * 1024;

/// The body of an answer with status 200. No redirects: the plan names the place.
pub async fn get(site: &Site, url: &str) -> io::Result<Vec<u8>> {
    tokio::time::timeout(FETCH_MAX, fetched(site, url)).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

async fn fetched(site: &Site, url: &str) -> io::Result<Vec<u8>> {
    let uri: Uri = url.parse().map_err(|_| io::Error::other("no URL"))?;
    let host = uri.host().filter(|_| uri.scheme_str() == Some("https")).ok_or(io::Error::other("no https URL"))?;
    let port = uri.port_u16().unwrap_or(443);
    let stream = connect(site, host, port).await?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let stream = TlsConnector::from(Arc::new(tls(site)?)).connect(name, stream).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let target = uri.path_and_query().map_or("/", |it| it.as_str());
    let authority = uri.authority().map_or(host, |it| it.as_str());
    let request = Request::get(target).header("host", authority).header("accept", "application/json");
    let request = request.body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
    // It ends by itself once the answer is there; a body read half is the sender's to tell.
    let driving = tokio::spawn(connection);
    let answered = answered(&mut sender, request).await;
    driving.abort();
    answered
}

async fn answered(sender: &mut SendRequest<Empty<Bytes>>, request: Request<Empty<Bytes>>) -> io::Result<Vec<u8>> {
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    if answer.status() != 200 {
        return Err(io::Error::other(format!("status {}", answer.status())));
    }
    let body = Limited::new(answer.into_body(), BODY_OCTETS_MAX).collect().await.map_err(io::Error::other)?;
    Ok(body.to_bytes().to_vec())
}

async fn connect(site: &Site, host: &str, port: u16) -> io::Result<TcpStream> {
    if let Some(address) = site.host(&format!("{host}:{port}")) {
        return TcpStream::connect(address).await;
    }
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
    TcpStream::connect(&addresses[..]).await
}

fn tls(site: &Site) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for authority in &site.world.authorities {
        roots.add(authority.clone()).map_err(io::Error::other)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth())
}
