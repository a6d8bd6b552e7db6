//! The screen as text in, text out: a line comes, and what is to be done is said. No terminal, no file, no network.

use super::network::{Static, Wanted};

/// What the head of the screen shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub version: String,
    /// A test platform, which the server says.
    pub twin: bool,
    /// `eth0 10.0.2.15 2001:db8::5`.
    pub interfaces: Vec<(String, Vec<String>)>,
    /// One line about the plan, or why there is none to tell of.
    pub plan: String,
    /// What is not as it should be, the worst first.
    pub missing: Vec<String>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Our own program with these arguments; what it prints is shown.
    Run(Vec<String>),
    Network(Wanted),
    /// Stop serving, take what the machine is given, serve again.
    ImportAgain,
    /// Writes the update on the disk `cidata` into the slot that does not run.
    Update,
    /// Other plan keys, from the disk `cidata`, in the place of all.
    BreakGlass {
        because: String,
    },
    PowerOff,
    Reboot,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    Main,
    Network,
    Interface {
        is_static: bool,
    },
    Address {
        interface: String,
    },
    Gateway {
        interface: String,
        address: String,
    },
    Servers {
        interface: String,
        address: String,
        gateway: String,
    },
    /// Done once somebody types `yes`.
    Sure {
        what: String,
        effect: Effect,
    },
    Because,
    Update,
}

/// Warnings shown; more are counted.
const MISSING_SHOWN: usize = 8;
/// Longest line somebody may type.
const LINE_OCTETS_MAX: usize = 512;

pub struct Menu {
    at: At,
}

impl Menu {
    pub fn new() -> Menu {
        Menu { at: At::Main }
    }

    /// The screen, ending where somebody types.
    pub fn screen(&self, facts: &Facts) -> String {
        let asks = |text: &str| format!("{text} (empty: back) > ");
        match &self.at {
            At::Main => main_screen(facts),
            At::Network => {
                let list: String =
                    facts.interfaces.iter().map(|(name, at)| format!("  {name:<12} {}\n", at.join(" "))).collect();
                format!("\nNetwork\n{list}\n  1  take addresses by DHCP\n  2  set an address\n  empty: back > ")
            }
            At::Interface { .. } => asks("\nwhich interface"),
            At::Address { interface } => asks(&format!("address and prefix of {interface}, as 192.0.2.10/24")),
            At::Gateway { .. } => asks("gateway"),
            At::Servers { .. } => asks("name servers, with blanks between"),
            At::Sure { what, .. } => format!("\n{what}\ntype yes to do it > "),
            At::Update => asks(
                "\n  1  write facteur.update of the disk `cidata` into the other slot\n  2  take the other slot at the next start\n",
            ),
            At::Because => asks(
                "\nReplacing the plan keys needs no signature and raises an alarm for everybody. The new keys are read from\n\
                 `keys` on the disk `cidata`. Why is it done",
            ),
        }
    }

    /// Takes what somebody typed; what to do, and what to say at once.
    pub fn line(&mut self, line: &str, facts: &Facts) -> (Option<Effect>, String) {
        let line = line.trim();
        if line.len() > LINE_OCTETS_MAX || line.chars().any(char::is_control) {
            return (None, "that is no answer\n".to_owned());
        }
        let at = std::mem::replace(&mut self.at, At::Main);
        match at {
            At::Main => self.chosen(line),
            At::Sure { effect, .. } if line == "yes" => (Some(effect), String::new()),
            At::Sure { .. } => (None, "nothing was done\n".to_owned()),
            _ if line.is_empty() => (None, String::new()),
            At::Network => {
                match line {
                    "1" => self.at = At::Interface { is_static: false },
                    "2" => self.at = At::Interface { is_static: true },
                    _ => return (None, "1 or 2\n".to_owned()),
                }
                (None, String::new())
            }
            At::Interface { is_static } => self.interface(line, is_static, facts),
            At::Address { interface } => self.address(line, interface),
            At::Gateway { interface, address } => {
                self.at = At::Servers { interface, address, gateway: line.to_owned() };
                (None, String::new())
            }
            At::Servers { interface, address, gateway } => self.servers(line, interface, &address, &gateway),
            At::Update => match line {
                "1" => {
                    self.sure("The update is verified and written; the next start tries it.".to_owned(), Effect::Update)
                }
                "2" => {
                    let rollback = Effect::Run(["update", "rollback"].map(str::to_owned).to_vec());
                    self.sure("The version that runs is given up; the next start takes the other.".to_owned(), rollback)
                }
                _ => (None, "1 or 2\n".to_owned()),
            },
            At::Because => {
                let what = format!("All plan keys are replaced. Reason: {line}");
                self.sure(what, Effect::BreakGlass { because: line.to_owned() })
            }
        }
    }

