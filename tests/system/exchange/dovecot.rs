//! Debian's Dovecot as the mail store that is there already: LMTP in, Maildirs behind.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use tests::scratch::Scratch;

use super::net::Net;

/// No account is needed, only a number.
const MAIL_UID: u32 = 50_000;

/// Killed when it goes.
pub struct Dovecot {
    child: Child,
    folder: PathBuf,
}

impl Dovecot {
    /// LMTP at `address`, port 24, for `users` by local part.
    #[track_caller]
    pub fn start(net: &Net, scratch: &Scratch, address: &str, users: &[&str]) -> Dovecot {
        let folder = scratch.join("dovecot");
        for sub in ["run", "state", "mail"] {
            fs::create_dir_all(folder.join(sub)).expect("the scratch folder is ours");
        }
        std::os::unix::fs::chown(folder.join("mail"), Some(MAIL_UID), Some(MAIL_UID)).expect("root may");
        let at = folder.display();
        let passwd: String =
            users.iter().map(|user| format!("{user}:{{PLAIN}}x:{MAIL_UID}:{MAIL_UID}::{at}/mail/{user}::\n")).collect();
        fs::write(folder.join("passwd"), passwd).expect("the scratch folder is ours");
        let conf = format!(
            "base_dir = {at}/run\nstate_dir = {at}/state\ninstance_name = exchange\nlisten = {address}\nprotocols = lmtp\n\
             log_path = {at}/log\nssl = no\nauth_username_format = %Ln\nmail_location = maildir:~/Maildir\n\
             first_valid_uid = {MAIL_UID}\npassdb {{\n driver = passwd-file\n args = {at}/passwd\n}}\n\
             userdb {{\n driver = passwd-file\n args = {at}/passwd\n}}\n\
             service lmtp {{\n inet_listener lmtp {{\n address = {address}\n port = 24\n }}\n}}\n\
             service stats {{\n chroot =\n}}\n"
        );
        fs::write(folder.join("dovecot.conf"), conf).expect("the scratch folder is ours");
        let mut command = net.command("dovecot");
        command.arg("-F").arg("-c").arg(folder.join("dovecot.conf"));
        let child = command.stdin(Stdio::null()).spawn().expect("Dovecot starts");
        Dovecot { child, folder }
    }

    /// Messages in the Maildir of a user.
    pub fn mail_of(&self, user: &str) -> Vec<String> {
        let new = self.folder.join("mail").join(user).join("Maildir/new");
        let files = fs::read_dir(new).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_to_string(file.path()).ok()).collect()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- Dovecot\n{}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
        }
        // `ip netns exec` becomes the program it runs.
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
