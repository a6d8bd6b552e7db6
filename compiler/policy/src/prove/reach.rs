//! E0901 for guarantees about reaching and passwords: decided by visiting every pair of listener and client class, or
//! by the arithmetic of `blast`.

use decide::{Block, ClassKind, Tables};
use plan::{Guarantee, Listener, ListenerAuth, Reach, TlsMode, Window};

use super::{Decided, Places};
use crate::blast;
use crate::codes::Code;
use crate::defaults::service;
use crate::diagnostic::Diagnostic;
use crate::syntax::Span;

/// Decides one guarantee; `place` is where it is promised.
pub(super) fn judge(
    tables: &Tables,
    guarantee: &Guarantee,
    place: Span,
    places: &Places<'_>,
    sink: &mut Vec<Diagnostic>,
) -> Decided {
    let found = match guarantee {
        Guarantee::NoClearPassword { from } => clear_passwords(tables, from),
        Guarantee::NotReachable { what, from } => {
            reached(tables, |service, class| what.contains(&service) && from.iter().any(|name| name == class))
        }
        Guarantee::OnlyFrom(networks) => reached(tables, |_, class| !networks.iter().any(|name| name == class)),
        Guarantee::AtMost { recipients, .. } => at_most(tables, *recipients),
        // The caller sends none of these here.
        Guarantee::NoOpenRelay
        | Guarantee::NobodyPosesAsUs { .. }
        | Guarantee::EveryMessageScanned { .. }
        | Guarantee::VirusIsSilent { .. }
        | Guarantee::SpamIsAlwaysDelivered
        | Guarantee::EveryLossIsRecorded
        | Guarantee::RedirectsStayProfessional
        | Guarantee::SameServiceForAll { .. }
        | Guarantee::NoMailLeaves => Vec::new(),
    };
    let name = guarantee.name();
    if let Some(first) = found.first() {
        let mut diagnostic = Diagnostic::new(Code::E0901, format!("guarantee {name} is broken: {}", first.message))
            .help(first.help)
            .at(place, "promised here")
            .rule(format!("guarantees.{name}"));
        if let Some(span) = places.spans.get(&first.path) {
            diagnostic = diagnostic.also(*span, "broken here");
        }
        for other in &found[1..] {
            diagnostic = diagnostic.note(format!("also {}", other.message));
        }
        sink.push(diagnostic);
    }
    Decided { name, holds: found.is_empty(), remark: String::new() }
}

/// One way the guarantee is broken.
struct Breach {
    message: String,
    help: &'static str,
    /// The policy path that breaks it.
    path: String,
}

/// Every pair that a block serves: listener, its rules, network, block.
fn pairs(tables: &Tables) -> Vec<(String, Listener, String, Block)> {
    let mut pairs = Vec::new();
    for (id, name, rules) in tables.listeners() {
        for class in tables.classes().filter(|class| tables.class_kind(*class) == ClassKind::Network) {
            if let Some(block) = tables.block(id, class) {
                pairs.push((name.to_owned(), rules.clone(), tables.class_name(class).to_owned(), block));
            }
        }
    }
    pairs
}

fn reached(tables: &Tables, forbidden: impl Fn(Reach, &str) -> bool) -> Vec<Breach> {
    let mut found = Vec::new();
    for (listener, rules, class, block) in pairs(tables) {
        let service = service(rules.speaks, rules.tls, rules.auth, matches!(block, Block::Receive(_)));
        if forbidden(service, &class) {
            let path = tables.block_path(block);
            found.push(Breach {
                message: format!("\"{class}\" reaches {service:?} on \"{listener}\" through `{path}`"),
                help: "narrow the block's `from`, or change the promise",
                path: format!("{path}.from"),
            });
        }
    }
    found
}

fn clear_passwords(tables: &Tables, from: &[String]) -> Vec<Breach> {
    let mut found = Vec::new();
    for (listener, rules, class, _) in pairs(tables) {
        if rules.auth == ListenerAuth::Required && rules.tls == TlsMode::None && from.contains(&class) {
            found.push(Breach {
                message: format!("listener \"{listener}\" takes passwords without TLS from \"{class}\""),
                help: "`tls: StartTls(Required)` or `Implicit`",
                path: format!("listeners.{listener}.tls"),
            });
        }
    }
    found
}

fn at_most(tables: &Tables, promised: Window) -> Vec<Breach> {
    let width = promised.width_name();
    let message = match blast::recipients(tables.plan(), promised.width_s, false) {
        Some(most) if most <= u64::from(promised.max) => return Vec::new(),
        Some(most) => format!("one account reaches {most} recipients in {width}, {} are promised", promised.max),
        None => format!("one account reaches recipients without end in {width}, {} are promised", promised.max),
    };
    let help = "lower the windows, `CountedTogether`, or promise what is true";
    vec![Breach { message, help, path: "one_account_in_several_blocks".to_owned() }]
}
