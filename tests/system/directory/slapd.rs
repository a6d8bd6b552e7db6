//! Debian's slapd with invented people, on a port of its own, killed when the test ends.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tests::scratch::Scratch;
use tests::smtp::base64;
use tests::{corpus, program, wait};

use crate::world::authority::Shown;

pub const BASE: &str = "ou=people,dc=univ,dc=example";
pub const ASKER: &str = "uid=facteur,dc=univ,dc=example";
pub const ASKERS_SECRET: &str = "tell-me-everybody";
/// What everybody has whose password is asked for in a test.
pub const PASSWORD: &str = "correct-horse-4";
const SLAPD: &str = "/usr/sbin/slapd";
/// A loaded machine is slow; this is generous.
const WITHIN: Duration = Duration::from_secs(60);

/// The attributes of SUPANN, eduPerson and SCHAC that the tests use.
const SCHEMA: &str = "\
attributetype ( 1.3.6.1.4.1.5923.1.1.1.5 NAME 'eduPersonPrimaryAffiliation' EQUALITY caseIgnoreMatch
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.7135.1.2.1.13 NAME 'supannAutreMail' EQUALITY caseIgnoreIA5Match
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.7135.1.2.1.16 NAME 'supannEntiteAffectationPrincipale' EQUALITY caseIgnoreMatch
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.25178.1.2.17 NAME 'schacExpiryDate' EQUALITY generalizedTimeMatch
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.1 NAME 'mailForwardingAddress' EQUALITY caseIgnoreIA5Match
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
objectclass ( 1.3.6.1.4.1.5923.1.1.2 NAME 'eduPerson' AUXILIARY MAY ( eduPersonPrimaryAffiliation ) )
objectclass ( 1.3.6.1.4.1.7135.1.2.2.1 NAME 'supannPerson' AUXILIARY
 MAY ( supannAutreMail $ supannEntiteAffectationPrincipale $ schacExpiryDate $ mailForwardingAddress ) )
";

/// Somebody invented.
#[derive(Clone, Debug)]
pub struct Somebody {
    pub number: usize,
    pub first: String,
    pub last: String,
    /// Attributes besides those everybody has.
    pub more: Vec<(&'static str, String)>,
}

impl Somebody {
    pub fn login(&self) -> String {
        format!("u{:06}", self.number)
    }

    pub fn address(&self) -> String {
        format!("{}@univ.example", self.login())
    }

    /// The entry in LDIF (RFC 2849); every tenth has the password.
    fn entry(&self) -> String {
        let mut entry = format!("dn: uid={},{BASE}\n", self.login());
        for class in ["inetOrgPerson", "eduPerson", "supannPerson"] {
            let _ = writeln!(entry, "objectClass: {class}");
        }
        let _ = writeln!(entry, "entryUUID: 00000000-0000-4000-8000-{:012}", self.number);
        let _ = writeln!(entry, "uid: {}", self.login());
        let mut text = |name: &str, text: &str| {
            let _ = writeln!(entry, "{name}:: {}", base64(text.as_bytes()));
        };
        text("givenName", &self.first);
        text("sn", &self.last);
        text("cn", &format!("{} {}", self.first, self.last));
        if !self.more.iter().any(|(name, _)| *name == "mail") {
            text("mail", &self.address());
        }
        self.more.iter().for_each(|(name, value)| text(name, value));
        if self.number.is_multiple_of(10) {
            text("userPassword", PASSWORD);
        }
        entry + "\n"
    }
}

/// So many people, named as people are.
pub fn people(count: usize) -> Vec<Somebody> {
    let names = |file: &str, few: &[&str]| {
        let text = corpus::folder().and_then(|folder| fs::read_to_string(folder.join("names").join(file)).ok());
        let names = |text: String| text.lines().map(str::to_owned).filter(|name| !name.is_empty()).collect();
        text.map_or_else(|| few.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>(), names)
    };
    let first = names("faker-fr-first_names_female.txt", &["Aïcha", "Zoé", "Anne-Laure", "Chloé"]);
    let last = names("faker-fr-last_names.txt", &["Le Gall", "Benali", "D'Angelo", "Lefèvre"]);
    let name = |names: &[String], at: usize| names[at % names.len()].trim().to_owned();
    let somebody = |number: usize| Somebody {
        number,
        first: name(&first, number.wrapping_mul(7_919)),
        last: name(&last, number.wrapping_mul(104_729) / 13),
        more: Vec::new(),
    };
    (0..count).map(somebody).collect()
}

/// A server and its database.
pub struct Slapd {
    folder: PathBuf,
    /// `ldaps://127.0.0.1:PORT` or `ldap://…`.
    url: String,
    pub port: u16,
    child: Option<Child>,
}

impl Slapd {
    /// Is it installed?
    pub fn is_here() -> bool {
        Path::new(SLAPD).exists()
    }

