//! Engines behind ICAP (RFC 3507). Connections are kept between messages; a response is read while the message goes out,
//! because a server may answer early, or send the message back piece by piece.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use proto::scan::icap::{
    self, BadResponse, Body, END, Event, Request, Response, ResponseReader, Service, Verdict, chunk,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::oneshot;

use super::Look;
use super::place::{Place, Wire};
use super::source::{PIECE_OCTETS, Source};

/// Octets of a page that may come back in place of a message, on top of the message's own.
const PAGE_OCTETS_MAX: u64 = 64 * 1024;
/// What a service says of itself counts for so long, or as it says within these.
const OPTIONS_USUAL: Duration = Duration::from_secs(300);
const OPTIONS_MAX: Duration = Duration::from_secs(3_600);
const IDLE_MAX: Duration = Duration::from_secs(20);
const BUFFER_OCTETS: usize = 16 * 1024;

/// One service.
pub struct Client {
    place: Place,
    /// As requests name it.
    host: String,
    service: String,
    connections_max: usize,
    known: Mutex<Known>,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

#[derive(Default)]
struct Known {
    service: Option<(Service, Instant)>,
    istag: Option<String>,
}

struct Connection {
    hears: ReadHalf<Box<dyn Wire>>,
    says: WriteHalf<Box<dyn Wire>>,
}

/// Why an exchange came to nothing.
struct Lost {
    error: io::Error,
    /// Not one octet was heard: a kept connection the server had closed meanwhile looks like this.
    unheard: bool,
}

impl Client {
    pub fn new(place: Place, host: &str, service: &str, connections_max: usize) -> Client {
        let (known, idle) = (Mutex::default(), Mutex::default());
        Client { place, host: host.to_owned(), service: service.to_owned(), connections_max, known, idle }
    }

    /// What the engine says of a content.
    pub async fn scan(&self, source: &Source) -> io::Result<Look> {
        if let Some(connection) = self.kept() {
            match self.look(connection, source).await {
                Err(Lost { unheard: true, .. }) => {}
                done => return done.map_err(|lost| lost.error),
            }
        }
        let connection = self.connect().await?;
        self.look(connection, source).await.map_err(|lost| lost.error)
    }

    /// What changes with its signatures: asked of the service now.
    pub async fn signatures(&self) -> io::Result<Option<String>> {
        let mut connection = self.connect().await?;
        self.ask_service(&mut connection).await.map_err(|lost| lost.error)?;
        self.keep(connection);
        Ok(self.istag())
    }

    /// The newest ISTag, of whichever response.
    pub fn istag(&self) -> Option<String> {
        self.known().istag.clone()
    }

    /// Connections the service says it takes, where that is less than what the plan would make.
    pub fn too_many(&self) -> Option<u64> {
        let max = self.known().service.as_ref()?.0.connections_max?;
        (max < self.connections_max as u64).then_some(max)
    }

    async fn look(&self, mut connection: Connection, source: &Source) -> Result<Look, Lost> {
        let known =
            self.known().service.as_ref().filter(|(_, until)| Instant::now() < *until).map(|(it, _)| it.clone());
        let service = match known {
            Some(service) => service,
            None => self.ask_service(&mut connection).await?,
        };
        let request = Request {
            method: service.method,
            host: &self.host,
            service: &self.service,
            octets: source.len(),
            preview: service.preview,
        };
        let heard = exchange(&mut connection, &request, source).await?;
        self.note(&heard.response);
        if heard.is_reusable && heard.response.is_kept_alive() {
            self.keep(connection);
        }
        Ok(match icap::verdict(&heard.response, heard.body, heard.whole) {
            Verdict::Clean => Look::Clean,
            Verdict::Infected(name) => Look::Infected(name),
            Verdict::Suspect(name) => Look::Suspect(name),
            Verdict::Refused(why) => Look::Refused(why),
            Verdict::None(why) => Look::Failed(why),
        })
    }

    async fn ask_service(&self, connection: &mut Connection) -> Result<Service, Lost> {
        let wire = icap::options(&self.host, &self.service);
        connection.says.write_all(&wire).await.map_err(|error| Lost { error, unheard: true })?;
        let mut ear = Ear::new(ResponseReader::new(false, PAGE_OCTETS_MAX));
        let response = loop {
            match ear.next(&mut connection.hears).await? {
                Event::Whole(response) => break response,
                Event::NeedInput | Event::Continue | Event::Body(_) => {}
                Event::Bad(bad) => return Err(ear.lost(not_icap(bad))),
            }
        };
        let service = Service::of(&response).map_err(|why| ear.lost(io::Error::other(why)))?;
        self.note(&response);
        let ttl = service.ttl_s.map_or(OPTIONS_USUAL, Duration::from_secs).clamp(Duration::from_secs(1), OPTIONS_MAX);
        self.known().service = Some((service.clone(), Instant::now() + ttl));
        Ok(service)
    }

