//! The tensors of one run of a kernel: what comes in, and room for what goes out.
#![allow(unsafe_code)] // handles of TensorFlow's

use super::api::{Api, Context, RawTensor, Status};
use crate::frameworks::{Kind, Tensor, TensorMut};
use std::ffi::{c_int, c_void};

/// A tensor that is deleted in the end; its memory is the framework's.
struct Held {
    raw: *mut RawTensor,
    api: &'static Api,
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: given to us, to be deleted; used no more.
        unsafe { (self.api.TF_DeleteTensor)(self.raw) };
    }
}

/// An input, and its shape.
pub(super) struct Input {
    held: Held,
    pub(super) kind: Kind,
    pub(super) shape: Vec<usize>,
}

/// Room for an output, which is read by nobody before the kernel ends.
pub(super) struct Output {
    held: Held,
    kind: Kind,
    len: usize,
}

/// One run of a kernel.
pub(super) struct Run {
    api: &'static Api,
    context: *mut Context,
}

/// `DataType`s of `TensorFlow`.
const KINDS: [(c_int, Kind); 4] =
    [(1, Kind::Single), (2, Kind::Double), (14, Kind::Brain), (19, Kind::Half)];

impl Run {
    /// # Safety
    /// The context lives as long as this, in the one thread that runs the kernel.
    pub(super) unsafe fn new(api: &'static Api, context: *mut Context) -> Self {
        Self { api, context }
    }

    /// # Errors
    /// What the framework says, or what is wrong with the tensor.
    pub(super) fn input(&self, index: c_int) -> Result<Input, String> {
        let status = Status::new(self.api);
        let mut raw = std::ptr::null_mut();
        // SAFETY: all live during the call; the operation has an input of this index.
        unsafe { (self.api.TF_GetInput)(self.context, index, &raw mut raw, status.raw) };
        status.ok()?;
        let held = Held { raw, api: self.api };
        // SAFETY: the tensor lives as long as `held`.
        let (code, axes) =
            unsafe { ((self.api.TF_TensorType)(held.raw), (self.api.TF_NumDims)(held.raw)) };
        let kind = KINDS.iter().find(|entry| entry.0 == code);
        let &(_, kind) = kind.ok_or_else(|| format!("numbers of the type {code}"))?;
        let shape: Vec<_> = (0..axes)
            // SAFETY: as above, and the axis is one of its.
            .map(|axis| usize::try_from(unsafe { (self.api.TF_Dim)(held.raw, axis) }).unwrap_or(0))
            .collect();
        let input = Input { held, kind, shape };
        if !input.data().addr().is_multiple_of(kind.size()) {
            return Err("a tensor that is not aligned to its numbers".to_owned());
        }
        Ok(input)
    }

    /// Room for an output, asked for once.
    ///
    /// # Errors
    /// What the framework says.
    pub(super) fn output(
        &self,
        index: c_int,
        kind: Kind,
        shape: &[usize],
    ) -> Result<Output, String> {
        let &(code, _) =
            KINDS.iter().find(|entry| entry.1 == kind).ok_or("no such type of TensorFlow's")?;
        // SAFETY: the context lives; the operation has an output of this index.
        let expected = unsafe { (self.api.TF_ExpectedOutputDataType)(self.context, index) };
        if expected != code {
            // Of a graph that somebody made by hand; TensorFlow would end the process.
            return Err(format!("an output of the type {expected} instead of {code}"));
        }
        let dims: Vec<_> =
            shape.iter().map(|&length| i64::try_from(length).unwrap_or(i64::MAX)).collect();
        let len: usize = shape.iter().product();
        let axes = c_int::try_from(dims.len()).map_err(|_| "too many axes")?;
        let status = Status::new(self.api);
        let allocate = self.api.TF_AllocateOutput;
        // SAFETY: all live during the call; so many axes, whose numbers take so many bytes.
        let raw = unsafe {
            allocate(self.context, index, code, dims.as_ptr(), axes, len * kind.size(), status.raw)
        };
        let held = (!raw.is_null()).then_some(Held { raw, api: self.api });
        status.ok()?;
        held.map(|held| Output { held, kind, len }).ok_or_else(|| "no memory".to_owned())
    }
}

impl Held {
    fn data(&self) -> *mut c_void {
        // SAFETY: the tensor lives.
        unsafe { (self.api.TF_TensorData)(self.raw) }
    }
}

impl Output {
    pub(super) fn room(&mut self) -> TensorMut<'_> {
        // SAFETY: fresh, for so many numbers of this kind, and lent to one at a time; the memory lives
        // as long as the tensor.
        unsafe { TensorMut::new(self.kind, self.held.data(), self.len) }
    }
}

impl Input {
    fn data(&self) -> *mut c_void {
        self.held.data()
    }

    pub(super) fn tensor(&self) -> Tensor<'_> {
        // SAFETY: so many numbers of this kind, in C order, aligned (it was looked at); nobody writes
        // to the input of a kernel that runs.
        unsafe { Tensor::new(self.kind, self.data(), &self.shape, None) }
    }
}
