//! Sends log lines to a syslog server over TLS (RFC 5425), for as long as the server runs. While that one is away lines
//! wait, up to a bound; those beyond are dropped and counted. When the server stops, what waits has a bounded time to go.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{DROPPED, Entry, QUEUE, SENT, UP, WAITING_MAX, syslog};
use crate::service::{Service, stopped};
use crate::site::Syslog;

/// The first wait after a failure; each later one is twice as long.
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_LAST: Duration = Duration::from_secs(60);
/// The last lines may take so long.
const END_MAX: Duration = Duration::from_secs(5);
/// A connection and a write may take so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// Lines of one write.
const LINES_AT_ONCE: usize = 64;

/// Takes lines from now on, where the site has a syslog server.
pub(crate) fn open(service: &Service) -> Option<mpsc::Receiver<Arc<Entry>>> {
    service.site.syslog.as_ref()?;
    let (sender, lines) = mpsc::channel(WAITING_MAX);
    *QUEUE.write().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    Some(lines)
}

/// Sends until [`end`] what [`open`] took, which is asked again where a panic lost it.
pub(crate) async fn keep(service: Arc<Service>, opened: Option<mpsc::Receiver<Arc<Entry>>>) {
    let lines = opened.or_else(|| open(&service));
    passing(service, lines).await;
}

/// The last lines go, and no more are taken.
pub(crate) async fn end(passing: JoinHandle<()>) {
    *QUEUE.write().unwrap_or_else(PoisonError::into_inner) = None;
    if tokio::time::timeout(END_MAX, passing).await.is_err() {
        tracing::warn!("the last log lines did not reach the syslog server");
    }
}

async fn passing(service: Arc<Service>, lines: Option<mpsc::Receiver<Arc<Entry>>>) {
    let (Some(to), Some(mut lines)) = (&service.site.syslog, lines) else { return };
    send(&service, to, &mut lines).await;
    UP.store(false, Ordering::Relaxed);
}

/// Ends when no more lines come and those that came have gone, or cannot.
async fn send(service: &Service, to: &Syslog, lines: &mut mpsc::Receiver<Arc<Entry>>) {
    let (mut wait, mut unsent) = (WAIT_FIRST, Vec::new());
    let (mut said, mut stop) = (false, service.stop.clone());
    loop {
        let ended = match connect(service, to).await {
            Ok(stream) => {
                tracing::info!(to = to.to, "log lines go to the syslog server");
                UP.store(true, Ordering::Relaxed);
                (wait, said) = (WAIT_FIRST, false);
                pass(stream, &to.name, lines, &mut unsent).await
            }
            Err(error) => Err(error),
        };
        UP.store(false, Ordering::Relaxed);
        let Err(error) = ended else { return };
        if !std::mem::replace(&mut said, true) {
            tracing::warn!(to = to.to, "no log lines go to the syslog server: {error}");
        }
        if lines.is_closed() {
            DROPPED.fetch_add((unsent.len() + lines.len()) as u64, Ordering::Relaxed);
            return;
        }
        // A server that stops does not wait to try once more.
        match service.stopping() {
            true => tokio::time::sleep(WAIT_FIRST.min(wait)).await,
            false => drop(tokio::time::timeout(wait, stopped(&mut stop)).await),
        }
        wait = (wait * 2).min(WAIT_LAST);
    }
}

async fn connect(service: &Service, to: &Syslog) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    if to.authority.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        roots.add_parsable_certificates(service.site.world.authorities.iter().cloned());
    }
    // Whoever names an authority means that one and no other.
    roots.add_parsable_certificates(to.authority.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth();
    let host = to.to.rsplit_once(':').map_or(to.to.as_str(), |(host, _)| host).trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let connecting = async {
        let stream = match service.site.host(&to.to) {
            Some(address) => TcpStream::connect(address).await?,
            None => TcpStream::connect(&to.to).await?,
        };
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    };
    tokio::time::timeout(PATIENCE, connecting).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

/// Passes lines on until the connection or the lines end. Those a failed write had are in `unsent`, and go first over the next one.
async fn pass(
    stream: TlsStream<TcpStream>,
    host: &str,
    lines: &mut mpsc::Receiver<Arc<Entry>>,
    unsent: &mut Vec<Arc<Entry>>,
) -> io::Result<()> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut heard = [0; 64];
    let pid = std::process::id();
    loop {
        if unsent.is_empty() {
            tokio::select! {
                // The server never says anything; that it closes is the only way to know it goes.
                read = reader.read(&mut heard) => match read {
                    Ok(1..) => continue,
                    // With a farewell of TLS or without.
                    Ok(0) | Err(_) => return Err(io::Error::other("it closed the connection")),
                },
                taken = lines.recv_many(unsent, LINES_AT_ONCE) => if taken == 0 {
                    // All has gone: with a farewell, so that the server knows that it was all.
                    return tokio::time::timeout(PATIENCE, writer.shutdown()).await.unwrap_or(Ok(()));
                },
            }
        }
        let octets: Vec<u8> = unsent.iter().flat_map(|entry| syslog::frame(entry, host, pid)).collect();
        let writing = async {
            writer.write_all(&octets).await?;
            writer.flush().await
        };
        tokio::time::timeout(PATIENCE, writing).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))?;
        SENT.fetch_add(unsent.len() as u64, Ordering::Relaxed);
        unsent.clear();
    }
}
