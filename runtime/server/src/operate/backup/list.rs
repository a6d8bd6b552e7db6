//! `facteur backup list`.

use serde::{Deserialize, Serialize};

use super::snapshots;
use crate::operate::{Context, OperateError, Operation, Progress};

/// `POST /backup/list`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListBackups {}

/// Oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backups {
    pub backups: Vec<KeptBackup>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBackup {
    pub name: String,
    pub messages: u64,
    pub segments: u64,
    /// Of its segments, shared with the store and with other backups.
    pub segment_octets: u64,
    /// Why it cannot be read.
    pub trouble: Option<String>,
}

impl Operation for ListBackups {
    type Response = Backups;
    const PATH: &'static str = "/backup/list";
    const LONG: bool = false;

    fn act(&self) -> decide::roles::Act {
        decide::roles::Act::Maintain
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Backups, OperateError> {
        let listed = snapshots(context)?.list()?.into_iter().map(|listed| {
            let name = listed.name.to_string();
            match listed.content {
                Ok(content) => KeptBackup {
                    name,
                    messages: content.databases.iter().map(|database| database.messages).sum(),
                    segments: content.segments,
                    segment_octets: content.segment_octets,
                    trouble: None,
                },
                Err(error) => KeptBackup { name, trouble: Some(error.to_string()), ..KeptBackup::default() },
            }
        });
        Ok(Backups { backups: listed.collect() })
    }
}
