//! The users' pages, from a Plan: what a help desk would otherwise write by hand and forget to change. Pure.
