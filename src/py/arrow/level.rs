//! One level of a column: lists, or the numbers at the bottom.
//!
//! A level is a type and an array of it, and of that the elements from some place on. What the
//! structs claim is compared wherever two claims can be; how long a buffer is they do not say.
#![allow(unsafe_code)] // a border spot: memory that another library vouches for

use super::abi::{Array, only_child};
use super::refusal::Refusal;
use super::schema::Type;
use std::ffi::c_void;
use std::ops::Range;

/// Some elements of an array.
pub(super) struct Level<'a> {
    pub(super) of: Type<'a>,
    /// None where there are no elements, nor an array to have them.
    array: Option<&'a Array>,
    /// From which on, as the buffers count.
    pub(super) first: usize,
    pub(super) count: usize,
}

impl<'a> Level<'a> {
    /// All elements of an array.
    ///
    /// # Safety
    /// It is of this type.
    pub(super) unsafe fn new(of: Type<'a>, array: &'a Array) -> Result<Self, Refusal> {
        let (first, count) = (whole(array.offset)?, whole(array.length)?);
        first.checked_add(count).ok_or(Refusal::TOO_LARGE)?;
        Ok(Self { of, array: Some(array), first, count })
    }

    /// No elements.
    pub(super) fn empty(of: Type<'a>) -> Self {
        Self { of, array: None, first: 0, count: 0 }
    }

    /// What lies in the lists: so many elements from this one on.
    pub(super) fn child(&self, first: usize, count: usize) -> Result<Self, Refusal> {
        let of = self.of.child()?;
        let Some(array) = self.array else { return Ok(Self::empty(of)) };
        // SAFETY: an array has as many children as it says.
        let array = unsafe { only_child(array.n_children, array.children) };
        let array = array.ok_or(Refusal::NO_CHILD)?;
        // SAFETY: the child is of the child's type.
        let all = unsafe { Self::new(of, array) }?;
        if first.checked_add(count).is_none_or(|end| end > all.count) {
            return Err(Refusal::Broken("lists that reach beyond what they hold"));
        }
        Ok(Self { first: all.first + first, count, ..all })
    }

    /// Which of the elements is the first null.
    pub(super) fn first_null(&self) -> Result<Option<usize>, Refusal> {
        let count = self.array.map_or(0, |array| array.null_count);
        if count == 0 || self.count == 0 {
            return Ok(None);
        }
        if self.buffer(0)?.is_null() {
            // A count below 0 is one that nobody has counted yet.
            let broken = Refusal::Broken("nulls that are not marked");
            return if count > 0 { Err(broken) } else { Ok(None) };
        }
        let (bytes, first) = self.bits(0)?;
        let places = bytes.iter().enumerate().filter(|&(_, &byte)| byte != u8::MAX);
        let mut nulls = places.flat_map(|(place, byte)| {
            (0..8).filter(move |bit| byte >> bit & 1 == 0).map(move |bit| 8 * place + bit)
        });
        let found = nulls.find(|place| (first..first + self.count).contains(place));
        Ok(found.map(|place| place - first))
    }

    /// Flags, a byte each.
    pub(super) fn flags(&self) -> Result<Vec<bool>, Refusal> {
        if self.count == 0 {
            return Ok(Vec::new());
        }
        let (bytes, first) = self.bits(1)?;
        let places = first..first + self.count;
        Ok(places.map(|place| bytes[place / 8] >> (place % 8) & 1 == 1).collect())
    }

    /// The bytes in which the elements' bits lie, and which bit is the first.
    fn bits(&self, buffer: usize) -> Result<(&'a [u8], usize), Refusal> {
        let end = self.first + self.count;
        Ok((self.bytes(buffer, self.first / 8..end.div_ceil(8))?, self.first % 8))
    }

    /// Where lists of any length begin, and the last one ends: numbers of so many bytes.
    pub(super) fn offsets<const WIDTH: usize>(&self) -> Result<&'a [[u8; WIDTH]], Refusal> {
        let (start, count) = (bytes_of(self.first, WIDTH)?, bytes_of(self.count + 1, WIDTH)?);
        let end = start.checked_add(count).ok_or(Refusal::TOO_LARGE)?;
        Ok(self.bytes(1, start..end)?.as_chunks().0)
    }

    /// Where the numbers lie, of so many bytes each; null if there are none.
    pub(super) fn numbers(&self, width: usize) -> Result<*const c_void, Refusal> {
        if self.count == 0 {
            return Ok(std::ptr::null());
        }
        bytes_of(self.first + self.count, width)?;
        match self.buffer(1)? {
            buffer if buffer.is_null() => Err(Refusal::Broken("numbers without a buffer")),
            buffer => Ok(buffer.wrapping_byte_add(self.first * width)),
        }
    }

    /// A part of a buffer that the elements fill.
    fn bytes(&self, buffer: usize, part: Range<usize>) -> Result<&'a [u8], Refusal> {
        let buffer = self.buffer(buffer)?;
        if buffer.is_null() {
            return Err(Refusal::Broken("elements without a buffer"));
        }
        // SAFETY: a buffer is as long as the elements need that the array says to have. It lives as
        // long as the array, and nobody writes to it.
        Ok(unsafe { std::slice::from_raw_parts(buffer.cast::<u8>().add(part.start), part.len()) })
    }

    fn buffer(&self, place: usize) -> Result<*const c_void, Refusal> {
        let has = |array: &&Array| {
            usize::try_from(array.n_buffers).is_ok_and(|count| place < count)
                && !array.buffers.is_null()
        };
        let array = self.array.filter(has).ok_or(Refusal::Broken("too few buffers"))?;
        // SAFETY: an array has as many buffers as it says.
        Ok(unsafe { *array.buffers.add(place) })
    }
}

fn whole(number: i64) -> Result<usize, Refusal> {
    usize::try_from(number).map_err(|_| Refusal::Broken("a length below 0"))
}

/// So many elements in bytes, which are few enough to lie in memory.
fn bytes_of(count: usize, width: usize) -> Result<usize, Refusal> {
    let bytes = count.checked_mul(width).filter(|&bytes| isize::try_from(bytes).is_ok());
    bytes.ok_or(Refusal::TOO_LARGE)
}
