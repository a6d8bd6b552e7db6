//! One mail transaction as the driver keeps it: the decision's state, the recipients, the content.

use std::collections::BTreeMap;
use std::sync::Arc;

use decide::{Accepted, Auth, Cell, Client, Reason, RecipientClass, Refusal, Transaction};
use mail::{Address, Login, ReversePath, reply};
use proto::smtp::{ForwardPath, MailParameters, RcptParameters};
use store::{QueueId, Resolution};

use crate::content::Content;
use crate::delegations::Manner;
use crate::directory::{self, Found};
use crate::ldap::{self, Sought};
use crate::recording::{self, Recorded};
use crate::service::Service;
use crate::world::asking::{self, Known};
use crate::{clock, random, standing};

/// A transaction whose MAIL was accepted. Dropping it gives its reservations back.
pub struct Open {
    service: Arc<Service>,
    /// `None` once it ended.
    decided: Option<Transaction>,
    /// What it was judged by, for the decision log.
    recorded: Arc<Recorded>,
    pub queue_id: QueueId,
    pub reverse_path: ReversePath,
    /// What MAIL asked for.
    pub parameters: MailParameters,
    declared_octets: u64,
    /// In the order of RCPT, each address once.
    pub recipients: Vec<Recipient>,
    /// The folded address of each RCPT that was accepted, the same one again as well: LMTP answers each.
    pub asked: Vec<String>,
    pub content: Option<Content>,
    /// What the step `Authenticate` found.
    pub authenticated: crate::authenticate::Authenticated,
    /// What the step `Antispam` found.
    pub judgement: Option<crate::spam::Judgement>,
    /// Engines that were down when the message passed, and owe it a look.
    pub owed_scans: Vec<String>,
    /// Who sent it on behalf of its author, where no field says so yet (RFC 5322 3.6.2).
    pub sender: Option<Address>,
    /// The content could not be kept.
    pub content_lost: bool,
    /// Why all of it waits in the spool until somebody releases it.
    pub held_because: Option<String>,
}

/// An accepted recipient.
pub struct Recipient {
    pub forward_path: Address,
    pub found: Found,
    /// What RCPT asked for.
    pub parameters: RcptParameters,
}

/// Why recipients of a message are refused at its end, by folded address.
pub type Tight = BTreeMap<String, Refusal>;

impl Open {
    /// Judges MAIL.
    pub fn mail(
        service: &Arc<Service>,
        client: &Client,
        reverse_path: ReversePath,
        parameters: MailParameters,
    ) -> Result<Open, Refusal> {
        if service.is_draining() {
            let text = "no new mail is taken now, try later";
            return Err(Refusal::new(reply::SHUTTING_DOWN, Reason::StoreTrouble, "", text));
        }
        if let Some(account) = &client.account {
            standing::may_send(service, &account.login)?;
            crate::passwords::expiry::may_send(service, &account.login)?;
        }
        let tables = &service.tables;
        let sender = tables.sender_class(&reverse_path, owns(service, client, &reverse_path)?);
        let size_octets = parameters.size_octets;
        let judged = recording::mail(service, client, sender, size_octets);
        let (decided, recorded) = judged.inspect_err(|refusal| lost(service, refusal, &reverse_path, ""))?;
        Ok(Open {
            service: service.clone(),
            decided: Some(decided),
            recorded: Arc::new(recorded),
            queue_id: QueueId(random::timed_id(clock::unix_ms())),
            reverse_path,
            parameters,
            declared_octets: size_octets.unwrap_or(0),
            recipients: Vec::new(),
            asked: Vec::new(),
            content: None,
            authenticated: crate::authenticate::Authenticated::default(),
            judgement: None,
            owed_scans: Vec::new(),
            sender: None,
            content_lost: false,
            held_because: None,
        })
    }

