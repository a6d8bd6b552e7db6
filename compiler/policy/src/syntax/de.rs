//! A serde deserializer over the tree.
