//! Who may tell for whom it speaks. What is told becomes the address of limits, logs and trace lines; the class stays that
//! of the socket.

use plan::{ClientAddress, Network};

use crate::class::{ClassId, ClassKind};
use crate::tables::Tables;

/// How a client class tells the true client's address, if it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// Nothing it says of others is believed.
    Nothing,
    /// A `Front`: by XCLIENT or by PROXY v2.
    Either,
    /// PROXY v2, before anything else on the connection.
    Proxy2,
    Xclient,
    /// In the Received field at this depth, 1 the newest.
    Received {
        depth: u32,
    },
}

impl Tells {
    /// May XCLIENT be said?
    pub fn by_xclient(self) -> bool {
        matches!(self, Tells::Either | Tells::Xclient)
    }
}

impl Tables {
    /// How the clients of this class tell for whom they speak. A gateway has a block on its own listeners only, so the
    /// listener needs no look.
    pub fn tells(&self, class: ClassId) -> Tells {
        let name = self.class_name(class);
        match self.class_kind(class) {
            ClassKind::Application => Tells::Nothing,
            ClassKind::Network => match self.plan().networks.get(name) {
                Some(Network::Front(_)) => Tells::Either,
                Some(Network::In(_) | Network::Rest) | None => Tells::Nothing,
            },
            ClassKind::Gateway => match self.plan().gateways.get(name).map(|gateway| &gateway.client_address) {
                Some(ClientAddress::Received { depth }) => Tells::Received { depth: *depth },
                Some(ClientAddress::Proxy2) => Tells::Proxy2,
                Some(ClientAddress::Xclient) => Tells::Xclient,
                None => Tells::Nothing,
            },
        }
    }
}