    /// Judges one RCPT.
    pub async fn recipient(&mut self, forward_path: &ForwardPath, parameters: RcptParameters) -> Result<(), Refusal> {
        let service = self.service.clone();
        let (tables, store) = (&service.tables, &service.store);
        let look_up = |address: &Address| {
            let mut found = service.directory.find(tables, store, &self.reverse_path, address, self.declared_octets);
            let kept = found.notes.drain(..).all(|note| service.records.behind(note));
            service.metrics.records_dropped.inc_by(u64::from(!kept));
            found
        };
        let (forward_path, found) = match forward_path {
            ForwardPath::Address(address) => (Some(address.clone()), Some(look_up(address))),
            // RFC 5321 4.5.1: the one address without a domain.
            ForwardPath::Postmaster => {
                let address = Address::new("postmaster", tables.plan().institution.domain.clone()).ok();
                (address.clone(), address.as_ref().map(look_up))
            }
            ForwardPath::Malformed(_) => (None, None),
        };
        let mut found = found;
        let folded = found.as_ref().map(|found| found.address.folded()).unwrap_or_default();
        let now = service.clock.now();
        let is_open = |decided: &Transaction| decided.is_open(tables, &service.rings(), &folded, now);
        let judged = self.decided.as_ref().is_some_and(is_open);
        // INVARIANT (no-amplifier): whom a limit answers makes us ask nobody.
        if let Some(found) = found.as_mut().filter(|_| judged) {
            ask_there(&service, found).await;
            if is_new(&service, found).await {
                *found = look_up(&found.address.clone());
            }
        }
        let class = found.as_ref().map_or(RecipientClass::Malformed, |found| found.class);
        let now = service.clock.now();
        // INVARIANT (open-decided): `decided` is there until `end`, which consumes this value.
        let Some(decided) = &mut self.decided else { return Ok(()) };
        let judged = {
            let mut rings = service.rings();
            let judged = decided.rcpt(tables, &mut rings, class, &folded, now);
            self.recorded.recipient(rings.turn(), now, class, &folded, judged.as_ref().err());
            judged
        };
        match judged {
            Ok(Accepted::New) => {
                if let (Some(forward_path), Some(found)) = (forward_path, found) {
                    self.recipients.push(Recipient { forward_path, found, parameters });
                }
                self.asked.push(folded);
                Ok(())
            }
            Ok(Accepted::Again) => {
                self.asked.push(folded);
                Ok(())
            }
            Err(refusal) => {
                lost(&service, &refusal, &self.reverse_path, &folded);
                Err(refusal)
            }
        }
    }

    /// The rule of a limit that is near since the last command.
    pub fn nearing(&self) -> Option<String> {
        let service = &self.service;
        let now = service.clock.now();
        self.decided.as_ref()?.nearing(&service.tables, &mut service.rings(), now)
    }

    /// What limits that only watch would have refused since the last command.
    pub fn would_refuse(&mut self) -> Vec<decide::Would> {
        self.decided.as_mut().map(Transaction::would_refuse).unwrap_or_default()
    }

    /// The content begins.
    pub fn start_content(&mut self) {
        self.content = Some(Content::new(self.service.store.clone(), self.service.held.clone()));
    }

    /// More of the content. A content that cannot be kept is read to its end all the same.
    pub fn append(&mut self, octets: &[u8]) {
        if self.content_lost {
            return;
        }
        let Some(content) = &mut self.content else { return };
        if let Err(error) = content.append(octets) {
            tracing::error!(queue_id = %self.queue_id, "the content cannot be kept: {error}");
            self.content_lost = true;
            self.content = None;
        }
    }

    /// Judges the form of a whole content.
    pub fn judge_content(&self, octets: u64, is_report: bool) -> Result<(), Refusal> {
        self.recorded.content(|end| end.report = Some(is_report));
        match &self.decided {
            Some(decided) => decided.content(&self.service.tables, octets, is_report),
            None => Ok(()),
        }
    }

    /// Judges a whole content by its true size, which SIZE may not have told. One reply answers for all recipients and
    /// who was accepted is delivered: it is refused only when no recipient has the room it had at RCPT. What others
    /// delivered meanwhile does not count.
    pub fn judge_room(&self, client: &Client, octets: u64) -> Result<(), Refusal> {
        let tight = |recipient: &Recipient| recipient.found.is_too_small_for(octets);
        let Some(decided) = &self.decided else { return Ok(()) };
        if octets <= self.declared_octets || !self.recipients.iter().all(tight) {
            return Ok(());
        }
        full(&self.service, client, decided).map_or(Ok(()), Err)
    }

    /// The same where each recipient has its own reply (RFC 2033 4.2): those without room for so many octets are taken out
    /// and told why.
    pub fn split_tight(&mut self, client: &Client, octets: u64) -> Tight {
        let Some(decided) = &self.decided else { return Tight::new() };
        let Some(refusal) = full(&self.service, client, decided).filter(|_| octets > self.declared_octets) else {
            return Tight::new();
        };
        let tight = self.recipients.extract_if(.., |recipient| recipient.found.is_too_small_for(octets));
        let tight: Tight = tight.map(|recipient| (recipient.found.address.folded(), refusal.clone())).collect();
        for (folded, refusal) in &tight {
            lost(&self.service, refusal, &self.reverse_path, folded);
        }
        tight
    }

