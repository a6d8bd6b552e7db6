//! Accept loops, one per address of a listener. Who comes over a bound hears 421 at once and costs nothing more.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use decide::{Block, Client, Reason, Refusal};
use mail::reply;
use plan::{Speaks, TlsMode};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

use crate::admission::{Kind, Place};
use crate::drive::{self, Connection};
use crate::outcome::{Event, Outcome, Peer};
use crate::service::{Service, stopped};
use crate::stream::Stream;
use crate::tls::Acceptor;

/// Connections the kernel keeps for us.
const BACKLOG: u32 = 1_024;
/// Wait after the kernel gave us no connection: mostly it has no files left, and trying again at once burns a processor.
const BACK_OFF: Duration = Duration::from_millis(50);
/// Clients being told 421 at a time; more are closed without a word.
const TOLD_MAX: usize = 256;
/// A client has so long to take its 421.
const TELL_MAX: Duration = Duration::from_secs(2);
/// A server that stops lets messages under way end for so long.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Connections to a listener that is closed may last so long (policy-language 9).
const CLOSED_MAX: Duration = Duration::from_secs(30 * 60);
/// And clients that are cut may take their 421 for so long.
const CUT_MAX: Duration = Duration::from_secs(2);

/// One bound address of a listener of the plan.
pub struct Door {
    pub name: String,
    pub speaks: Speaks,
    pub tls: TlsMode,
    pub acceptor: Option<Acceptor>,
    pub socket: TcpListener,
}

/// Binds an address; port 0 lets the kernel choose.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { tokio::net::TcpSocket::new_v4()? } else { tokio::net::TcpSocket::new_v6()? };
    // A server that starts again must not wait for the old one's connections to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts until the server stops or somebody asks for the socket, then lets what is under way end.
pub async fn serve(service: Arc<Service>, door: Door, mut closing: oneshot::Receiver<oneshot::Sender<TcpListener>>) {
    let Door { name, speaks, tls, acceptor, socket } = door;
    let told = Arc::new(Semaphore::new(TOLD_MAX));
    let door = Arc::new(Outside { name, speaks, tls, acceptor, told });
    let mut stop = service.stop.clone();
    let mut conversations = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            asked = &mut closing => {
                if let Ok(give) = asked {
                    // Who asked may have gone: then it is closed all the same.
                    drop(give.send(socket));
                }
                return closed(&service, &door.name, &mut stop, conversations).await;
            }
            Some(_) = conversations.join_next() => {}
            accepted = socket.accept() => match accepted {
                Ok((stream, source)) => enter(&service.current(), &door, stream, source, &mut conversations),
                Err(error) => {
                    service.metrics.accept_errors.inc();
                    tracing::warn!(listener = door.name, "no connection: {error}");
                    tokio::time::sleep(BACK_OFF).await;
                }
            },
        }
    }
    drop(socket);
    end(&service, &door.name, conversations).await;
}

/// The server stops: messages under way may end.
async fn end(service: &Service, name: &str, mut conversations: JoinSet<()>) {
    if !drained(&mut conversations, DRAIN_MAX).await {
        tracing::warn!(listener = name, open = conversations.len(), "messages under way are cut");
        service.end.send_replace(true);
        drained(&mut conversations, CUT_MAX).await;
        conversations.shutdown().await;
    }
}

/// The listener is closed: who is connected goes on, for half an hour at most.
async fn closed(
    service: &Service,
    name: &str,
    stop: &mut tokio::sync::watch::Receiver<bool>,
    mut conversations: JoinSet<()>,
) {
    tokio::select! {
        () = stopped(stop) => return end(service, name, conversations).await,
        all = drained(&mut conversations, CLOSED_MAX) => if all { return },
    }
    tracing::warn!(listener = name, open = conversations.len(), "connections to a closed listener are cut");
    conversations.shutdown().await;
}

/// Did all end within `limit`?
async fn drained(conversations: &mut JoinSet<()>, limit: Duration) -> bool {
    let all = async { while conversations.join_next().await.is_some() {} };
    tokio::time::timeout(limit, all).await.is_ok()
}

