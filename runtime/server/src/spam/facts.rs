//! What the server knows of a message beside its octets.

use std::net::IpAddr;

use spam::form::{Authentication, Listed, Outcome, Signed};

use super::colleagues;
use crate::authenticate::{Checked, Results, SpfResult};
use crate::service::Service;

/// Facts about one message, for passes on any thread.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub now_s: i64,
    /// `None` for `<>`.
    pub reverse_path: Option<String>,
    /// Who handed it over, where that is a stranger.
    pub stranger: Option<IpAddr>,
    pub hello: Option<String>,
    /// What the step `Authenticate` found; `None` before it, and where nobody was asked.
    pub results: Option<Results>,
    /// Lists in DNS that noted the client.
    pub listed: Vec<String>,
}

impl Facts {
    /// Asks `judge` with these facts as a pass wants them.
    pub fn with<T>(&self, service: &Service, judge: impl FnOnce(&spam::form::Facts<'_>) -> T) -> T {
        let asked = self.results.as_ref().and_then(|results| Some((results, results.spf.as_ref()?)));
        let dkim: Vec<Signed<'_>> = asked.iter().flat_map(|(results, _)| &results.dkim).map(signed).collect();
        let authentication = asked.map(|(results, spf)| Authentication {
            spf: spf_outcome(spf.result),
            dkim: &dkim,
            dmarc: outcome(results.dmarc.result),
        });
        let listed: Vec<Listed<'_>> = self.listed.iter().map(|list| Listed { list, thousandths: None }).collect();
        let own_domains: Vec<&str> = service.spam.own_domains.iter().map(String::as_str).collect();
        let known =
            colleagues::Known { names: &service.spam.names, store: &service.store, redirects: &service.redirects };
        judge(&spam::form::Facts {
            now: Some(self.now_s),
            authentication,
            reverse_path: Some(self.reverse_path.as_deref().unwrap_or_default()),
            client: self.stranger,
            hello: self.hello.as_deref(),
            listed: &listed,
            own_domains: &own_domains,
            colleagues: &known,
        })
    }
}

fn signed(signature: &crate::authenticate::Signature) -> Signed<'_> {
    Signed { domain: &signature.domain, outcome: outcome(signature.result) }
}

fn outcome(result: Checked) -> Outcome {
    match result {
        Checked::None => Outcome::None,
        Checked::Pass => Outcome::Pass,
        Checked::Fail => Outcome::Fail,
        Checked::Neutral => Outcome::Neutral,
        Checked::TempError => Outcome::TempError,
        Checked::PermError => Outcome::PermError,
    }
}

fn spf_outcome(result: SpfResult) -> Outcome {
    match result {
        SpfResult::None => Outcome::None,
        SpfResult::Neutral => Outcome::Neutral,
        SpfResult::Pass => Outcome::Pass,
        SpfResult::Fail => Outcome::Fail,
        SpfResult::SoftFail => Outcome::SoftFail,
        SpfResult::TempError => Outcome::TempError,
        SpfResult::PermError => Outcome::PermError,
    }
}
