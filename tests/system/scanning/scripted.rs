//! Engines that do what a script says, and nothing an engine should.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use proto::scan::clamd::{self, Daemon};
use proto::scan::icap::{Server, ServerEvent};
use tests::smtp::base64;

use super::samples;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// It is clean, or it has the test file of a probe, as the protocol says it.
    Good,
    /// This is said once all of it is there.
    Say(&'static str),
    /// The same, and then the connection is closed.
    SayAndClose(&'static str),
    /// This is said at its first octets, and nothing more is read.
    SayAtOnce(&'static str),
    /// The connection is closed at its first octets.
    Close,
    /// Nothing is said for ever, and nothing more is read.
    Silent,
    /// This, again and again, as fast as it is taken.
    Endless(&'static str, &'static [u8]),
    /// One octet of this at a time, slowly.
    Drip(&'static [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    Clamd,
    Icap,
}

/// A listener with a script that may change.
pub struct Scripted {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    script: Mutex<Script>,
    /// What clamd says of its signatures.
    version: Mutex<&'static str>,
    over: AtomicBool,
}

const DRIP_EVERY: Duration = Duration::from_millis(100);

impl Scripted {
    /// Good until it is told otherwise.
    pub fn start(speaks: Speaks) -> Scripted {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the kernel has ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            script: Mutex::new(Script::Good),
            version: Mutex::new("ClamAV 1.4.6"),
            over: AtomicBool::new(false),
        });
        let theirs = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if theirs.over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = theirs.clone();
                // The client may be gone in the middle of anything.
                thread::spawn(move || match speaks {
                    Speaks::Clamd => shared.clamd(stream).ok(),
                    Speaks::Icap => shared.icap(stream).ok(),
                });
            }
        });
        Scripted { address, shared }
    }

    pub fn now(&self, script: Script) {
        *self.shared.script.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }
}

impl Scripted {
    /// What a clamd answers to VERSION from now on.
    pub fn version(&self, version: &'static str) {
        *self.shared.version.lock().unwrap_or_else(PoisonError::into_inner) = version;
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the listener up.
        let _ = TcpStream::connect(self.address);
    }
}

/// Is the test file in it, as probes have it?
fn is_test_file(content: &[u8]) -> bool {
    let coded = base64(&samples::eicar());
    content.len() < 10_000 && content.windows(coded.len()).any(|window| window == coded.as_bytes())
}

impl Shared {
    fn script(&self) -> Script {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    fn clamd(&self, mut stream: TcpStream) -> io::Result<()> {
        let (mut daemon, mut buffer, mut content) = (Daemon::default(), vec![0; 64 * 1024], Vec::new());
        loop {
            match daemon.next() {
                clamd::Event::NeedInput => {
                    let read = stream.read(&mut buffer)?;
                    if read == 0 {
                        return Ok(());
                    }
                    daemon.feed(&buffer[..read]);
                }
                clamd::Event::Command(clamd::Command::Instream) => self.begin(&mut stream)?,
                clamd::Event::Command(_) => {
                    let version = *self.version.lock().unwrap_or_else(PoisonError::into_inner);
                    stream.write_all(format!("{version}\0").as_bytes())?;
                }
                clamd::Event::Content(part) => content.extend(part),
                clamd::Event::EndOfStream => {
                    let good = if is_test_file(&content) { "stream: Eicar FOUND\0" } else { "stream: OK\0" };
                    content.clear();
                    self.end(&mut stream, good.as_bytes())?;
                }
                clamd::Event::Bad => return Ok(()),
            }
        }
    }

    fn icap(&self, mut stream: TcpStream) -> io::Result<()> {
        let (mut server, mut buffer, mut content) = (Server::default(), vec![0; 64 * 1024], Vec::new());
        loop {
            match server.next() {
                ServerEvent::NeedInput => {
                    let read = stream.read(&mut buffer)?;
                    if read == 0 {
                        return Ok(());
                    }
                    server.feed(&buffer[..read]);
                }
                ServerEvent::Options => stream.write_all(&Server::service("scripted"))?,
                ServerEvent::Begin(_) => self.begin(&mut stream)?,
                ServerEvent::Content(part) => content.extend(part),
                ServerEvent::EndOfPreview => stream.write_all(Server::carry_on())?,
                ServerEvent::EndOfContent => {
                    let good =
                        if is_test_file(&content) { Server::infected("Eicar") } else { Server::clean().to_vec() };
                    content.clear();
                    self.end(&mut stream, &good)?;
                }
                ServerEvent::Bad => return Ok(()),
            }
        }
    }

    /// What happens before the message was read.
    fn begin(&self, stream: &mut TcpStream) -> io::Result<()> {
        let script = self.script();
        match script {
            Script::Good | Script::Say(_) | Script::SayAndClose(_) => Ok(()),
            Script::SayAtOnce(text) => {
                stream.write_all(text.as_bytes())?;
                self.stall(script)
            }
            Script::Close => Err(io::ErrorKind::ConnectionAborted.into()),
            Script::Silent => self.stall(script),
            Script::Endless(first, octets) => {
                stream.write_all(first.as_bytes())?;
                let many = octets.repeat(64 * 1024 / octets.len().max(1));
                while self.goes_on() {
                    stream.write_all(&many)?;
                }
                Ok(())
            }
            Script::Drip(octets) => {
                for octet in octets.iter().cycle().take_while(|_| self.goes_on()) {
                    stream.write_all(std::slice::from_ref(octet))?;
                    thread::sleep(DRIP_EVERY);
                }
                Ok(())
            }
        }
    }

    /// Neither reads nor writes while the script is this one.
    fn stall(&self, script: Script) -> io::Result<()> {
        while self.goes_on() && self.script() == script {
            thread::sleep(DRIP_EVERY);
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// What happens once it was.
    fn end(&self, stream: &mut TcpStream, good: &[u8]) -> io::Result<()> {
        match self.script() {
            Script::Good => stream.write_all(good),
            Script::Say(text) => stream.write_all(text.as_bytes()),
            Script::SayAndClose(text) => {
                stream.write_all(text.as_bytes())?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            _ => Ok(()),
        }
    }
}
