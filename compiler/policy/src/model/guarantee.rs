//! What must stay true, and what was waived.

use serde::Deserialize;

use super::literal::{Date, Rate};
use crate::syntax::{Items, Spanned};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Guarantee {
    NoOpenRelay,
    NobodyPosesAsUs {
        from: Items<String>,
    },
    NoClearPassword {
        from: Items<String>,
    },
    NotReachable {
        what: Items<plan::Reach>,
        from: Items<String>,
    },
    OnlyFrom(Items<String>),
    EveryMessageScanned {
        by: Items<String>,
        on: Items<plan::Direction>,
        before: plan::ReceptionStep,
        #[serde(default)]
        late: u32,
    },
    VirusIsSilent {
        on: Items<plan::Direction>,
    },
    SpamIsAlwaysDelivered,
    EveryLossIsRecorded,
    RedirectsStayProfessional,
    SameServiceForAll {
        #[serde(default)]
        except: Items<plan::EqualityExcept>,
    },
    AtMost {
        recipients: Rate,
        of: plan::Of,
        via: Via,
    },
    NoMailLeaves,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum Via {
    AnyBlock,
    Block(Spanned<String>),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    pub lint: Spanned<String>,
    pub at: String,
    pub because: String,
    pub until: Date,
}