    fn note(&self, response: &Response) {
        if let Some(istag) = response.istag() {
            self.known().istag = Some(istag);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> io::Result<Connection> {
        let (hears, says) = tokio::io::split(self.place.connect().await?);
        Ok(Connection { hears, says })
    }

    fn kept(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE_MAX);
        idle.pop().map(|(connection, _)| connection)
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE_MAX);
        if idle.len() < self.connections_max {
            idle.push((connection, Instant::now()));
        }
    }
}

/// What came back.
struct Heard {
    response: Response,
    body: Body,
    /// The response began after all of the content was sent.
    whole: bool,
    /// Both sides are at the end of this exchange.
    is_reusable: bool,
}

/// One request and its response.
async fn exchange(connection: &mut Connection, request: &Request<'_>, source: &Source) -> Result<Heard, Lost> {
    let Connection { hears, says } = connection;
    let (go, wait) = oneshot::channel();
    let mut go = Some(go);
    let writing = write(says, request, source, wait);
    tokio::pin!(writing);
    let mut written = None;
    let mut ear = Ear::new(ResponseReader::new(request.preview.is_some(), request.octets + PAGE_OCTETS_MAX));
    let (mut began_whole, mut offset, mut body) = (None, 0, Body::None);
    loop {
        let event = tokio::select! {
            biased;
            event = ear.next(hears) => event,
            result = &mut writing, if written.is_none() => {
                written = Some(result);
                continue;
            }
        };
        let event = match (event, &written) {
            (Ok(event), _) => event,
            (Err(lost), Some(Err(error))) => {
                return Err(Lost { error: io::Error::new(error.kind(), error.to_string()), ..lost });
            }
            (Err(lost), _) => return Err(lost),
        };
        let whole = matches!(written, Some(Ok(())));
        match event {
            Event::NeedInput => {}
            Event::Continue => {
                // The writer may have failed meanwhile.
                go.take().map(|go| go.send(()));
            }
            Event::Body(octets) => {
                began_whole.get_or_insert(whole);
                body = if body != Body::Differs && source.has(&octets, offset) { Body::Same } else { Body::Differs };
                offset += octets.len() as u64;
            }
            Event::Whole(response) => {
                if body == Body::Same && offset != source.len() {
                    body = Body::Differs;
                }
                let is_reusable = whole && ear.reader.is_empty();
                return Ok(Heard { response, body, whole: began_whole.unwrap_or(whole), is_reusable });
            }
            Event::Bad(bad) => return Err(ear.lost(not_icap(bad))),
        }
    }
}

/// Sends the request; what comes after a preview only when `wait` says so.
async fn write<S: AsyncWrite + Unpin>(
    says: &mut S,
    request: &Request<'_>,
    source: &Source,
    wait: oneshot::Receiver<()>,
) -> io::Result<()> {
    let ahead = request.preview_octets();
    let mut wire = request.head();
    send(says, source, 0, ahead, &mut wire).await?;
    wire.extend_from_slice(request.end_of_first());
    says.write_all(&wire).await?;
    says.flush().await?;
    if ahead == request.octets {
        return Ok(());
    }
    // Without a 100 there is nothing more to say; whoever reads ends this.
    if wait.await.is_err() {
        return Err(io::ErrorKind::Interrupted.into());
    }
    let mut wire = Vec::new();
    send(says, source, ahead, request.octets, &mut wire).await?;
    wire.extend_from_slice(END);
    says.write_all(&wire).await?;
    says.flush().await
}

/// Sends `from..to` of the content as chunks; the last waits in `wire`.
async fn send<S: AsyncWrite + Unpin>(
    says: &mut S,
    source: &Source,
    from: u64,
    to: u64,
    wire: &mut Vec<u8>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE_OCTETS];
    let mut offset = from;
    while offset < to {
        let most = usize::try_from(to - offset).unwrap_or(usize::MAX).min(piece.len());
        let read = source.read_at(&mut piece[..most], offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        offset += read as u64;
        chunk(&piece[..read], wire);
        if offset < to {
            says.write_all(wire).await?;
            wire.clear();
            // An answer that came already is heard before the end is sent.
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// Reads a connection for one response.
struct Ear {
    reader: ResponseReader,
    buffer: Vec<u8>,
    heard: bool,
}

impl Ear {
    fn new(reader: ResponseReader) -> Ear {
        Ear { reader, buffer: vec![0; BUFFER_OCTETS], heard: false }
    }

    fn lost(&self, error: io::Error) -> Lost {
        Lost { error, unheard: !self.heard }
    }

    /// The next event that is one. May be dropped while it waits and called again.
    async fn next<S: AsyncRead + Unpin>(&mut self, hears: &mut S) -> Result<Event, Lost> {
        loop {
            match self.reader.next() {
                Event::NeedInput => {}
                event => return Ok(event),
            }
            let read = match hears.read(&mut self.buffer).await {
                Ok(0) => return Err(self.lost(io::ErrorKind::UnexpectedEof.into())),
                Ok(read) => read,
                Err(error) => return Err(self.lost(error)),
            };
            self.heard = true;
            self.reader.feed(&self.buffer[..read]);
        }
    }
}

fn not_icap(bad: BadResponse) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the answer is not ICAP: {bad:?}"))
}
