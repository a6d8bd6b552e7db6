//! A machine of QEMU with UEFI firmware: a system disk, a data disk, a network nothing leaves, a serial log.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tests::smtp::base64;
use tests::{program, wait};

/// Emulated, on a machine that does other things too.
pub const BOOT_WITHIN: Duration = Duration::from_secs(600);
const MONITOR_WITHIN: Duration = Duration::from_secs(60);
const LOG_LINES_SHOWN: usize = 80;
/// Debian's OVMF, as it is called in 12 and 13.
const FIRMWARE: [(&str, &str); 2] = [
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
];

/// The one that asks for signatures, and variables with a key of Debian's own for tests, whose private half everybody has.
const FIRMWARE_SECURE: (&str, &str) =
    ("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd");

/// What a machine is made of.
pub struct Parts<'a> {
    pub system: &'a Path,
    pub data: &'a Path,
    /// The firmware starts what is signed, and nothing else.
    pub is_secure: bool,
    /// A third disk.
    pub more: Option<&'a Path>,
    /// Ports of the machine that are reached from here.
    pub ports: &'a [u16],
    /// systemd credentials by name (SMBIOS type 11).
    pub credentials: &'a [(&'a str, &'a Path)],
    /// Folder for the log, the monitor's socket and the firmware's variables.
    pub folder: &'a Path,
}

/// A running machine. It is killed when the test ends.
pub struct Vm {
    child: Child,
    log: PathBuf,
    monitor: PathBuf,
    forwarded: BTreeMap<u16, SocketAddr>,
}

impl Vm {
    #[track_caller]
    pub fn start(parts: &Parts<'_>) -> Vm {
        let (log, monitor) = (parts.folder.join("serial.log"), parts.folder.join("qmp"));
        let variables = parts.folder.join("variables.fd");
        let plain = || FIRMWARE.iter().find(|(code, _)| Path::new(code).is_file()).expect("ovmf is installed");
        let (code, blank) = if parts.is_secure { &FIRMWARE_SECURE } else { plain() };
        if !variables.exists() {
            fs::copy(blank, &variables).expect("the scratch folder is ours");
        }
        // A log of a former start would be taken for this one's.
        for old in [&log, &monitor] {
            let _ = fs::remove_file(old);
        }
        let forwards: String = parts.ports.iter().map(|port| format!(",hostfwd=tcp:127.0.0.1:0-:{port}")).collect();
        let mut command = Command::new("qemu-system-x86_64");
        command.args([
            "-machine",
            if parts.is_secure { "q35,smm=on" } else { "q35,smm=off" },
            "-accel",
            "tcg,thread=multi",
            "-cpu",
            "qemu64",
            "-smp",
            "2",
            "-m",
            "1536",
        ]);
        if parts.is_secure {
            command.args(["-global", "driver=cfi.pflash01,property=secure,value=on"]);
        }
        command.args(["-nodefaults", "-display", "none", "-device", "virtio-rng-pci"]);
        command.arg("-serial").arg(format!("file:{}", log.display()));
        command.arg("-qmp").arg(format!("unix:{},server=on,wait=off", monitor.display()));
        command.arg("-drive").arg(format!("if=pflash,format=raw,unit=0,readonly=on,file={code}"));
        command.arg("-drive").arg(format!("if=pflash,format=raw,unit=1,file={}", variables.display()));
        let disks = [("system", Some(parts.system)), ("data", Some(parts.data)), ("more", parts.more)];
        for (id, disk) in disks.into_iter().filter_map(|(id, disk)| Some((id, disk?))) {
            command.arg("-drive").arg(format!("if=none,id={id},format=raw,discard=unmap,file={}", disk.display()));
            command.arg("-device").arg(format!("virtio-blk-pci,drive={id},serial={id}"));
        }
        command.arg("-netdev").arg(format!("user,id=net,restrict=on{forwards}"));
        command.args(["-device", "virtio-net-pci,netdev=net,romfile="]);
        for (name, path) in parts.credentials {
            let octets = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let words = format!("type=11,value=io.systemd.credential.binary:{name}={}", base64(&octets));
            command.args(["-smbios", &words]);
        }
        let said = File::create(parts.folder.join("qemu.log")).expect("the scratch folder is ours");
        command.stdin(Stdio::null()).stdout(said.try_clone().expect("a file handle can be doubled")).stderr(said);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut vm = Vm { child, log, monitor, forwarded: BTreeMap::new() };
        vm.forwarded = vm.forwards(parts);
        vm
    }