    /// The client heard 250: what was reserved is used.
    pub fn accepted(mut self) {
        self.end(true);
    }

    fn end(&mut self, accepted: bool) {
        let Some(decided) = self.decided.take() else { return };
        let mut rings = self.service.rings();
        decided.end(&mut rings, accepted);
        self.recorded.ended(rings.turn(), self.service.clock.now(), accepted);
    }

    /// What the decision log has of it.
    pub fn recorded(&self) -> &Arc<Recorded> {
        &self.recorded
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.end(false);
    }
}

/// Asks the next hop of a passed-on domain, where it is who knows.
async fn ask_there(service: &Arc<Service>, found: &mut Found) {
    let Some((next_hop, cache_s)) = found.asks.take() else { return };
    found.class = match asking::ask(service, &next_hop, &found.address, cache_s).await {
        Known::Yes => RecipientClass::PassedOn,
        Known::No => RecipientClass::Unknown,
        Known::Unsure => RecipientClass::Unsure,
    };
}

/// Is the recipient somebody who was not here until now? While no directory server can be asked, nobody is unknown.
async fn is_new(service: &Arc<Service>, found: &mut Found) -> bool {
    let Some(ldap) = service.ldap.as_ref().filter(|_| found.may_be_new) else { return false };
    let base = directory::base(&service.tables, &found.address).map(|(base, _)| base);
    let addresses: Vec<Address> = std::iter::once(found.address.clone()).chain(base).collect();
    let sought = ldap::seek(service, ldap, &addresses).await;
    if sought == Sought::Unsure {
        found.class = RecipientClass::Unsure;
    }
    sought == Sought::Found
}

/// What the table says to a recipient without room.
fn full(service: &Service, client: &Client, decided: &Transaction) -> Option<Refusal> {
    let auth = if client.account.is_some() { Auth::Good } else { Auth::None };
    let (sender, recipient) = (decided.sender(), RecipientClass::Full);
    let cell = Cell { listener: client.listener, class: client.class, tls: client.tls, auth, sender, recipient };
    service.tables.envelope(cell).refusal()
}

/// May this client write `reverse_path` as its own: its account's, or its application's?
pub(super) fn owns(service: &Service, client: &Client, reverse_path: &ReversePath) -> Result<bool, Refusal> {
    let Some(address) = reverse_path.address() else { return Ok(false) };
    if let Some(account) = &client.account {
        if delegated(service, client, address)?.is_some() {
            return Ok(true);
        }
        let owns = |address: &Address| service.store.owns(&account.login, address);
        // Whoever has an address has all that stands behind its separator, but for what is an address of its own.
        let owned = owns(address).and_then(|own| match directory::base(&service.tables, address) {
            Some((base, _)) if !own && service.store.resolve(address)? == Resolution::Unknown => owns(&base),
            _ => Ok(own),
        });
        return owned.map_err(|error| {
            tracing::error!("the directory cannot be read: {error}");
            Refusal::new(reply::TROUBLE, Reason::StoreTrouble, "", "the sender cannot be checked now, try later")
        });
    }
    let senders = service.tables.plan().senders.as_ref();
    let application = senders.and_then(|senders| senders.known.get(service.tables.class_name(client.class)));
    let folded = address.folded();
    Ok(application.is_some_and(|application| application.as_.iter().any(|own| own.folded() == folded)))
}

/// How this client may write `address` as an author, where it is that of somebody who lets them today.
pub(super) fn delegated(service: &Service, client: &Client, address: &Address) -> Result<Option<Manner>, Refusal> {
    let Some(account) = &client.account else { return Ok(None) };
    let gives = |owner: &Login| service.standings.of(owner).contained.is_none();
    let manner = service.delegations.manner(&service.store, &account.login, address, &service.today(), gives);
    manner.map_err(|error| {
        tracing::error!("the directory cannot be read: {error}");
        Refusal::new(reply::TROUBLE, Reason::StoreTrouble, "", "the sender cannot be checked now, try later")
    })
}

/// Leaves a record of what will not be tried again. A temporary refusal loses nothing yet.
pub(super) fn lost(service: &Service, refusal: &Refusal, reverse_path: &ReversePath, recipient: &str) {
    let Some(kind) = refusal.loss() else { return };
    if !service.records.refused(kind, reverse_path, recipient.to_owned(), refusal.reason.word()) {
        service.metrics.records_dropped.inc();
    }
}
