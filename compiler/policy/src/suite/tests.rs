//! The machinery of policy tests, on small policies.