    /// Where a port of the machine is reached.
    pub fn at(&self, port: u16) -> SocketAddr {
        self.forwarded[&port]
    }

    /// The kernel chose the ports; QEMU says which.
    fn forwards(&mut self, parts: &Parts<'_>) -> BTreeMap<u16, SocketAddr> {
        wait::until(MONITOR_WITHIN, "QEMU says which ports it forwards", || {
            if let Ok(Some(status)) = self.child.try_wait() {
                let said = fs::read_to_string(parts.folder.join("qemu.log")).unwrap_or_default();
                panic!("QEMU ended with {status}\n{said}");
            }
            let said = self.monitor("human-monitor-command", "{\"command-line\": \"info usernet\"}").ok()?;
            let found: BTreeMap<u16, SocketAddr> = said.split("\\r\\n").filter_map(forward).collect();
            parts.ports.iter().all(|port| found.contains_key(port)).then_some(found)
        })
    }

    /// One command of the machine protocol; the answer as it came.
    fn monitor(&self, command: &str, arguments: &str) -> std::io::Result<String> {
        let stream = UnixStream::connect(&self.monitor)?;
        stream.set_read_timeout(Some(MONITOR_WITHIN))?;
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let mut to = stream;
        let mut answer = || -> std::io::Result<String> {
            loop {
                let line = lines.next().ok_or_else(|| std::io::Error::other("QEMU closed the monitor"))??;
                if line.contains("\"return\"") || line.contains("\"error\"") {
                    return Ok(line);
                }
            }
        };
        writeln!(to, "{{\"execute\": \"qmp_capabilities\"}}")?;
        answer()?;
        writeln!(to, "{{\"execute\": \"{command}\", \"arguments\": {arguments}}}")?;
        answer()
    }

    /// Types a line at the screen of the machine: digits and small letters.
    pub fn types(&self, line: &str) -> std::io::Result<()> {
        for key in line.chars().map(String::from).chain(["ret".to_owned()]) {
            self.monitor("human-monitor-command", &format!("{{\"command-line\": \"sendkey {key}\"}}"))?;
        }
        Ok(())
    }

    /// Everything the machine wrote to its serial line.
    pub fn serial(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Takes the power away, now.
    pub fn cut_power(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("QEMU runs");
    }

    /// Presses the power button and waits until the machine is off.
    #[track_caller]
    pub fn power_off(mut self) -> String {
        self.monitor("system_powerdown", "{}").expect("QEMU runs");
        let status = wait::until(BOOT_WITHIN, "the machine powers off", || self.child.try_wait().expect("it is ours"));
        assert!(status.success(), "QEMU ended with {status}");
        self.serial()
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        // It may be off already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let serial = self.serial();
            let lines: Vec<&str> = serial.lines().collect();
            let shown = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
            eprintln!("--- serial line, last {} lines\n{}\n---", shown.len(), shown.join("\n"));
        }
    }
}

/// A line of `info usernet`: `TCP[HOST_FORWARD] 12 127.0.0.1 40001 10.0.2.15 25 0 0`.
fn forward(line: &str) -> Option<(u16, SocketAddr)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "TCP[HOST_FORWARD]")?;
    let [address, port, _, inside] = words.get(at + 2..at + 6)? else { return None };
    Some((inside.parse().ok()?, SocketAddr::new(address.parse().ok()?, port.parse().ok()?)))
}

/// Whether the programs are here; says so when not.
pub fn found(test: &str) -> bool {
    let needed = [
        "qemu-system-x86_64",
        "qemu-img",
        "mmdebstrap",
        "mkfs.erofs",
        "veritysetup",
        "sfdisk",
        "mcopy",
        "zstd",
        "mkfs.ext4",
    ];
    for name in needed {
        if program::find(name).is_none() {
            tests::skip::skip(test, tests::skip::Missing::Program(name));
            return false;
        }
    }
    if !rustix::process::geteuid().is_root() {
        tests::skip::skip(test, tests::skip::Missing::Root);
        return false;
    }
    true
}

#[test]
fn a_forward_is_read_from_what_qemu_says() {
    let line = "  TCP[HOST_FORWARD]  12       127.0.0.1 40001       10.0.2.15    25     0     0";
    assert_eq!(forward(line), Some((25, "127.0.0.1:40001".parse().expect("an address"))));
    assert_eq!(forward("VLAN -1 (net):"), None);
}
