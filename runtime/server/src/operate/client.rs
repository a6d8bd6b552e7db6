//! How a command reaches live state: over the control socket where the data folder has an owner, else by opening the store
//! here and running the same handler.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use store::{OpenError, Options, Store};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;

use super::{Context, Line, OperateError, Operation, Progress, Who};
use crate::control;

/// Longest line of an answer.
const LINE_OCTETS_MAX: usize = 64 << 20;

/// Why a command could not be run at all, or what its handler said.
#[derive(Debug)]
pub enum ClientError {
    /// No store is in this folder.
    NoStore {
        data: PathBuf,
    },
    /// The folder has no owner and belongs to another user: files made here would be in the owner's way later.
    OthersFolder {
        data: PathBuf,
        uid: u32,
    },
    /// Its owner does not listen (yet, or any more).
    Unheard {
        pid: Option<u32>,
    },
    Socket {
        path: PathBuf,
        error: io::Error,
    },
    Http(hyper::Error),
    /// The owner's answer ends before its result.
    CutShort,
    /// What came is no answer this program knows.
    Strange,
    Open(OpenError),
    /// An appliance on the network.
    Appliance {
        address: String,
        why: String,
    },
    Operate(OperateError),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::NoStore { data } => write!(f, "{}: there is no store here", data.display()),
            ClientError::OthersFolder { data, uid } => {
                write!(f, "{}: nothing serves it and it belongs to uid {uid}; call this as that user", data.display())
            }
            ClientError::Unheard { pid } => {
                let owner = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
                write!(f, "the data folder belongs to {owner}, which does not listen; it starts, ends, or is a command")
            }
            ClientError::Socket { path, error } => write!(f, "{}: {error}", path.display()),
            ClientError::Http(error) => write!(f, "the owner of the data folder does not answer: {error}"),
            ClientError::CutShort => f.write_str("the owner of the data folder went away before it was done"),
            ClientError::Strange => f.write_str("the owner of the data folder gives an answer of another version"),
            ClientError::Open(error) => error.fmt(f),
            ClientError::Appliance { address, why } => write!(f, "{address}: {why}"),
            ClientError::Operate(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<OperateError> for ClientError {
    fn from(error: OperateError) -> ClientError {
        ClientError::Operate(error)
    }
}

impl From<hyper::Error> for ClientError {
    fn from(error: hyper::Error) -> ClientError {
        ClientError::Http(error)
    }
}

/// Where live state is, and its backups.
#[derive(Clone, Debug)]
pub struct Folders {
    pub data: PathBuf,
    /// Used when nobody owns the data folder; an owner knows its own.
    pub snapshots: PathBuf,
}

/// Runs `request` on a data folder. `options` open the store when nobody owns it. When `interrupted` comes, the
/// work ends between two of its steps. Needs a tokio runtime.
pub async fn call<O: Operation>(
    folders: &Folders,
    options: impl FnOnce() -> Options + Send + 'static,
    request: O,
    interrupted: impl Future<Output = ()>,
    mut tell: impl FnMut(Progress) + Send + 'static,
) -> Result<O::Response, ClientError> {
    if !folders.data.join("lock").is_file() {
        return Err(ClientError::NoStore { data: folders.data.clone() });
    }
    let path = control::path(&folders.data);
    match UnixStream::connect(&path).await {
        Ok(stream) => {
            return tokio::select! {
                answer = ask(stream, &request, &mut tell) => answer,
                // The owner sees the connection end, and stops.
                () = interrupted => Err(OperateError::Interrupted.into()),
            };
        }
        // A server that was killed leaves its socket behind.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {}
        Err(error) => return Err(ClientError::Socket { path, error }),
    }
    if O::NEEDS_SERVER {
        return Err(OperateError::NoServer.into());
    }
    let (folders, stop) = (folders.clone(), Arc::new(AtomicBool::new(false)));
    let told = stop.clone();
    let mut here = tokio::task::spawn_blocking(move || here(folders, options, request, stop, &mut tell));
    let ended = tokio::select! {
        ended = &mut here => ended,
        () = interrupted => {
            told.store(true, Ordering::Relaxed);
            here.await
        }
    };
    ended.unwrap_or(Err(ClientError::Operate(OperateError::Panicked)))
}

/// Asks whoever is at the other end.
pub(crate) async fn ask<O: Operation>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: &O,
    tell: &mut (impl FnMut(Progress) + Send),
) -> Result<O::Response, ClientError> {
    let body = serde_json::to_vec(request).map_err(|_| ClientError::Strange)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer, or with an error that reading the answer meets as well.
    let connection = tokio::spawn(connection);
    let request = Request::post(O::PATH)
        .header(HOST, "control")
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| ClientError::Strange)?;
    let response = sender.send_request(request).await?;
    let answer = read::<O>(response.into_body(), tell).await;
    connection.abort();
    answer
}

async fn read<O: Operation>(
    mut body: Incoming,
    tell: &mut (impl FnMut(Progress) + Send),
) -> Result<O::Response, ClientError> {
    let mut text = Vec::new();
    // What was looked through: a long line comes in many parts.
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        text.extend_from_slice(&data);
        while let Some(at) = text[seen..].iter().position(|octet| *octet == b'\n') {
            let line: Vec<u8> = text.drain(..=seen + at).collect();
            seen = 0;
            match serde_json::from_slice(&line).map_err(|_| ClientError::Strange)? {
                Line::Progress(progress) => tell(progress),
                Line::Done(response) => return Ok(response),
                Line::Failed(error) => return Err(error.into()),
            }
        }
        seen = text.len();
        if seen > LINE_OCTETS_MAX {
            return Err(ClientError::Strange);
        }
    }
    Err(ClientError::CutShort)
}

/// Runs the handler in this process, which owns the folder meanwhile.
fn here<O: Operation>(
    folders: Folders,
    options: impl FnOnce() -> Options,
    request: O,
    stop: Arc<AtomicBool>,
    tell: &mut dyn FnMut(Progress),
) -> Result<O::Response, ClientError> {
    let Folders { data, snapshots } = folders;
    let who = Who::this_process();
    let metadata = std::fs::metadata(&data);
    let uid = metadata.map_err(|error| ClientError::Socket { path: data.clone(), error })?.uid();
    if !matches!(who, Who::Process { uid: mine, .. } if mine == uid) {
        return Err(ClientError::OthersFolder { data, uid });
    }
    let store = match Store::open(&data, options()) {
        Ok(store) => Arc::new(store),
        Err(OpenError::Locked { pid }) => return Err(ClientError::Unheard { pid }),
        Err(error) => return Err(ClientError::Open(error)),
    };
    let context = Context {
        store,
        data,
        snapshots,
        backup: None,
        retention: None,
        live: None,
        server: None,
        who,
        served: false,
        stop,
    };
    Ok(request.perform(&context, tell)?)
}