/// What a door is without its socket.
struct Outside {
    name: String,
    speaks: Speaks,
    tls: TlsMode,
    acceptor: Option<Acceptor>,
    told: Arc<Semaphore>,
}

fn enter(
    service: &Arc<Service>,
    door: &Outside,
    stream: TcpStream,
    source: SocketAddr,
    conversations: &mut JoinSet<()>,
) {
    // Between two plans it may be there and not be known.
    let Some(id) = service.tables.listener(&door.name) else { return };
    let client = source.ip().to_canonical();
    let seen_as = service.site.client_address.view(client);
    let class = service.tables.class_of(seen_as);
    let class_name = service.tables.class_name(class).to_owned();
    service.metrics.connections.with_label_values(&[door.name.as_str(), class_name.as_str()]).inc();
    let peer = Peer { listener: door.name.clone(), class: class_name, client, seen_as };
    let block = service.tables.connection(id, class);
    let facts = Client { listener: id, class, address: seen_as, tls: false, account: None };
    let drained = service.is_draining() && !matches!(door.speaks, Speaks::Imap | Speaks::Pop);
    let admitted = if drained { Err(drained_away()) } else { admit(service, &facts, block.as_ref().ok()) };
    let place = match admitted {
        Ok(place) => place,
        Err(refusal) => {
            service.outcome(Outcome::refused(Event::TurnedAway, &refusal, "").from_peer(&peer));
            return tell(service, door, stream, &refusal, conversations);
        }
    };
    // Small answers must not wait for each other.
    let _ = stream.set_nodelay(true);
    let tells = service.tables.tells(class);
    let oldest = service.tables.plan().tls.oldest;
    let shown = door.acceptor.as_ref().map(|acceptor| acceptor.now(oldest));
    let connection = Connection {
        stream: Stream::Plain(stream),
        peer,
        listener: id,
        class,
        block,
        tells,
        unheard: true,
        told_address: None,
        end_point: shown.as_ref().and_then(|shown| shown.end_point.clone()),
        acceptor: shown.map(|shown| shown.acceptor),
    };
    conversations.spawn(drive::converse(service.clone(), connection, place));
}

/// A server that is drained takes no new mail (RFC 5321 3.8).
fn drained_away() -> Refusal {
    Refusal::new(reply::SHUTTING_DOWN, Reason::TooManyConnections, "", "no new mail is taken now, try later")
}

/// The policy's bounds for strangers first: they have a rule to name. Then ours.
fn admit(service: &Service, client: &Client, block: Option<&Block>) -> Result<Place, Refusal> {
    let kind = match block {
        Some(Block::Receive(_)) => Kind::Receiving,
        Some(Block::Send(_) | Block::Read(_)) | None => Kind::Own,
    };
    let place = service.admission.enter(kind, client.address).map_err(|_| {
        let text = "too many connections here, try later";
        Refusal::new(reply::CUT_OFF, Reason::TooManyConnections, "", text)
    })?;
    let others = place.at_once.saturating_sub(1);
    let now = service.clock.now();
    decide::stranger_connection(&service.tables, &mut service.rings(), client, others, now)?;
    Ok(place)
}

/// Says why and closes. Under implicit TLS nothing can be said without the work a flood wants us to do.
fn tell(service: &Service, door: &Outside, mut stream: TcpStream, refusal: &Refusal, conversations: &mut JoinSet<()>) {
    if door.tls == TlsMode::Implicit || !matches!(door.speaks, Speaks::Smtp | Speaks::Lmtp) {
        return;
    }
    let Ok(permit) = door.told.clone().try_acquire_owned() else { return };
    let mut words = Vec::new();
    refusal.reply(false, &service.plan).render(&mut words);
    conversations.spawn(async move {
        let telling = async {
            stream.write_all(&words).await?;
            stream.shutdown().await
        };
        let _ = tokio::time::timeout(TELL_MAX, telling).await;
        drop(permit);
    });
}
