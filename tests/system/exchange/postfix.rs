//! Debian's Postfix as somebody else's mail server: takes mail for one domain into Maildirs, sends with DANE.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::program;
use tests::scratch::Scratch;

use super::net::Net;

/// No account is needed, only a number.
const MAIL_UID: u32 = 50_000;

pub struct Postfix<'n> {
    net: &'n Net,
    folder: PathBuf,
}

impl<'n> Postfix<'n> {
    /// Serves `domain` at `address`, port 25, as `host`, with a certificate and its key in PEM.
    #[track_caller]
    pub fn start(
        net: &'n Net,
        scratch: &Scratch,
        domain: &str,
        host: &str,
        address: &str,
        pem: (&str, &str),
    ) -> Postfix<'n> {
        let folder = scratch.join("postfix");
        for sub in ["conf", "queue", "data", "mail"] {
            fs::create_dir_all(folder.join(sub)).expect("the scratch folder is ours");
        }
        open_to_all(&folder);
        let shell = |line: String| program::run(Command::new("sh").args(["-c", &line])).ends(0);
        shell(format!("chown postfix {0}/data && chown {MAIL_UID}:{MAIL_UID} {0}/mail", folder.display()));
        let write = |name: &str, text: &str| fs::write(folder.join("conf").join(name), text).expect("it is ours");
        write("chain.pem", pem.0);
        write("key.pem", pem.1);
        write("main.cf", &main_cf(&folder, domain, host, address));
        write("master.cf", &services(address));
        net.has(address);
        let postfix = Postfix { net, folder };
        postfix.run("start");
        postfix
    }

    fn run(&self, what: &str) {
        let mut command = self.net.command("postfix");
        program::run(command.arg("-c").arg(self.folder.join("conf")).arg(what)).ends(0);
    }

    /// Hands a message to Postfix as a program on its machine does.
    pub fn send(&self, from: &str, to: &str, message: &str) {
        let file = self.folder.join("letter");
        fs::write(&file, message.replace("\r\n", "\n")).expect("the scratch folder is ours");
        let line = format!("sendmail -C {} -f {from} {to} < {}", self.folder.join("conf").display(), file.display());
        program::run(self.net.command("sh").args(["-c", &line])).ends(0);
    }

    /// Messages it took; one Maildir has them all.
    pub fn mail(&self) -> Vec<String> {
        let new = self.folder.join("mail/everybody/new");
        let files = fs::read_dir(new).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_to_string(file.path()).ok()).collect()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Postfix<'_> {
    fn drop(&mut self) {
        let stop = self.net.command("postfix").arg("-c").arg(self.folder.join("conf")).arg("abort").output();
        if std::thread::panicking() {
            eprintln!("--- Postfix\n{}\n{stop:?}", self.log());
        }
    }
}

/// Lets users of other programs into a scratch folder: Postfix works under some of its own.
#[track_caller]
pub fn open_to_all(folder: &Path) {
    for folder in folder.ancestors().take_while(|folder| *folder != Path::new("/tmp") && *folder != Path::new("/")) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("the scratch folder is ours");
    }
}

/// Debian's services, at our address, outside the chroot that would need copies of system files.
#[track_caller]
pub fn services(address: &str) -> String {
    let folder = program::run(Command::new("postconf").args(["-h", "meta_directory"])).ends(0).out;
    let services = fs::read_to_string(Path::new(folder.trim()).join("master.cf")).expect("Postfix has its services");
    services.lines().map(|line| service(line, address) + "\n").collect()
}

fn service(line: &str, address: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["smtp", "inet", private, unprivileged, _chroot, rest @ ..] => {
            format!("{address}:25 inet {private} {unprivileged} n {}", rest.join(" "))
        }
        [name, kind @ ("inet" | "unix" | "unix-dgram"), private, unprivileged, _chroot, rest @ ..]
            if !line.starts_with(['#', ' ']) =>
        {
            format!("{name} {kind} {private} {unprivileged} n {}", rest.join(" "))
        }
        _ => line.to_owned(),
    }
}

fn main_cf(folder: &Path, domain: &str, host: &str, address: &str) -> String {
    let at = folder.display();
    format!(
        "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\nmaillog_file = {at}/log\n\
         maillog_file_prefixes = {at}\nmulti_instance_name = postfix-exchange\nsyslog_name = postfix-exchange\nmyhostname = {host}\n\
         myorigin = {domain}\ninet_interfaces = {address}\nsmtp_bind_address = {address}\ninet_protocols = ipv4\nmydestination =\n\
         alias_maps =\nalias_database =\nlocal_recipient_maps =\nmynetworks = {address}/32\n\
         virtual_mailbox_domains = {domain}, p2.example\nvirtual_mailbox_base = {at}/mail\nvirtual_mailbox_maps = static:everybody/\n\
         virtual_uid_maps = static:{MAIL_UID}\nvirtual_gid_maps = static:{MAIL_UID}\n\
         smtpd_tls_cert_file = {at}/conf/chain.pem\nsmtpd_tls_key_file = {at}/conf/key.pem\nsmtpd_tls_security_level = may\n\
         smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n\
         smtp_dns_support_level = dnssec\nsmtp_tls_security_level = dane\nsmtp_tls_loglevel = 1\nsmtp_host_lookup = dns\n"
    )
}
