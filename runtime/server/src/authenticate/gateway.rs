//! Results others found: a gateway the policy names, and seals of sealers it trusts.

use std::net::IpAddr;

use decide::Alignment;
use mail::{Domain, header};
use plan::{GatewayResults, Plan};

use super::authors;
use super::dmarc::organisational;
use super::field::{Field, Method};
use super::results::{Chain, Checked, Dmarc, Results, Spf};
use super::spf::SpfResult;

/// The `authserv-id` we believe from this client, where it is a gateway of the policy that tells its results.
pub fn believed<'p>(plan: &'p Plan, client: IpAddr, listener: &str) -> Option<&'p str> {
    let gateway = plan.gateways.values().find(|gateway| {
        gateway.from.iter().any(|prefix| prefix.contains(client)) && gateway.on.iter().any(|on| on == listener)
    })?;
    match &gateway.results {
        GatewayResults::AuthenticationResults(id) => Some(id),
        GatewayResults::Nothing => None,
    }
}

/// What the topmost field of `id` says (RFC 8601 5); nothing when there is none.
pub fn results(head: &[u8], id: &str, from: &[String]) -> Results {
    let mut fields = header::fields(head).filter(|field| field.is("authentication-results"));
    let topmost = fields.find_map(|field| {
        let read = Field::read(&String::from_utf8_lossy(field.raw_value()));
        read.authserv_id.eq_ignore_ascii_case(id).then_some(read)
    });
    let field = topmost.unwrap_or_default();
    let spf = field.methods("spf").find(|spf| spf.property("smtp.mailfrom").is_some());
    let spf = spf.map(|method| Spf {
        result: SpfResult::from_word(&method.result).unwrap_or(SpfResult::None),
        domain: domain_of(method.property("smtp.mailfrom").unwrap_or_default()).to_owned(),
        hello: SpfResult::None,
        hello_name: String::new(),
    });
    let authors = authors(head, from);
    let said = field.methods("dmarc").next();
    let dmarc = Dmarc {
        result: said.and_then(|dmarc| Checked::from_word(&dmarc.result)).unwrap_or_default(),
        from: match authors.domains.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
        ..Dmarc::default()
    };
    let aligned = |domain: &Domain| match said {
        _ if !authors.sound || authors.domains.len() != 1 => Alignment::NotAligned,
        Some(dmarc) if Checked::from_word(&dmarc.result) == Some(Checked::TempError) => Alignment::Unknown,
        _ if agrees(&field, domain) => Alignment::Aligned,
        _ => Alignment::NotAligned,
    };
    let claims = authors.domains.iter().map(|domain| (domain.clone(), aligned(domain))).collect();
    // An empty SPF still says that results were looked for.
    let spf = spf.or(Some(Spf {
        result: SpfResult::None,
        domain: String::new(),
        hello: SpfResult::None,
        hello_name: String::new(),
    }));
    Results { spf, dkim: Vec::new(), dmarc, arc: Chain::default(), claims, by: Some(id.to_owned()) }
}

/// Did a sealer we trust see the message aligned with `from`, before it changed on the way (RFC 8617 7.2)?
pub fn sealed(arc: &Chain, sealers: &[Domain], from: &Domain) -> bool {
    let trusted = sealers.iter().any(|sealer| sealer.as_str() == arc.sealer);
    arc.result == Checked::Pass && trusted && agrees(&Field::read_sealed(&arc.said), from)
}

/// Does the field say that DMARC, SPF or DKIM passed for `from`?
fn agrees(field: &Field, from: &Domain) -> bool {
    let organisation = organisational(from);
    let about = |value: Option<&str>| {
        let domain = value.and_then(|value| domain_of(value).parse::<Domain>().ok());
        domain.is_some_and(|domain| domain == *from || organisational(&domain) == organisation)
    };
    let passed = |method: &&Method| method.result == "pass";
    let dmarc = field.methods("dmarc").filter(passed).any(|dmarc| {
        // Some sealers leave the property out: From is under their seal.
        dmarc.property("header.from").is_none() || about(dmarc.property("header.from"))
    });
    let dkim = field.methods("dkim").filter(passed);
    let mut dkim = dkim.map(|dkim| dkim.property("header.d").or(dkim.property("header.i")));
    let mut spf = field.methods("spf").filter(passed).map(|spf| spf.property("smtp.mailfrom"));
    dmarc || dkim.any(about) || spf.any(about)
}

fn domain_of(value: &str) -> &str {
    value.rsplit_once('@').map_or(value, |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(head: &str) -> Vec<(String, Alignment)> {
        let found = results(head.as_bytes(), "filter.example", &["jean@univ.example".to_owned()]);
        found.claims.into_iter().map(|(domain, aligned)| (domain.to_string(), aligned)).collect()
    }

    #[test]
    fn only_the_topmost_field_of_the_gateway_counts() {
        for (fields, aligned) in [
            ("Authentication-Results: filter.example; dmarc=pass header.from=univ.example\r\n", Alignment::Aligned),
            ("Authentication-Results: other.example; dmarc=pass header.from=univ.example\r\n", Alignment::NotAligned),
            (
                "Authentication-Results: Filter.example; dmarc=fail\r\n\
                 Authentication-Results: filter.example; dmarc=pass header.from=univ.example\r\n",
                Alignment::NotAligned,
            ),
            ("Authentication-Results: filter.example; dmarc=temperror\r\n", Alignment::Unknown),
            ("Authentication-Results: filter.example; dmarc=pass header.from=evil.example\r\n", Alignment::NotAligned),
            ("", Alignment::NotAligned),
        ] {
            let head = format!("{fields}From: <jean@univ.example>\r\n\r\n");
            assert_eq!(claims(&head), [("univ.example".to_owned(), aligned)], "{fields}");
        }
    }

    #[test]
    fn a_seal_counts_when_it_is_trusted_whole_and_about_the_author() {
        let from: Domain = "univ.example".parse().unwrap();
        let chain = |result, sealer: &str, said: &str| Chain {
            result,
            instance: 1,
            sealer: sealer.to_owned(),
            said: said.to_owned(),
        };
        let said = "i=1; lists.example; dmarc=pass header.from=univ.example";
        let trusted = ["lists.example".parse().unwrap()];
        assert!(sealed(&chain(Checked::Pass, "lists.example", said), &trusted, &from));
        assert!(!sealed(&chain(Checked::Fail, "lists.example", said), &trusted, &from));
        assert!(!sealed(&chain(Checked::Pass, "evil.example", said), &trusted, &from));
        let other = "i=1; lists.example; dmarc=pass header.from=evil.example; spf=fail smtp.mailfrom=univ.example";
        assert!(!sealed(&chain(Checked::Pass, "lists.example", other), &trusted, &from));
    }
}
