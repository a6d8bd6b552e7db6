//! E0407 and L0410: TLS that is too old, and what mail programs expect on a port. Every protocol the language has is served,
//! so that E0406 waits for one that is not.

use plan::{ListenerAuth, Speaks, TlsMode};

use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::model::network::{Listener, TlsVersion};
use crate::syntax::{Entries, Spanned};

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    for (name, listener) in subject.policy.listeners.seen().into_iter().flat_map(Entries::iter) {
        submission_port(subject, name, listener, sink);
    }
    if let Some(tls) = subject.policy.tls.seen() {
        match tls.oldest.value {
            TlsVersion::Tls12 | TlsVersion::Tls13 => {}
            TlsVersion::Ssl3 | TlsVersion::Tls10 | TlsVersion::Tls11 => {
                let diagnostic = Diagnostic::new(Code::E0407, "TLS older than 1.2")
                    .help("no client of the last decade needs it")
                    .at(tls.oldest.span, "")
                    .rule("tls.oldest")
                    .edit(tls.oldest.span, "Tls12");
                sink.push(diagnostic);
            }
        }
    }
}

/// L0410 (RFC 8314 7.3, RFC 6409 3.1).
fn submission_port(subject: &Subject<'_>, name: &Spanned<String>, listener: &Listener, sink: &mut Vec<Diagnostic>) {
    if listener.speaks != Speaks::Smtp {
        return;
    }
    let mode = listener.tls_mode();
    let (usual, why) = match (listener.port.value, mode) {
        (465, TlsMode::Implicit) => return,
        (465, TlsMode::None | TlsMode::Offered | TlsMode::Required) => ("Implicit", mode),
        (587, TlsMode::Implicit | TlsMode::None) => {
            let required = listener.auth.value == ListenerAuth::Required;
            (if required { "StartTls(Required)" } else { "StartTls(Offered)" }, mode)
        }
        (_, TlsMode::None | TlsMode::Offered | TlsMode::Required | TlsMode::Implicit) => return,
    };
    let with = match why {
        TlsMode::None => "no TLS",
        TlsMode::Offered | TlsMode::Required => "STARTTLS",
        TlsMode::Implicit => "implicit TLS",
    };
    let path = format!("listeners.{name}.tls");
    // The mode is always written here: what the port is known for is never odd.
    let diagnostic = Diagnostic::new(Code::L0410, format!("port {} with {with}", listener.port))
        .help("465 is implicit TLS, 587 is STARTTLS; mail programs assume it")
        .at(subject.place(&path), "")
        .rule(path.as_str());
    let place = edits::field(subject.sources, "tls", listener.tls.span);
    sink.push(match place {
        Some(_) if subject.is_written(&path) => diagnostic.edit(listener.tls.span, usual),
        Some(_) | None => diagnostic,
    });
}