    fn chosen(&mut self, line: &str) -> (Option<Effect>, String) {
        let run = |words: &[&str]| Effect::Run(words.iter().map(|word| (*word).to_owned()).collect());
        match line {
            "" => (None, String::new()),
            "1" => (Some(run(&["status"])), String::new()),
            "2" => {
                self.at = At::Network;
                (None, String::new())
            }
            "3" => {
                self.at = At::Update;
                (Some(run(&["update", "status"])), String::new())
            }
            "4" => self.sure(
                "The plan that ran before this one is served again.".to_owned(),
                run(&["rollback", "--reason", "at the console of the machine"]),
            ),
            "5" => self.sure(
                "What the machine is given now takes the place of what was imported. Mail stops for a moment."
                    .to_owned(),
                Effect::ImportAgain,
            ),
            "6" => {
                self.at = At::Because;
                (None, String::new())
            }
            "7" => self.sure("The machine is powered off.".to_owned(), Effect::PowerOff),
            "8" => self.sure("The machine starts again.".to_owned(), Effect::Reboot),
            _ => (None, "a number from 1 to 8\n".to_owned()),
        }
    }

    fn sure(&mut self, what: String, effect: Effect) -> (Option<Effect>, String) {
        self.at = At::Sure { what, effect };
        (None, String::new())
    }

    fn interface(&mut self, line: &str, is_static: bool, facts: &Facts) -> (Option<Effect>, String) {
        if !facts.interfaces.iter().any(|(name, _)| name == line) {
            return (None, format!("there is no interface {line}\n"));
        }
        let interface = line.to_owned();
        if is_static {
            self.at = At::Address { interface };
            return (None, String::new());
        }
        let what = format!("{interface} takes its addresses by DHCP.");
        self.sure(what, Effect::Network(Wanted::Dhcp { interface }))
    }

    fn address(&mut self, line: &str, interface: String) -> (Option<Effect>, String) {
        match Static::address(line) {
            Ok(_) => {
                self.at = At::Gateway { interface, address: line.to_owned() };
                (None, String::new())
            }
            Err(why) => (None, format!("{why}\n")),
        }
    }

    fn servers(&mut self, line: &str, interface: String, address: &str, gateway: &str) -> (Option<Effect>, String) {
        match Static::read(address, gateway, line) {
            Ok(fixed) => {
                let what = format!("{interface} has {address}, gateway {gateway}, name servers {line}.");
                self.sure(what, Effect::Network(Wanted::Static { interface, fixed }))
            }
            Err(why) => (None, format!("{why}\n")),
        }
    }
}

/// What comes from outside must not move the cursor.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '?' } else { c }).collect()
}

fn main_screen(facts: &Facts) -> String {
    let twin = if facts.twin { "  TEST PLATFORM: no mail leaves" } else { "" };
    let mut text = format!("\nfacteur {}{twin}\n", facts.version);
    for (name, addresses) in &facts.interfaces {
        let addresses = if addresses.is_empty() { "no address".to_owned() } else { addresses.join(" ") };
        text.push_str(&format!("  {name:<12} {addresses}\n"));
    }
    text.push_str(&format!("  {}\n", facts.plan));
    for line in facts.missing.iter().take(MISSING_SHOWN) {
        text.push_str(&format!("  ! {}\n", clean(line).replace('\n', "?")));
    }
    if facts.missing.len() > MISSING_SHOWN {
        text.push_str(&format!("  ! and {} more: 1 shows them\n", facts.missing.len() - MISSING_SHOWN));
    }
    text.push_str(
        "\n  1  status          5  import again what the machine is given\n  2  network         6  replace the plan keys\n  \
         3  update          7  power off\n  4  roll back plan  8  start again\n> ",
    );
    text
}
