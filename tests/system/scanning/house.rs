//! The Nantes policy with engines of the test's own.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tests::scratch::Scratch;
use tests::{Facteur, Imap, Options, policy_copy, wait};

use super::samples;
use crate::clients::found;

pub const WITHIN: Duration = Duration::from_secs(90);

/// A process that ends with the test, and with it those it started.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command, log: &Path) -> Running {
        let log = fs::File::create(log).expect("the scratch folder is ours");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a file handle can be doubled")).stderr(log);
        command.process_group(0);
        Running(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("it runs");
        if signal == Signal::STOP {
            wait::until(WITHIN, "every thread of it has stopped", || self.is_stopped().then_some(()));
        }
    }

    fn is_stopped(&self) -> bool {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0.id())).into_iter().flatten().flatten();
        let mut states = tasks.map(|task| fs::read_to_string(task.path().join("stat")).unwrap_or_default());
        // proc(5): the state follows the name, which stands in parentheses.
        states.all(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T')))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// A clamd that knows the test file, on a socket in its own folder.
pub struct Clamd {
    pub running: Running,
    pub socket: PathBuf,
}

impl Clamd {
    /// Waits until it answers. It may be started again in its folder.
    pub fn start(program: &Path, folder: &Path) -> Clamd {
        let (socket, database) = (folder.join("clamd.sock"), folder.join("signatures"));
        fs::create_dir_all(&database).expect("the scratch folder is ours");
        let hex: String = samples::eicar().iter().map(|octet| format!("{octet:02x}")).collect();
        fs::write(database.join("test.ndb"), format!("Test.Eicar:0:*:{hex}\n")).expect("the scratch folder is ours");
        let text = format!(
            "Foreground yes\nLocalSocket {}\nDatabaseDirectory {}\nStreamMaxLength 100M\nMaxFileSize 100M\nMaxScanSize 100M\n",
            socket.display(),
            database.display()
        );
        let config = folder.join("clamd.conf");
        fs::write(&config, text).expect("the scratch folder is ours");
        let _ = fs::remove_file(&socket);
        let running =
            Running::start(Command::new(program).arg("--config-file").arg(&config), &folder.join("clamd.log"));
        wait::until(WITHIN, "clamd answers", || {
            let mut stream = UnixStream::connect(&socket).ok()?;
            stream.write_all(b"zPING\0").ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).ok()?;
            answer.starts_with("PONG").then_some(())
        });
        Clamd { running, socket }
    }
}

/// A c-icap whose service `avscan` asks a clamd.
pub struct Icap {
    pub running: Running,
    pub address: SocketAddr,
}

impl Icap {
    pub fn start(program: &Path, folder: &Path, clamd: &Path) -> Icap {
        // c-icap cannot say which port the kernel chose: one that was free a moment ago has to do.
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
        Icap::start_at(program, folder, clamd, free.expect("the kernel has ports"))
    }

    pub fn start_at(program: &Path, folder: &Path, clamd: &Path, address: SocketAddr) -> Icap {
        let folder_name = folder.display();
        let modules = "/usr/lib/x86_64-linux-gnu/c_icap";
        let modules = if Path::new(modules).is_dir() { modules.to_owned() } else { modules_folder() };
        let text = format!(
            "PidFile {folder_name}/c-icap.pid\nCommandsSocket {folder_name}/c-icap.ctl\nTimeout 30\nMaxKeepAliveRequests 100\n\
             KeepAliveTimeout 60\nStartServers 1\nMaxServers 1\nMinSpareThreads 1\nMaxSpareThreads 10\nThreadsPerChild 10\n\
             Port {address}\nTmpDir {folder_name}\nDebugLevel 1\nModulesDir {modules}\nServicesDir {modules}\n\
             TemplateDir /usr/share/c_icap/templates/\nLoadMagicFile /etc/c-icap/c-icap.magic\n\
             ServerLog {folder_name}/server.log\nAccessLog {folder_name}/access.log\nModule common clamd_mod.so\n\
             clamd_mod.ClamdSocket {}\nService antivirus_module virus_scan.so\n\
             ServiceAlias avscan virus_scan?allow204=on&sizelimit=off&mode=simple\nvirus_scan.DefaultEngine clamd\n\
             virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GIF JPEG MSOFFICE\nvirus_scan.MaxObjectSize 100M\n\
             virus_scan.StartSendPercentDataAfter 100M\n",
            clamd.display()
        );
        let config = folder.join("c-icap.conf");
        fs::write(&config, text).expect("the scratch folder is ours");
        let mut command = Command::new(program);
        command.arg("-N").arg("-f").arg(&config);
        let running = Running::start(&mut command, &folder.join("c-icap.log"));
        wait::until(WITHIN, "c-icap answers", || TcpStream::connect(address).ok());
        Icap { running, address }
    }
}

