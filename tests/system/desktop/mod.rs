//! Mail programs with windows: Thunderbird, and Roundcube in a browser's place. `tests/run --long clients` runs them.

mod roundcube;
mod thunderbird;

/// Only the long form of the part installs what these need.
fn asked_for() -> bool {
    let asked = std::env::var_os("FACTEUR_LONG").is_some();
    if !asked {
        eprintln!("not run: only `tests/run --long clients` asks for it");
    }
    asked
}
