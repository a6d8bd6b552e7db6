//! `facteur dns`: the public halves of the keys that sign.

use std::collections::BTreeMap;

use mail::Domain;
use plan::SigningAlgorithm;
use serde::{Deserialize, Serialize};

use super::{Context, OperateError, Operation, Progress};
use crate::signing::keys;
use crate::signing::rotation::State;

/// `POST /signing/keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningKeys {
    pub domains: Vec<Domain>,
}

/// A key whose record belongs in DNS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    pub selector: String,
    pub algorithm: SigningAlgorithm,
    /// In the words of the rotation: `published`, `signing`, `retired`, `revoked`.
    pub state: State,
    /// The tag `p=`; empty for a revoked key.
    pub public: String,
}

impl Operation for SigningKeys {
    type Response = BTreeMap<Domain, Vec<PublicKey>>;
    const PATH: &'static str = "/signing/keys";
    const LONG: bool = false;

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Self::Response, OperateError> {
        let mut all = BTreeMap::new();
        for domain in self.domains {
            let rows = keys::read(&context.store, &domain)?;
            let key = |row: keys::Row| PublicKey {
                selector: row.life.selector,
                algorithm: row.life.algorithm,
                public: if row.life.state == State::Revoked { String::new() } else { row.public },
                state: row.life.state,
            };
            all.insert(domain, rows.into_iter().map(key).collect());
        }
        Ok(all)
    }
}
