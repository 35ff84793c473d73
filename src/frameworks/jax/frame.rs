//! One call of XLA's, read: its buffers as tensors, its epsilon.

use super::abi::{BUFFER, Buffer, CallFrame, SCALAR, Scalar, Text, Values, data_type};
use crate::frameworks::{Kind, Tensor, TensorMut};
use std::ffi::c_int;

/// A buffer with its shape in our terms.
pub(super) struct Array<'a> {
    buffer: &'a Buffer,
    kind: Kind,
    shape: Vec<usize>,
}

impl<'a> Array<'a> {
    pub(super) fn tensor(&self) -> Tensor<'_> {
        // SAFETY: XLA's buffers are dense, in C order (the layout that `ffi_call` asks for), aligned,
        // of this type and shape, and nobody writes to arguments during the call.
        unsafe { Tensor::new(self.kind, self.buffer.data, &self.shape, None) }
    }

    pub(super) fn tensor_mut(self) -> TensorMut<'a> {
        // SAFETY: as above; a result is its handler's alone, and each array is taken once.
        unsafe { TensorMut::new(self.kind, self.buffer.data, self.shape.iter().product()) }
    }
}

/// The arguments.
///
/// # Safety
/// The frame is one that XLA calls a handler with, in full.
pub(super) unsafe fn arguments(frame: &CallFrame) -> Result<Vec<Array<'_>>, String> {
    // SAFETY: the caller vouches for the frame.
    unsafe { arrays(&frame.arguments) }
}

/// The results.
///
/// # Safety
/// As [`arguments`].
pub(super) unsafe fn results(frame: &CallFrame) -> Result<Vec<Array<'_>>, String> {
    // SAFETY: the caller vouches for the frame.
    unsafe { arrays(&frame.results) }
}

/// # Safety
/// There are as many kinds and values as `len` says, and a value is what its kind says.
unsafe fn arrays(values: &Values) -> Result<Vec<Array<'_>>, String> {
    let len = length(values.len)?;
    // SAFETY: the caller vouches for as many of both.
    let (kinds, buffers) = unsafe { (slice(values.kinds, len), slice(values.buffers, len)) };
    let pairs = kinds.iter().zip(buffers);
    pairs
        .map(|(&kind, &buffer)| {
            if kind != BUFFER {
                return Err(format!("a value of kind {kind}, expected a buffer"));
            }
            // SAFETY: it is a buffer, which lives as long as the frame.
            let buffer = unsafe { &*buffer };
            // SAFETY: a buffer has as many dims as its rank.
            let dims = unsafe { slice(buffer.dims, length(buffer.rank)?) };
            let shape = dims.iter().map(|&dim| length(dim)).collect::<Result<_, _>>()?;
            Ok(Array { buffer, kind: kind_of(buffer.data_type)?, shape })
        })
        .collect()
}

/// The attribute of that name, a number of 64 bits.
///
/// # Safety
/// As [`arguments`].
pub(super) unsafe fn attribute(frame: &CallFrame, name: &str) -> Result<f64, String> {
    let attributes = &frame.attributes;
    let len = length(attributes.len)?;
    // SAFETY: there are as many kinds, names and values as `len` says.
    let (kinds, names, values) = unsafe {
        (slice(attributes.kinds, len), slice(attributes.names, len), slice(attributes.values, len))
    };
    let is_it = |&text: &*const Text| {
        // SAFETY: a name is a text, of so many bytes; both live as long as the frame.
        unsafe { slice((*text).data, (*text).len) == name.as_bytes() }
    };
    let place = names.iter().position(is_it).filter(|&place| kinds[place] == SCALAR);
    let place = place.ok_or_else(|| format!("no scalar {name}"))?;
    // SAFETY: it is a scalar, which lives as long as the frame.
    let scalar = unsafe { &*values[place].cast::<Scalar>() };
    if scalar.data_type != data_type::F64 {
        return Err(format!("{name} of type {}, expected float64", scalar.data_type));
    }
    // SAFETY: its value is of that type.
    Ok(unsafe { scalar.value.cast::<f64>().read_unaligned() })
}

fn kind_of(data_type: c_int) -> Result<Kind, String> {
    match data_type {
        data_type::S8 => Ok(Kind::Byte),
        data_type::F16 => Ok(Kind::Half),
        data_type::F32 => Ok(Kind::Single),
        data_type::F64 => Ok(Kind::Double),
        data_type::BF16 => Ok(Kind::Brain),
        other => Err(format!("numbers of XLA's type {other}")),
    }
}

fn length(len: i64) -> Result<usize, String> {
    usize::try_from(len).map_err(|_| format!("a length of {len}"))
}

/// # Safety
/// There are so many at `data`, for `'a`; none may be anywhere.
unsafe fn slice<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller vouches for them.
    unsafe { std::slice::from_raw_parts(data, len) }
}