/// Debian has modules in a folder of the architecture.
fn modules_folder() -> String {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let found = folders.map(|folder| folder.path().join("c_icap")).find(|path| path.is_dir());
    found.unwrap_or_default().display().to_string()
}

/// How the Nantes policy is changed.
pub struct Engines<'a> {
    /// Where `mcafee` and `clamav` are, as the policy says it.
    pub mcafee: &'a str,
    pub clamav: &'a str,
    /// `antivirus.engine_down`.
    pub engine_down: &'a str,
    /// `within` of both.
    pub within: &'a str,
}

/// The Nantes policy with these engines.
pub fn policy(scratch: &Scratch, engines: &Engines<'_>) -> PathBuf {
    let Engines { mcafee, clamav, engine_down, within } = engines;
    let mcafee = format!("at: {mcafee}, within: \"{within}\",");
    let clamav = format!("at: {clamav}, within: \"{within}\",");
    let changes = [
        ("at: Icap(\"scan.univ-nantes.prive:1344\"),", mcafee.as_str()),
        ("at: Clamd(\"127.0.0.1:3310\"),", clamav.as_str()),
        ("TryLater(for: \"4 h\", then: ContinueWith(at_least: 1, rescan: true, alarm: true))", engine_down),
    ];
    policy_copy::changed(scratch, "nantes", &changes)
}

/// Serves it with its own engines.
pub fn serve(policy: &Path, data: Option<PathBuf>) -> Facteur {
    let arguments = vec!["--real-engines".to_owned(), "--unproved".to_owned()];
    Facteur::start_with(policy, Options { arguments, data, ..Options::default() })
}

/// The house with a c-icap and a clamd, each with signatures of its own.
pub struct House {
    pub server: Facteur,
    pub icap: Icap,
    /// Behind c-icap, and the one that is asked itself.
    pub behind: Clamd,
    pub clamd: Clamd,
    pub programs: Programs,
    pub scratch: Scratch,
}

pub struct Programs {
    pub clamd: PathBuf,
    pub icap: PathBuf,
}

impl House {
    /// `None` where an engine is not installed.
    pub fn start(test: &str, engine_down: &str, within: &str) -> Option<House> {
        let programs = Programs { clamd: found(test, "clamd")?, icap: found(test, "c-icap")? };
        let scratch = Scratch::new("scan");
        let folders = ["behind", "clamd", "icap"].map(|name| scratch.join(name));
        folders.iter().for_each(|folder| fs::create_dir_all(folder).expect("the scratch folder is ours"));
        let [behind, clamd] = [&folders[0], &folders[1]].map(|folder| Clamd::start(&programs.clamd, folder));
        let icap = Icap::start(&programs.icap, &folders[2], &behind.socket);
        let engines = Engines {
            mcafee: &format!("Icap(\"{}/avscan\")", icap.address),
            clamav: &format!("Clamd(\"unix:{}\")", clamd.socket.display()),
            engine_down,
            within,
        };
        let server = serve(&policy(&scratch, &engines), Some(scratch.join("data")));
        Some(House { server, icap, behind, clamd, programs, scratch })
    }
}

/// The value of a metric with these labels; 0 when it is not there.
pub fn metric(server: &Facteur, line: &str) -> f64 {
    let page = server.metrics();
    let found = page.lines().find_map(|one| one.strip_prefix(line)?.strip_prefix(' ')?.parse().ok());
    found.unwrap_or(0.0)
}

/// Waits until an engine is seen up (1) or down (0).
#[track_caller]
pub fn wait_up(server: &Facteur, engine: &str, up: f64) {
    let line = format!("facteur_scanner_up{{engine=\"{engine}\"}}");
    wait::until(WITHIN, &format!("{line} {up}"), || {
        (server.metrics().contains(&line) && metric(server, &line) == up).then_some(())
    });
}

/// Subjects in the INBOX of a person.
pub fn subjects(server: &Facteur, login: &str) -> std::io::Result<Vec<String>> {
    let who = server.describe.person(login).clone();
    let mut imap = Imap::person(server, "outside", &who)?;
    crate::mail::inbox_subjects(&mut imap)
}
