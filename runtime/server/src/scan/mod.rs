//! Antivirus engines: content goes to each engine of the plan at the same time, over clamd's INSTREAM (clamd(8)).
//!
//! An engine that gives no verdict is `Down` since the first time it gave none; the plan says what that means.

#[cfg(test)]
mod hostile;
mod milter;
mod octets;
mod place;
mod rspamd;
pub mod score;
mod spamd;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use decide::{EngineResult, Tables};
use plan::At;
use proto::scan::clamd::{self, Command, ReplyReader, ScanReply};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;

use crate::content::Content;
use crate::service::Service;
use crate::site::Site;

const CONNECT_MAX: Duration = Duration::from_secs(3);
const SCAN_MAX: Duration = Duration::from_secs(120);
/// Octets of content on their way to an engine at a time.
const PIECE_OCTETS: usize = 64 * 1024;

/// An engine and where it is reached.
#[derive(Clone, Debug)]
pub struct Engine {
    pub name: String,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Address(SocketAddr),
    Unix(PathBuf),
    /// `host:port`, looked up each time.
    Host(String),
}

/// The engines of the plan's `antivirus`. An engine this build cannot speak to and that has no stand-in in the site is
/// an error: a plan with it is not served.
pub fn engines(tables: &Tables, site: &Site) -> Result<Vec<Engine>, Vec<String>> {
    let plan = tables.plan();
    let names = plan.antivirus.as_ref().map(|antivirus| antivirus.engines.as_slice()).unwrap_or_default();
    let mut engines = Vec::new();
    let mut errors = Vec::new();
    for name in names {
        let at = plan.scanners.get(name).map(|scanner| &scanner.at);
        let place = match (site.scanners.get(name), at) {
            (Some(stand_in), _) => Place::Address(*stand_in),
            (None, Some(At::Clamd(at))) => match at.strip_prefix("unix:") {
                Some(path) => Place::Unix(PathBuf::from(path)),
                None => site.host(at).map_or_else(|| Place::Host(at.clone()), Place::Address),
            },
            (None, Some(other)) => {
                errors.push(format!(
                    "scanners.{name}: this build cannot speak to {other:?}, and the site has no stand-in"
                ));
                continue;
            }
            (None, None) => {
                errors.push(format!("antivirus.engines names `{name}`, which is not defined"));
                continue;
            }
        };
        engines.push(Engine { name: name.clone(), place });
    }
    if errors.is_empty() { Ok(engines) } else { Err(errors) }
}

/// What each engine of the plan says of `content`, in the plan's order.
pub async fn all(service: &Arc<Service>, content: &Arc<Content>) -> Vec<(String, EngineResult)> {
    let mut scans = JoinSet::new();
    for (number, engine) in service.engines.iter().enumerate() {
        let (engine, content) = (engine.clone(), content.clone());
        scans.spawn(async move { (number, one(&engine, &content).await) });
    }
    let mut results: Vec<Option<Result<ScanReply, io::Error>>> = service.engines.iter().map(|_| None).collect();
    while let Some(joined) = scans.join_next().await {
        if let Ok((number, result)) = joined {
            results[number] = Some(result);
        }
    }
    let engines = service.engines.iter().zip(results);
    engines.map(|(engine, result)| (engine.name.clone(), judged(service, engine, result))).collect()
}

async fn one(engine: &Engine, content: &Content) -> Result<ScanReply, io::Error> {
    let scan = async {
        match &engine.place {
            Place::Address(address) => instream(connect(TcpStream::connect(address)).await?, content).await,
            Place::Host(host) => instream(connect(TcpStream::connect(host)).await?, content).await,
            Place::Unix(path) => instream(connect(UnixStream::connect(path)).await?, content).await,
        }
    };
    tokio::time::timeout(SCAN_MAX, scan).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

async fn connect<S>(connecting: impl Future<Output = io::Result<S>>) -> io::Result<S> {
    tokio::time::timeout(CONNECT_MAX, connecting).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

async fn instream<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, content: &Content) -> io::Result<ScanReply> {
    // A daemon that has seen enough answers and closes before it took everything: its answer counts, not our error.
    let sent = send(&mut stream, content).await;
    let mut reader = ReplyReader::default();
    let mut buffer = [0; 512];
    loop {
        let read = match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return Err(sent.err().unwrap_or(io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => read,
        };
        let bad = |bad| io::Error::new(io::ErrorKind::InvalidData, format!("clamd's reply: {bad:?}"));
        if let Some(reply) = reader.feed(&buffer[..read]).map_err(bad)? {
            return clamd::scan_reply(&reply).map_err(bad);
        }
    }
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, content: &Content) -> io::Result<()> {
    stream.write_all(Command::Instream.wire()).await?;
    let mut piece = vec![0; PIECE_OCTETS];
    let mut wire = Vec::with_capacity(PIECE_OCTETS + 8);
    let mut offset = 0;
    loop {
        let read = content.read_at(&mut piece, offset)?;
        if read == 0 {
            break;
        }
        offset += read as u64;
        wire.clear();
        clamd::chunks(&piece[..read], &mut wire);
        stream.write_all(&wire).await?;
    }
    stream.write_all(&clamd::END_OF_STREAM).await?;
    stream.flush().await
}

fn judged(service: &Service, engine: &Engine, result: Option<Result<ScanReply, io::Error>>) -> EngineResult {
    let verdict = match result {
        Some(Ok(ScanReply::Clean)) => EngineResult::Clean,
        Some(Ok(ScanReply::Found(name))) if is_heuristic(&name) => EngineResult::Suspect(name),
        Some(Ok(ScanReply::Found(name))) => EngineResult::Infected(name),
        Some(Ok(ScanReply::SizeLimit)) => {
            // The engine is well and this content is not for it: no verdict, and no outage either.
            tracing::warn!(engine = engine.name, "takes no message of this size");
            EngineResult::Down { for_s: 0 }
        }
        Some(Ok(ScanReply::Error(words))) => down(service, engine, &words),
        Some(Err(error)) => down(service, engine, &error.to_string()),
        None => down(service, engine, "the scan panicked"),
    };
    let word = match &verdict {
        EngineResult::Clean => "clean",
        EngineResult::Suspect(_) => "suspect",
        EngineResult::Infected(_) => "infected",
        EngineResult::Down { .. } => "down",
    };
    service.metrics.scans.with_label_values(&[engine.name.as_str(), word]).inc();
    if !matches!(verdict, EngineResult::Down { .. }) {
        let up_again = service.engines_down.lock().unwrap_or_else(PoisonError::into_inner).remove(&engine.name);
        if up_again.is_some() {
            tracing::info!(engine = engine.name, "the engine gives verdicts again");
        }
    }
    verdict
}

/// Macros, encrypted archives and unwanted programs are no known virus.
fn is_heuristic(signature: &str) -> bool {
    signature.starts_with("Heuristics.") || signature.starts_with("PUA.")
}

fn down(service: &Service, engine: &Engine, why: &str) -> EngineResult {
    let mut since = service.engines_down.lock().unwrap_or_else(PoisonError::into_inner);
    let first = *since.entry(engine.name.clone()).or_insert_with(|| {
        tracing::error!(engine = engine.name, "the engine gives no verdict: {why}");
        Instant::now()
    });
    EngineResult::Down { for_s: first.elapsed().as_secs() }
}
