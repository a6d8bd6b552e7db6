//! The waist: all that a store of another kind has to do. [`Store`] is the embedded one; a cluster would keep the same ops
//! as rows of a database server and the bodies as objects. One suite of tests runs over whatever stands behind these traits.

use mail::mime::SummaryParts;
use mail::{Address, Alias, Grant, Grantee, Login, MailboxName};

use crate::body::{BodyRef, Inserted, RecordEnvelope, Source, Spill};
use crate::compact::{CompactError, Compacted};
use crate::error::{PutError, ReadError};
use crate::given::{Access, Given};
use crate::id::{DeliveryId, MailboxId, Modseq, QueueId, UidSet};
use crate::op::{Kept, Loss, Op, Quarantined, Ring};
use crate::progress::Progress;
use crate::read::{
    AuditRow, Changes, CopyOf, Delivery, KeptAmounts, Leads, Listing, MailboxInfo, MessageIdentity, MessageRow,
    PersonRow, Renderings, Resolution, Selected, SharedMailbox, TakenCopy, TokenCounts, Usage, Vanished,
};
use crate::search::Candidates;
use crate::spool::{QueueItem, Waits};
use crate::store::{Done, Store};
use crate::summary::Summary;
use crate::verify::Report;
use crate::watch::Watcher;

