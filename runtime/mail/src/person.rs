//! Who there is: people, functional addresses and aliases, as facts beside a policy. Never part of a Plan.

use crate::address::Address;

/// A login: what a person types. Lower-case as the policy folds it; never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Login(String);

impl Login {
    /// `None` unless 1 to 64 characters of printable ASCII other than space, `@`, `"`, `\`, `/`, `:`.
    pub fn new(text: &str) -> Option<Login> {
        let sound =
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && !b"@\"\\/:".contains(&b));
        sound.then(|| Login(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Login {
    /// The account behind a functional address with mailboxes of its own: `$contact%example.org`, a login nobody is given.
    /// `None` when it would be too long or the local part needs quotes.
    pub fn of_function(address: &Address) -> Option<Login> {
        let folded = address.folded();
        let (local, domain) = folded.rsplit_once('@')?;
        Login::new(&format!("${local}%{domain}"))
    }

    /// The address this is the account of.
    pub fn function(&self) -> Option<Address> {
        let (local, domain) = self.0.strip_prefix('$')?.rsplit_once('%')?;
        format!("{local}@{domain}").parse().ok()
    }
}

impl std::fmt::Display for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One person as the runtime knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub login: Login,
    pub first: String,
    pub last: String,
    /// The official address.
    pub address: Address,
    /// A profile of the plan.
    pub profile: String,
    pub unit: String,
    /// An entry of the plan's `routes.homes`; `None` means the mailbox is here.
    pub home: Option<String>,
    /// Quota in octets.
    pub quota_octets: u64,
}

/// An address that leads to people: former addresses and aliases (one or more logins), functional addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    pub address: Address,
    pub members: Vec<Login>,
    /// A functional address may be written by its members (guide §3); an alias by its one owner.
    pub kind: AliasKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasKind {
    Former,
    Alias,
    Function,
    /// A functional address with mailboxes of its own: mail is kept there once, and its members share them.
    FunctionMailbox {
        quota_octets: u64,
    },
}

impl Alias {
    /// The account of its own mailboxes.
    pub fn account(&self) -> Option<Login> {
        match self.kind {
            AliasKind::FunctionMailbox { .. } => Login::of_function(&self.address),
            AliasKind::Former | AliasKind::Alias | AliasKind::Function => None,
        }
    }
}
