//! Where a queued recipient goes: the entry of the plan it was accepted under, looked up anew at each try, because
//! routing after acceptance follows the current plan.

use std::fmt;
use std::str::FromStr;

use mail::{Address, Domain};
use plan::{Held, MailDomain, Plan, Remote};
use store::NextHop;

/// An entry of the plan that says where mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `routes.remote`.
    Remote,
    /// `routes.homes`, by name.
    Home(String),
    /// The next hop of a passed-on domain.
    Domain(Domain),
    /// `routes.held`: the mail store behind this server.
    Held,
}

/// The text is no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRoute;

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Route::Remote => f.write_str("remote"),
            Route::Home(name) => write!(f, "home:{name}"),
            Route::Domain(domain) => write!(f, "domain:{domain}"),
            Route::Held => f.write_str("held"),
        }
    }
}

impl FromStr for Route {
    type Err = BadRoute;

    fn from_str(text: &str) -> Result<Route, BadRoute> {
        match text.split_once(':') {
            None if text == "remote" => Ok(Route::Remote),
            None if text == "held" => Ok(Route::Held),
            Some(("home", name)) => Ok(Route::Home(name.to_owned())),
            Some(("domain", domain)) => domain.parse().map(Route::Domain).map_err(|_| BadRoute),
            _ => Err(BadRoute),
        }
    }
}

impl Route {
    /// As the store keeps it.
    pub fn next_hop(&self) -> NextHop {
        NextHop::Route(self.to_string())
    }
}

/// Where a try goes now. Ordered, so that recipients with one destination can be brought together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// What DNS says of the recipient's domain (RFC 5321 5.1).
    Mx,
    /// `host:port` that speaks SMTP.
    Smtp(String),
    /// `host:port` that speaks LMTP (RFC 2033).
    Lmtp(String),
    /// The mailboxes here that are behind the address.
    Local,
    /// This mailbox here keeps it.
    Capture(Address),
    /// The plan has no such entry any more: it waits for an operator.
    Gone,
}

/// The destination of `next_hop` under `plan`.
pub fn destination(plan: &Plan, next_hop: &NextHop) -> Destination {
    let route = match next_hop {
        NextHop::Mx => Route::Remote,
        NextHop::Local => return Destination::Local,
        NextHop::Route(text) => match text.parse() {
            Ok(route) => route,
            Err(BadRoute) => return Destination::Gone,
        },
    };
    match route {
        Route::Remote => match &plan.routes.remote {
            Remote::DirectMx => Destination::Mx,
            Remote::Smarthost(host) => Destination::Smtp(host.clone()),
            Remote::Capture(address) => Destination::Capture(address.clone()),
        },
        Route::Home(name) => plan.routes.homes.get(&name).map_or(Destination::Gone, written),
        Route::Held => match &plan.routes.held {
            Held::Lmtp(host) => Destination::Lmtp(host.clone()),
            Held::Mailbox => Destination::Gone,
        },
        Route::Domain(domain) => match plan.domains.get(domain.as_str()) {
            Some(MailDomain::PassOn { next_hop, .. }) => written(next_hop),
            Some(MailDomain::Held { .. } | MailDomain::AliasOf(_)) | None => Destination::Gone,
        },
    }
}

fn written(next_hop: &plan::NextHop) -> Destination {
    match next_hop {
        plan::NextHop::Smtp(host) => Destination::Smtp(host.clone()),
        plan::NextHop::Lmtp(host) => Destination::Lmtp(host.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_written_and_read_back() {
        let domain = Route::Domain("lists.example".parse().unwrap());
        for route in [Route::Remote, Route::Held, Route::Home("old:store".to_owned()), domain] {
            assert_eq!(route.to_string().parse(), Ok(route));
        }
        for bad in ["", "home", "remote:x", "domain:", "mx"] {
            assert_eq!(bad.parse::<Route>(), Err(BadRoute), "{bad:?}");
        }
    }
}
