//! Diagnostics as people read them.

use crate::diagnostic::{Diagnostic, Sources};

/// Draws one diagnostic, without a final line break. Colour only adds to what the text already says.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, colour: bool) -> String {
    let _ = (sources, colour);
    diagnostic.message.clone()
}
