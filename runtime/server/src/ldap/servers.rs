//! The servers of a directory: tried in the order of the plan, each left alone for a while after it failed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use plan::Plan;
use proto::sasl::Secret;
use rustls::ClientConfig;

use super::connect::{self, Fault, Reach, SUCCESS};
use crate::site::Site;
use crate::world::certificate;

/// A server that failed is left alone for one, two, four … seconds, and for this at most.
const ALONE_MAX_S: u64 = 10;
/// Connections kept for binds.
const SPARE_MAX: usize = 4;

/// The servers and the connections to them.
pub struct Servers {
    reaches: Vec<Reach>,
    tls: Arc<ClientConfig>,
    /// Who asks; `None` asks anonymously.
    asker: Option<(String, Secret)>,
    standing: Mutex<Vec<Standing>>,
    /// The server that was asked last; none before the first.
    in_use: Mutex<Option<usize>>,
    /// The connection that is asked questions, and the server it is to.
    asking: tokio::sync::Mutex<Option<(usize, ldap3::Ldap)>>,
    /// Connections others were bound on.
    spare: Mutex<Vec<(usize, ldap3::Ldap)>>,
}

/// How one server does.
#[derive(Clone, Debug, Default)]
struct Standing {
    failures: u32,
    alone_until: Option<Instant>,
    trouble: String,
}

/// Why no directory can be had, whatever is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    NoSecret(String),
    Tls(String),
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unusable::NoSecret(name) => write!(f, "identity.ldap: the site has no secret `{name}`"),
            Unusable::Tls(why) => write!(f, "identity.ldap: {why}"),
        }
    }
}

impl Servers {
    /// `None` where the plan has no directory server.
    pub fn of(plan: &Plan, site: &Site) -> Result<Option<Servers>, Unusable> {
        let Some(ldap) = &plan.identity.ldap else { return Ok(None) };
        let asker = match &ldap.bind {
            None => None,
            Some(bind) => {
                let secret = site.secrets.get(&bind.password_secret);
                let secret = secret.ok_or_else(|| Unusable::NoSecret(bind.password_secret.clone()))?;
                Some((bind.dn.clone(), secret.clone()))
            }
        };
        let reaches: Vec<Reach> = ldap
            .servers
            .iter()
            .map(|server| Reach {
                host: server.host.clone(),
                port: u16::try_from(server.port).unwrap_or(0),
                tls: server.tls,
                at: site.host(&format!("{}:{}", server.host, server.port)),
            })
            .collect();
        let roots = Arc::new(certificate::authorities(&site.world.authorities));
        let tls = connect::tls(roots).map_err(|error| Unusable::Tls(error.to_string()))?;
        let standing = Mutex::new(vec![Standing::default(); reaches.len()]);
        let (in_use, asking, spare) = (Mutex::default(), tokio::sync::Mutex::default(), Mutex::default());
        Ok(Some(Servers { reaches, tls, asker, standing, in_use, asking, spare }))
    }

    fn standing(&self) -> MutexGuard<'_, Vec<Standing>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_use(&self) -> MutexGuard<'_, Option<usize>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_left_alone(&self, server: usize) -> bool {
        let standing = self.standing();
        let until = standing.get(server).and_then(|it| it.alone_until);
        until.is_some_and(|until| until > Instant::now())
    }

    /// Servers to try now, the one in use first. Nothing while all of them are left alone.
    pub fn in_turn(&self) -> Vec<usize> {
        let in_use = *self.in_use();
        let mut servers: Vec<usize> = (0..self.reaches.len()).filter(|server| !self.is_left_alone(*server)).collect();
        servers.sort_by_key(|server| Some(*server) != in_use);
        servers
    }

