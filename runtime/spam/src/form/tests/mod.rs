//! Every rule on small messages: which break it, and which look as if they did.

mod breaks;
mod keeps;
mod letter;
mod whole;