    /// With people, under TLS from the first octet or by StartTLS. `limit` is how many entries the asker may have at once.
    #[track_caller]
    pub fn start(scratch: &Scratch, name: &str, shown: &Shown, people: &[Somebody], limit: &str) -> Slapd {
        let folder = scratch.join(name);
        fs::create_dir(&folder).expect("the scratch folder is ours");
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("the scratch folder is ours");
        write("chain.pem", &shown.chain_pem);
        write("key.pem", &shown.key_pem);
        write("test.schema", SCHEMA);
        let at = |name: &str| folder.join(name).display().to_string();
        let schemas = ["core", "cosine", "inetorgperson"].map(|it| format!("include /etc/ldap/schema/{it}.schema\n"));
        let configuration = format!(
            "{}include {}\npidfile {}\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n\
             TLSCertificateFile {}\nTLSCertificateKeyFile {}\nsecurity simple_bind=128\n\
             database mdb\nsuffix \"dc=univ,dc=example\"\nrootdn \"cn=admin,dc=univ,dc=example\"\nrootpw admin\n\
             directory {}\nmaxsize 2147483648\nindex objectClass,entryUUID,uid,mail,supannAutreMail eq\n\
             dbnosync\nsizelimit 500\nlimits dn.exact=\"{ASKER}\" {limit}\n\
             access to attrs=userPassword by anonymous auth by * none\naccess to * by dn.exact=\"{ASKER}\" read by * none\n",
            schemas.concat(),
            at("test.schema"),
            at("pid"),
            at("chain.pem"),
            at("key.pem"),
            at("db"),
        );
        write("slapd.conf", &configuration);
        let port = free_port();
        let scheme = if name.starts_with("start") { "ldap" } else { "ldaps" };
        let mut slapd = Slapd { folder, url: format!("{scheme}://127.0.0.1:{port}"), port, child: None };
        slapd.load(people);
        slapd.run();
        slapd
    }

    /// Everybody anew, while it does not run.
    #[track_caller]
    pub fn load(&self, people: &[Somebody]) {
        let db = self.folder.join("db");
        let _ = fs::remove_dir_all(&db);
        fs::create_dir(&db).expect("the scratch folder is ours");
        let mut ldif = format!(
            "dn: dc=univ,dc=example\nobjectClass: dcObject\nobjectClass: organization\no: Univ\ndc: univ\n\n\
             dn: {BASE}\nobjectClass: organizationalUnit\nou: people\n\n\
             dn: {ASKER}\nobjectClass: account\nobjectClass: simpleSecurityObject\nuid: facteur\n\
             userPassword: {ASKERS_SECRET}\n\n"
        );
        people.iter().for_each(|somebody| ldif.push_str(&somebody.entry()));
        let file = self.folder.join("people.ldif");
        fs::write(&file, ldif).expect("the scratch folder is ours");
        let mut command = Command::new("/usr/sbin/slapadd");
        command.arg("-q").arg("-f").arg(self.folder.join("slapd.conf")).arg("-l").arg(file);
        program::run(&mut command).ends(0);
    }

    /// Listens again, at the same port.
    #[track_caller]
    pub fn run(&mut self) {
        let log = File::create(self.folder.join("log")).expect("the scratch folder is ours");
        let mut command = Command::new(SLAPD);
        command.args(["-d", "0", "-h", &format!("{}/", self.url), "-f"]).arg(self.folder.join("slapd.conf"));
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        self.child = Some(spawned.expect("slapd is installed"));
        wait::until(WITHIN, "slapd listens", || TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Somebody new, while it runs.
    #[track_caller]
    pub fn add(&self, somebody: &Somebody) {
        let file = self.folder.join("new.ldif");
        // What never changes is the server's to give.
        let entry: String = somebody
            .entry()
            .lines()
            .filter(|line| !line.starts_with("entryUUID"))
            .map(|it| format!("{it}\n"))
            .collect();
        fs::write(&file, entry).expect("the scratch folder is ours");
        let mut command = Command::new("ldapadd");
        command.args(["-x", "-H", &self.url, "-D", "cn=admin,dc=univ,dc=example", "-w", "admin", "-f"]).arg(file);
        if self.url.starts_with("ldap:") {
            command.arg("-ZZ");
        }
        // Whom it speaks to, the test knows.
        program::run(command.env("LDAPTLS_REQCERT", "never")).ends(0);
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- slapd\n{}---", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
        }
    }
}

/// A port nobody has now; slapd cannot say which one the kernel chose.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the kernel has a port");
    listener.local_addr().expect("a bound socket has one").port()
}
