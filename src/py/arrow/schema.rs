//! A type as a schema tells it: a format, and metadata for what formats have no letters for.
#![allow(unsafe_code)] // a border spot: texts that another library vouches for

use super::abi::{Schema, only_child};
use super::kind::Kind;
use super::refusal::Refusal;
use std::ffi::CStr;

/// A type. It and all below it are as their maker made them: there is no other way to a schema.
#[derive(Clone, Copy)]
pub(super) struct Type<'a>(&'a Schema);

impl<'a> Type<'a> {
    pub(super) fn new(schema: &'a Schema) -> Self {
        Self(schema)
    }

    pub(super) fn kind(self) -> Result<Kind, Refusal> {
        if self.0.format.is_null() {
            return Err(Refusal::Broken("a type without a format"));
        }
        if !self.0.dictionary.is_null() {
            return Ok(Kind::Other { marks_nulls: true });
        }
        // SAFETY: a format is a text that ends with a zero.
        let kind = Kind::new(unsafe { CStr::from_ptr(self.0.format) }.to_bytes());
        match self.extension() {
            None => Ok(kind),
            Some((name, description)) => kind
                .extended(name, description)
                .ok_or(Refusal::Broken("tensors whose shape is not that of their lists")),
        }
    }

    /// The type of what is in its lists.
    pub(super) fn child(self) -> Result<Self, Refusal> {
        // SAFETY: a schema has as many children as it says.
        let child = unsafe { only_child(self.0.n_children, self.0.children) };
        child.map(Self).ok_or(Refusal::NO_CHILD)
    }

    /// What an extension says of the type: its name and its description.
    fn extension(self) -> Option<(&'a [u8], &'a [u8])> {
        if self.0.metadata.is_null() {
            return None;
        }
        let mut words = Words(self.0.metadata.cast());
        let (mut name, mut description): (_, &[u8]) = (None, b"");
        // SAFETY: the metadata are a number of pairs, and as many.
        unsafe {
            for _ in 0..words.number() {
                match (words.word(), words.word()) {
                    (b"ARROW:extension:name", word) => name = Some(word),
                    (b"ARROW:extension:metadata", word) => description = word,
                    _ => {}
                }
            }
        }
        name.map(|name| (name, description))
    }
}

/// Metadata from some place on: numbers of 32 bits, not aligned, and words of a length that is one.
struct Words(*const u8);

impl Words {
    /// # Safety
    /// A number is what comes next.
    unsafe fn number(&mut self) -> i32 {
        // SAFETY: the caller vouches for it.
        unsafe {
            let number = self.0.cast::<i32>().read_unaligned();
            self.0 = self.0.add(size_of::<i32>());
            number
        }
    }

    /// # Safety
    /// A word is what comes next.
    unsafe fn word<'a>(&mut self) -> &'a [u8] {
        // SAFETY: the caller vouches for it.
        unsafe {
            let length = usize::try_from(self.number()).unwrap_or(0);
            let word = std::slice::from_raw_parts(self.0, length);
            self.0 = self.0.add(length);
            word
        }
    }
}
