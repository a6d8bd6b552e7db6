//! Tests of the whole house: the harness that starts the real program, clients that speak to it, and the rules of style.

pub mod style;
