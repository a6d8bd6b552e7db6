//! The built-in directory: people, aliases and functional addresses by command and from files.

mod addresses;
mod change;
mod csv;
mod hashes;
mod import;
mod known;
mod ldif;
mod list;
mod put;
mod wanted;

pub use addresses::{AddAlias, AddedAddress, ChangeMembers, ListAddresses, ListedAddress, RemoveAddress, SetFunction};
pub use change::{AddPerson, ChangePerson, RemovePerson};
pub use csv::{fuzz_people_csv, read as people_of_csv, write as people_to_csv};
pub use import::{ImportPeople, ImportedPeople, ImportedPerson, LeavingPerson, PersonState};
pub use ldif::{fuzz_people_ldif, read as people_of_ldif, write as people_to_ldif};
pub use list::{ListPeople, ListedPerson, ShowPerson, ShownPerson};
pub use put::{GivenAddress, GivenKind, GivenLead, GivenPerson, PutPeople, PutResult};
pub use wanted::{BadLine, PasswordHash, WantedPerson};

/// Octets of a file of people, and people in it.
pub const FILE_OCTETS_MAX: usize = 64 << 20;
pub const PEOPLE_MAX: usize = 500_000;
