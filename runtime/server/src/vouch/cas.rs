//! CAS protocol 3.0: a browser comes back with a ticket, which we have validated at `/p3/serviceValidate`.

use super::cas_answer::{self, NoUser};
use super::{NotVouched, coded};
use crate::service::Service;
use crate::tokens::fetch;

/// Longest ticket; clients have to take 256 (3.1.1).
const TICKET_OCTETS_MAX: usize = 1_024;

/// One server.
pub struct Cas {
    at: String,
}

impl Cas {
    pub fn new(at: &str) -> Cas {
        Cas { at: at.trim_end_matches('/').to_owned() }
    }

    /// Where a browser asks for a ticket.
    pub fn out(&self, back: &str, state: &str) -> String {
        format!("{}/login?service={}", self.at, coded(&service_url(back, state)))
    }

    /// Has a ticket validated. It is good once, and for the service it was asked for with.
    pub async fn login(&self, service: &Service, back: &str, state: &str, ticket: &str) -> Result<String, NotVouched> {
        if ticket.is_empty() || ticket.len() > TICKET_OCTETS_MAX {
            return Err(NotVouched::Bad("no ticket"));
        }
        let url = validation(&self.at, &service_url(back, state), ticket);
        let octets = fetch::get(service.into(), &url, fetch::XML).await;
        let octets = octets.map_err(|why| NotVouched::Down(format!("{}: {why}", self.at)))?;
        cas_answer::user(&octets).map_err(|no| match no {
            NoUser::Refused => NotVouched::Bad("the ticket is not good"),
            NoUser::NoAnswer => NotVouched::Down(format!("{}: what it says is no answer of CAS", self.at)),
        })
    }
}

/// Where we are, as the server knows it: with the state, so that a ticket is of one outing.
fn service_url(back: &str, state: &str) -> String {
    format!("{back}?state={}", coded(state))
}

pub fn validation(at: &str, service: &str, ticket: &str) -> String {
    format!("{at}/p3/serviceValidate?service={}&ticket={}", coded(service), coded(ticket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_stays_in_its_own_field() {
        let url = validation("https://cas.example", "https://mail.example/back?state=a.b", "ST-1&service=https://x/#");
        let expected = "https://cas.example/p3/serviceValidate?service=https%3A%2F%2Fmail.example%2Fback%3Fstate%3Da.b\
                        &ticket=ST-1%26service%3Dhttps%3A%2F%2Fx%2F%23";
        assert_eq!(url, expected);
    }
}
