//! Any plan value as a small tree, which knows which of its parts are leaves.

use std::fmt;

use serde::ser::{self, Serialize};

/// One node of plan text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    /// Number, boolean, unit variant: written as it is.
    Word(String),
    /// Written between quotes.
    Text(String),
    List(Vec<Tree>),
    /// Keys and values; keys are `Word` or `Text`.
    Map(Vec<(Tree, Tree)>),
    /// `(field: value, …)`, with the variant's name before it where there is one.
    Fields(&'static str, Vec<(&'static str, Tree)>),
    /// `Name(value, …)`; a tuple has no name.
    Tuple(&'static str, Vec<Tree>),
}

/// A value plan text has no form for.
#[derive(Debug)]
pub(super) struct NoForm;

impl fmt::Display for NoForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plan text has no form for this value")
    }
}

impl std::error::Error for NoForm {}

impl ser::Error for NoForm {
    fn custom<T: fmt::Display>(_: T) -> NoForm {
        NoForm
    }
}

/// The serializer.
pub(super) struct ToTree;

type Built = Result<Tree, NoForm>;

macro_rules! words {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Built {
            Ok(Tree::Word(value.to_string()))
        })*
    };
}

impl ser::Serializer for ToTree {
    type Ok = Tree;
    type Error = NoForm;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Pairs;
    type SerializeStruct = Named;
    type SerializeStructVariant = Named;

    words!(serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);

    fn serialize_f32(self, _: f32) -> Built {
        Err(NoForm)
    }

    fn serialize_f64(self, _: f64) -> Built {
        Err(NoForm)
    }

    fn serialize_char(self, _: char) -> Built {
        Err(NoForm)
    }

    fn serialize_str(self, value: &str) -> Built {
        Ok(Tree::Text(value.to_owned()))
    }

    fn serialize_bytes(self, _: &[u8]) -> Built {
        Err(NoForm)
    }

    fn serialize_none(self) -> Built {
        Ok(Tree::Word("None".into()))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Built {
        Ok(Tree::Tuple("Some", vec![value.serialize(ToTree)?]))
    }

    fn serialize_unit(self) -> Built {
        Err(NoForm)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Built {
        Err(NoForm)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Built {
        Ok(Tree::Word(variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Built {
        Err(NoForm)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Built {
        Ok(Tree::Tuple(variant, vec![value.serialize(ToTree)?]))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts, NoForm> {
        Ok(Parts { list: true, name: "", parts: Vec::new() })
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts, NoForm> {
        Ok(Parts { list: false, name: "", parts: Vec::new() })
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts, NoForm> {
        Ok(Parts { list: false, name: "", parts: Vec::new() })
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts, NoForm> {
        Ok(Parts { list: false, name: variant, parts: Vec::new() })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Pairs, NoForm> {
        Ok(Pairs { pairs: Vec::new(), key: None })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Named, NoForm> {
        Ok(Named { name: "", fields: Vec::new() })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Named, NoForm> {
        Ok(Named { name: variant, fields: Vec::new() })
    }
}

/// A list or tuple being built.
pub(super) struct Parts {
    list: bool,
    name: &'static str,
    parts: Vec<Tree>,
}

impl Parts {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoForm> {
        self.parts.push(value.serialize(ToTree)?);
        Ok(())
    }

    fn built(self) -> Built {
        Ok(if self.list { Tree::List(self.parts) } else { Tree::Tuple(self.name, self.parts) })
    }
}

macro_rules! parts {
    ($($trait:ident, $method:ident);*) => {
        $(impl ser::$trait for Parts {
            type Ok = Tree;
            type Error = NoForm;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoForm> {
                self.push(value)
            }

            fn end(self) -> Built {
                self.built()
            }
        })*
    };
}

parts!(SerializeSeq, serialize_element; SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field; SerializeTupleVariant, serialize_field);

/// A map being built.
pub(super) struct Pairs {
    pairs: Vec<(Tree, Tree)>,
    key: Option<Tree>,
}

impl ser::SerializeMap for Pairs {
    type Ok = Tree;
    type Error = NoForm;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NoForm> {
        match key.serialize(ToTree)? {
            key @ (Tree::Word(_) | Tree::Text(_)) => self.key = Some(key),
            Tree::List(_) | Tree::Map(_) | Tree::Fields(..) | Tree::Tuple(..) => return Err(NoForm),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoForm> {
        let key = self.key.take().ok_or(NoForm)?;
        self.pairs.push((key, value.serialize(ToTree)?));
        Ok(())
    }

    fn end(mut self) -> Built {
        self.pairs.sort_by(|(a, _), (b, _)| key_text(a).as_bytes().cmp(key_text(b).as_bytes()));
        Ok(Tree::Map(self.pairs))
    }
}

fn key_text(key: &Tree) -> &str {
    match key {
        Tree::Word(text) | Tree::Text(text) => text,
        Tree::List(_) | Tree::Map(_) | Tree::Fields(..) | Tree::Tuple(..) => "",
    }
}

/// A struct or struct variant being built.
pub(super) struct Named {
    name: &'static str,
    fields: Vec<(&'static str, Tree)>,
}

impl Named {
    fn push<T: Serialize + ?Sized>(&mut self, field: &'static str, value: &T) -> Result<(), NoForm> {
        self.fields.push((field, value.serialize(ToTree)?));
        Ok(())
    }
}

macro_rules! named {
    ($($trait:ident),*) => {
        $(impl ser::$trait for Named {
            type Ok = Tree;
            type Error = NoForm;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, field: &'static str, value: &T) -> Result<(), NoForm> {
                self.push(field, value)
            }

            fn end(self) -> Built {
                Ok(Tree::Fields(self.name, self.fields))
            }
        })*
    };
}

named!(SerializeStruct, SerializeStructVariant);
