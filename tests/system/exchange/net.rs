//! A network of its own, for hosts that need port 25 and a resolver: a network namespace where all of 127.0.0.0/8 is free.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tests::program;
use tests::skip::{Missing, skip};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Goes with everything in it.
pub struct Net {
    name: String,
}

impl Net {
    /// `resolver` is what programs in it ask for names. `None`, said aloud, where none can be made: that needs root.
    pub fn new(test: &str, resolver: &str) -> Option<Net> {
        if program::find("ip").is_none() || !rustix::process::geteuid().is_root() {
            skip(test, Missing::Program("ip netns, as root"));
            return None;
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let net = Net { name: format!("facteur-{}-{number}", std::process::id()) };
        let ip = |arguments: &[&str]| program::run(Command::new("ip").args(arguments)).ends(0);
        ip(&["netns", "add", &net.name]);
        ip(&["-n", &net.name, "link", "set", "lo", "up"]);
        // `ip netns exec` lays it over /etc/resolv.conf.
        fs::create_dir_all(net.settings()).expect("/etc/netns can be written");
        fs::write(net.settings().join("resolv.conf"), format!("nameserver {resolver}\noptions trust-ad\n"))
            .expect("/etc/netns can be written");
        Some(net)
    }

    /// All of 127.0.0.0/8 answers; a program that looks for an interface with its address finds this one.
    #[track_caller]
    pub fn has(&self, address: &str) {
        program::run(Command::new("ip").args(["-n", &self.name, "addr", "add", &format!("{address}/8"), "dev", "lo"]))
            .ends(0);
    }

    fn settings(&self) -> PathBuf {
        PathBuf::from("/etc/netns").join(&self.name)
    }

    /// A program in it.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs `work` on a thread that is in it, and so are the threads and sockets it makes.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let space = File::open(format!("/run/netns/{}", self.name)).expect("the namespace is there");
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                move_into_link_name_space(std::os::fd::AsFd::as_fd(&space), Some(LinkNameSpaceType::Network))
                    .expect("root may enter it");
                work()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        // What is left behind is a name and a file.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
        let _ = fs::remove_dir_all(self.settings());
    }
}
