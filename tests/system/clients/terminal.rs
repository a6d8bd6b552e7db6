//! A program in a terminal, typed at.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use tests::{program, wait};

use super::desk::WITHIN;

/// Killed when it goes.
pub struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    /// Everything that was drawn.
    drawn: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// `home` is where the program finds its settings.
    #[track_caller]
    pub fn start(home: &Path, program: &Path, arguments: &[&str], environment: &[(&str, &Path)]) -> Terminal {
        let mut command = Command::new("python3");
        command.arg("-B").arg(program::top().join("tests/clients/terminal.py")).arg(program).args(arguments);
        command.env("TERM", "xterm").env("LANG", "C.UTF-8").env("HOME", home).envs(environment.iter().copied());
        for folder in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
            command.env(folder, home);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 is there");
        let (keyboard, mut screen) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let drawn = Arc::new(Mutex::new(Vec::new()));
        let page = Arc::clone(&drawn);
        std::thread::spawn(move || {
            let mut piece = [0; 4_096];
            while let Ok(octets @ 1..) = screen.read(&mut piece) {
                page.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&piece[..octets]);
            }
        });
        Terminal { child, keyboard, drawn }
    }

    fn drawn(&self) -> String {
        String::from_utf8_lossy(&self.drawn.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Waits until this was drawn in one piece.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        wait::until(WITHIN, text, || self.drawn().contains(text).then_some(()));
    }

    pub fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).and_then(|()| self.keyboard.flush()).expect("the terminal is open");
    }

    /// Waits for the program to end well.
    #[track_caller]
    pub fn ends(&mut self) {
        let status = wait::until(WITHIN, "the program ends", || self.child.try_wait().expect("the child is ours"));
        assert!(status.success(), "{status}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let drawn = self.drawn();
            let from = drawn.char_indices().rev().nth(3_000).map_or(0, |(at, _)| at);
            eprintln!("--- drawn last\n{}\n---", drawn[from..].replace('\x1b', "^"));
        }
        // It may have ended; both are then errors that change nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