/// Declares a trait and implements it for the embedded store by its methods of the same names, which say what they do.
macro_rules! waist {
    ($(#[$about:meta])* trait $name:ident {
        $(fn $method:ident(&self $(, $argument:ident: $of:ty)* $(,)?) $(-> $answer:ty)?;)*
    }) => {
        $(#[$about])*
        pub trait $name: Send + Sync {
            $(#[doc = concat!("See [`Store::", stringify!($method), "`].")]
            fn $method(&self $(, $argument: $of)*) $(-> $answer)?;)*
        }

        impl $name for Store {
            $(fn $method(&self $(, $argument: $of)*) $(-> $answer)? {
                Store::$method(self $(, $argument)*)
            })*
        }
    };
}

waist! {
    /// Metadata: one way to change it, and reads that see what is durable.
    trait MetaStore {
        fn commit(&self, ops: Vec<Op>, done: Done);
        fn watch(&self, mailbox: MailboxId, waker: Box<dyn Fn() + Send + Sync>) -> Watcher;
        fn changed_mailboxes(&self, shard: u8, after_seq: u64, limit: usize) -> Result<Option<Vec<(u64, MailboxId)>>, ReadError>;
        fn verify(&self) -> Result<Report, ReadError>;

        fn person(&self, login: &Login) -> Result<Option<PersonRow>, ReadError>;
        fn people(&self, after: Option<&Login>, limit: u32) -> Result<Vec<PersonRow>, ReadError>;
        fn people_count(&self) -> Result<u64, ReadError>;
        fn resolve(&self, address: &Address) -> Result<Resolution, ReadError>;
        fn owns(&self, login: &Login, address: &Address) -> Result<bool, ReadError>;
        fn aliases_of(&self, login: &Login) -> Result<Vec<Alias>, ReadError>;
        fn leads(&self, address: &Address) -> Result<Leads, ReadError>;
        fn followers(&self, address: &Address) -> Result<Vec<Address>, ReadError>;
        fn functions_of(&self, login: &Login) -> Result<Vec<(Address, bool)>, ReadError>;
        fn people_due(&self, before_s: i64, limit: u32) -> Result<Vec<PersonRow>, ReadError>;
        fn people_standing(&self, after: Option<&Login>, limit: u32) -> Result<Vec<(Login, Vec<u8>)>, ReadError>;
        fn person_by_foreign(&self, foreign_id: &str) -> Result<Option<PersonRow>, ReadError>;
        fn people_of_unit(&self, unit: &str, after: Option<&Login>, limit: u32) -> Result<Vec<PersonRow>, ReadError>;
        fn units(&self, limit: u32) -> Result<Vec<String>, ReadError>;
        fn people_like(&self, text: &str, limit: u32) -> Result<Vec<PersonRow>, ReadError>;
        fn given(&self, what: &str) -> Result<Option<Given>, ReadError>;
        fn logins_given_to(&self, holder: &str, limit: u32) -> Result<Vec<String>, ReadError>;
        fn given_list(&self, after: &str, limit: u32) -> Result<Vec<Given>, ReadError>;
        fn aliases(&self, after: &str, limit: u32) -> Result<Vec<Alias>, ReadError>;
        fn accesses_since(&self, since_s: i64, limit: u32) -> Result<Vec<Access>, ReadError>;
        fn accesses_of(&self, login: &Login, limit: u32) -> Result<Vec<Access>, ReadError>;
        fn login_was_given(&self, login: &Login) -> Result<bool, ReadError>;

        fn usage(&self, login: &Login) -> Result<Usage, ReadError>;
        fn mailboxes(&self, login: &Login) -> Result<Vec<MailboxInfo>, ReadError>;
        fn mailbox(&self, login: &Login, name: &MailboxName) -> Result<Option<MailboxInfo>, ReadError>;
        fn mailbox_by_id(&self, mailbox: MailboxId) -> Result<Option<MailboxInfo>, ReadError>;
        fn subscriptions(&self, login: &Login) -> Result<Vec<MailboxName>, ReadError>;
        fn annotations(&self, login: &Login, mailbox: Option<&MailboxName>) -> Result<Vec<(String, Vec<u8>)>, ReadError>;
        fn deleted_octets(&self, mailbox: MailboxId) -> Result<u64, ReadError>;
        fn grants(&self, mailbox: MailboxId) -> Result<Vec<Grant>, ReadError>;
        fn shared_with(&self, names: &[Grantee], limit: u32) -> Result<Vec<SharedMailbox>, ReadError>;
        fn account_of(&self, mailbox: MailboxId) -> Result<Option<Login>, ReadError>;

        fn select(&self, login: &Login, name: &MailboxName) -> Result<Option<Selected>, ReadError>;
        fn messages(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<MessageRow>, ReadError>;
        fn changes_since(&self, mailbox: MailboxId, since: Modseq) -> Result<Option<Changes>, ReadError>;
        fn vanished_since(&self, mailbox: MailboxId, since: Modseq, limit: usize) -> Result<Option<Vanished>, ReadError>;
        fn listing(&self, mailbox: MailboxId, since: Modseq) -> Result<Option<Listing>, ReadError>;
        fn renderings(&self, mailbox: MailboxId, uids: &UidSet, parts: SummaryParts, octets_max: usize) -> Result<Renderings, ReadError>;
        fn summaries(
            &self, mailbox: MailboxId, uids: &UidSet, parts: SummaryParts, limit: usize,
        ) -> Result<Vec<(u32, Summary)>, ReadError>;
        fn identities(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<MessageIdentity>, ReadError>;
        fn bodies_of(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<(u32, BodyRef)>, ReadError>;

        fn search_candidates(&self, mailbox: MailboxId, texts: &[String]) -> Vec<Candidates>;

        fn queue_due(&self, now_s: i64, limit: usize) -> Result<Vec<QueueItem>, ReadError>;
        fn queue_next_due(&self) -> Result<Option<i64>, ReadError>;
        fn queue_item(&self, queue_id: QueueId) -> Result<Option<QueueItem>, ReadError>;
        fn queue_list(&self, after: Option<QueueId>, limit: usize) -> Result<Vec<QueueItem>, ReadError>;
        fn queue_waits(&self, after: Option<(QueueId, u32)>, limit: usize) -> Result<Vec<Waits>, ReadError>;
        fn queue_count(&self) -> Result<u64, ReadError>;

        fn quarantined(&self, after: Option<QueueId>, limit: usize) -> Result<Vec<Quarantined>, ReadError>;
        fn kept(&self, kind: Kept, after: Option<QueueId>, limit: usize) -> Result<Vec<Quarantined>, ReadError>;
        fn kept_one(&self, id: QueueId) -> Result<Option<Quarantined>, ReadError>;
        fn kept_amounts(&self, kind: Kept) -> Result<KeptAmounts, ReadError>;
        fn copies_of(&self, deliveries: &[DeliveryId]) -> Result<Vec<CopyOf>, ReadError>;
        fn taken(&self, item: QueueId) -> Result<Vec<TakenCopy>, ReadError>;
        fn losses(&self, limit: usize) -> Result<Vec<Loss>, ReadError>;
        fn losses_of(&self, queue_id: QueueId, limit: usize) -> Result<Vec<Loss>, ReadError>;
        fn decisions_with(&self, text: &str, limit: usize) -> Result<Vec<(i64, String)>, ReadError>;
        fn decisions(&self, limit: usize) -> Result<Vec<(i64, String)>, ReadError>;
        fn decisions_page(&self, since_s: i64, after_id: i64, limit: usize) -> Result<Vec<(i64, i64, String)>, ReadError>;
        fn deliveries(&self, shard: u8, after: DeliveryId, limit: usize) -> Result<Vec<Delivery>, ReadError>;
        fn deliveries_before(
            &self, shard: u8, before: DeliveryId, since: DeliveryId, limit: usize,
        ) -> Result<Vec<Delivery>, ReadError>;
        fn deliveries_marked(
            &self, shard: u8, mark: u64, after: DeliveryId, rows: usize,
        ) -> Result<(Vec<Delivery>, Option<DeliveryId>), ReadError>;
        fn load_rings(&self) -> Result<Vec<Ring>, ReadError>;
        fn setting(&self, key: &str) -> Result<Option<Vec<u8>>, ReadError>;
        fn settings(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>, ReadError>;
        fn token_counts(&self, bucket: u32, tokens: &[u64]) -> Result<Vec<TokenCounts>, ReadError>;
        fn statistics(&self, bucket: u32, after: Option<u64>, limit: usize) -> Result<Vec<(u64, TokenCounts)>, ReadError>;
        fn audit(&self, limit: usize) -> Result<Vec<(i64, String, String)>, ReadError>;
        fn audit_page(
            &self, before_id: Option<i64>, who: Option<&str>, about: Option<&str>, limit: usize,
        ) -> Result<Vec<AuditRow>, ReadError>;
    }
}

waist! {
    /// Bodies: written by whoever has them, durable with the commit that names them, released when no row does.
    trait BlobStore {
        fn put_body(&self, content: &[&[u8]]) -> Result<BodyRef, PutError>;
        fn put_body_for(&self, envelope: &RecordEnvelope, head: &[u8], content: &[&[u8]]) -> Result<BodyRef, PutError>;
        fn spill(&self) -> std::io::Result<Spill>;
        fn put_body_from_spill(&self, envelope: &RecordEnvelope, head: &[u8], spill: &Spill) -> Result<BodyRef, PutError>;
        fn put_body_with(
            &self, envelope: &RecordEnvelope, head: &[u8], content: &Source<'_>, inserted: &Inserted<'_>,
        ) -> Result<BodyRef, PutError>;
        fn read_body(&self, body: &BodyRef) -> Result<Vec<u8>, ReadError>;
        fn read_body_range(&self, body: &BodyRef, offset: u64, len: u64) -> Result<Vec<u8>, ReadError>;
        fn compact(&self, keep_s: u64, progress: &mut dyn FnMut(Progress)) -> Result<Compacted, CompactError>;
    }
}