    /// A connection to `server` that questions may be asked on. Several use it at a time.
    pub async fn asking(&self, server: usize) -> Result<ldap3::Ldap, Fault> {
        let mut asking = self.asking.lock().await;
        if let Some((used, ldap)) = asking.as_mut()
            && *used == server
            && !ldap.is_closed()
        {
            return Ok(ldap.clone());
        }
        // Whoever waited behind one that failed does not wait as long again.
        if self.is_left_alone(server) {
            return Err(Fault::Connect("it failed a moment ago".to_owned()));
        }
        match self.asker_on(server).await {
            Ok(ldap) => {
                self.is_well(server);
                *self.in_use() = Some(server);
                *asking = Some((server, ldap.clone()));
                Ok(ldap)
            }
            Err(fault) => {
                self.note_failure(server, &fault);
                Err(fault)
            }
        }
    }

    /// A connection of its own, bound as the asker.
    pub async fn asker_on(&self, server: usize) -> Result<ldap3::Ldap, Fault> {
        let mut ldap = self.fresh(server).await?;
        if let Some((dn, secret)) = &self.asker {
            match connect::bind(&mut ldap, dn, secret).await? {
                SUCCESS => {}
                code => return Err(Fault::Bind(format!("code {code}"))),
            }
        }
        Ok(ldap)
    }

    /// A connection for a bind as somebody else; `spared` gives it back.
    pub async fn for_bind(&self, server: usize) -> Result<ldap3::Ldap, Fault> {
        let kept = || {
            let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
            spare.retain_mut(|(_, ldap)| !ldap.is_closed());
            let at = spare.iter().position(|(of, _)| *of == server)?;
            Some(spare.swap_remove(at).1)
        };
        match kept() {
            Some(ldap) => Ok(ldap),
            None => self.fresh(server).await,
        }
    }

    pub fn spared(&self, server: usize, ldap: ldap3::Ldap) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE_MAX {
            spare.push((server, ldap));
        }
    }

    /// A new connection, bound as nobody.
    pub async fn fresh(&self, server: usize) -> Result<ldap3::Ldap, Fault> {
        let reach = self.reaches.get(server).ok_or_else(|| Fault::Connect("no such server".to_owned()))?;
        connect::connect(reach, &self.tls).await
    }

    /// The next question begins with the first server again.
    pub async fn back_to_the_first(&self) {
        *self.asking.lock().await = None;
        *self.in_use() = None;
    }

    /// What was asked of `server` on the connection for questions failed: it is given up.
    pub async fn failed(&self, server: usize, fault: &Fault) {
        let mut asking = self.asking.lock().await;
        if asking.as_ref().is_some_and(|(used, _)| *used == server) {
            *asking = None;
        }
        drop(asking);
        self.note_failure(server, fault);
    }

    /// A server that failed is left alone; one that is left alone already did not fail again.
    pub fn note_failure(&self, server: usize, fault: &Fault) {
        if self.is_left_alone(server) {
            return;
        }
        let name = self.name(server);
        let mut standing = self.standing();
        let Some(it) = standing.get_mut(server) else { return };
        let alone_s = 1_u64.checked_shl(it.failures.min(16)).unwrap_or(ALONE_MAX_S).min(ALONE_MAX_S);
        it.alone_until = Some(Instant::now() + Duration::from_secs(alone_s));
        it.failures = it.failures.saturating_add(1);
        let trouble = fault.to_string();
        // An outage is a line when it begins and when it changes, not one for each who asks.
        if it.trouble != trouble {
            tracing::warn!(server = name, "a directory server cannot be asked: {trouble}");
        }
        it.trouble = trouble;
    }

    pub fn is_well(&self, server: usize) {
        let name = self.name(server);
        let mut standing = self.standing();
        let Some(it) = standing.get_mut(server) else { return };
        if it.failures > 0 {
            tracing::info!(server = name, "a directory server answers again");
        }
        *it = Standing::default();
    }

    /// `host:port` for people.
    pub fn name(&self, server: usize) -> String {
        self.reaches.get(server).map(Reach::to_string).unwrap_or_default()
    }

    pub fn count(&self) -> usize {
        self.reaches.len()
    }

    /// Each server with its trouble; empty when it has none that is known.
    pub fn troubles(&self) -> Vec<(String, String)> {
        let standing = self.standing();
        let troubles = standing.iter().map(|it| it.trouble.clone());
        self.reaches.iter().map(Reach::to_string).zip(troubles).collect()
    }
}
