//! The shapes that come out, as far as they are known while a graph is built.
//!
//! Shapes that do not fit are not refused here: the Python shim has words for those it can see, and the
//! kernel looks at all of them.
#![allow(unsafe_code)] // handles of TensorFlow's

use super::api::{Api, Dimensions, RawStatus, Shape, api};
use std::ffi::c_int;

/// Shapes of one operation in a graph.
struct Inference {
    api: &'static Api,
    context: *mut Dimensions,
    status: *mut RawStatus,
}

/// A shape that is deleted in the end.
struct Handle {
    raw: *mut Shape,
    api: &'static Api,
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: made by `TF_NewShapeHandle`, and used no more.
        unsafe { (self.api.TF_DeleteShapeHandle)(self.raw) };
    }
}

impl Inference {
    /// # Safety
    /// The context and the status of a call to a shape function, during it.
    unsafe fn new(context: *mut Dimensions, status: *mut RawStatus) -> Option<Self> {
        Some(Self { api: api().ok()?, context, status }) // found, since it was called
    }

    fn handle(&self) -> Handle {
        // SAFETY: takes nothing.
        Handle { raw: unsafe { (self.api.TF_NewShapeHandle)() }, api: self.api }
    }

    /// Whether all went well so far.
    fn is_ok(&self) -> bool {
        // SAFETY: the status lives during the call.
        unsafe { (self.api.TF_GetCode)(self.status) == 0 }
    }

    fn input(&self, index: c_int) -> Option<Handle> {
        let shape = self.handle();
        // SAFETY: all live during the call; `index` is one of the inputs.
        unsafe {
            (self.api.TF_ShapeInferenceContextGetInput)(
                self.context,
                index,
                shape.raw,
                self.status,
            );
        }
        self.is_ok().then_some(shape)
    }

    /// The axes without the last; `from_end` more than 0: only from so many before the end on. None if
    /// it is unknown how many there are, or there are fewer than `least`.
    fn axes(&self, shape: &Handle, least: i64, from_end: i64) -> Option<Handle> {
        let part = self.handle();
        // SAFETY: all live during the call; a known rank is at least what is cut off.
        unsafe {
            if (self.api.TF_ShapeInferenceContextRankKnown)(self.context, shape.raw) == 0 {
                return None;
            }
            let rank = (self.api.TF_ShapeInferenceContextRank)(self.context, shape.raw);
            if rank < least {
                return None;
            }
            let start = if from_end == 0 { 0 } else { rank - from_end };
            let subshape = self.api.TF_ShapeInferenceContextSubshape;
            subshape(self.context, shape.raw, start, rank - 1, part.raw, self.status);
        }
        self.is_ok().then_some(part)
    }

    fn joined(&self, first: &Handle, second: &Handle) -> Option<Handle> {
        let whole = self.handle();
        let join = self.api.TF_ShapeInferenceContextConcatenateShapes;
        // SAFETY: all live during the call.
        unsafe { join(self.context, first.raw, second.raw, whole.raw, self.status) };
        self.is_ok().then_some(whole)
    }

    fn set(&self, output: c_int, shape: &Handle) {
        // SAFETY: all live during the call; `output` is one of the outputs.
        unsafe {
            (self.api.TF_ShapeInferenceContextSetOutput)(
                self.context,
                output,
                shape.raw,
                self.status,
            );
        }
    }

    /// The only output's shape, unknown if it cannot be told.
    fn set_only(&self, shape: Option<&Handle>) {
        match shape {
            Some(shape) => self.set(0, shape),
            None if self.is_ok() => {
                // SAFETY: both live during the call.
                unsafe {
                    (self.api.TF_ShapeInferenceContextSetUnknownShape)(self.context, self.status);
                }
            }
            None => {}
        }
    }
}

/// The shape of all but the last axis of an input.
fn without_last(inference: &Inference, index: c_int) -> Option<Handle> {
    inference.axes(&inference.input(index)?, 1, 0)
}

/// # Safety
/// As a shape function is called.
pub(super) unsafe extern "C" fn batched(context: *mut Dimensions, status: *mut RawStatus) {
    // SAFETY: the caller's word.
    if let Some(inference) = unsafe { Inference::new(context, status) } {
        inference.set_only(without_last(&inference, 1).as_ref());
    }
}

/// # Safety
/// As a shape function is called.
pub(super) unsafe extern "C" fn paired(context: *mut Dimensions, status: *mut RawStatus) {
    // SAFETY: the caller's word.
    if let Some(inference) = unsafe { Inference::new(context, status) } {
        inference.set_only(without_last(&inference, 0).as_ref());
    }
}

/// # Safety
/// As a shape function is called.
pub(super) unsafe extern "C" fn matrix(context: *mut Dimensions, status: *mut RawStatus) {
    // SAFETY: the caller's word.
    if let Some(inference) = unsafe { Inference::new(context, status) } {
        let shape = || {
            let users = without_last(&inference, 0)?;
            let items = inference.axes(&inference.input(1)?, 2, 2)?;
            inference.joined(&users, &items)
        };
        inference.set_only(shape().as_ref());
    }
}

/// Each gradient is of the shape of an input: the bits say which.
///
/// # Safety
/// As a shape function is called.
pub(super) unsafe extern "C" fn like<const INPUTS: u8>(
    context: *mut Dimensions,
    status: *mut RawStatus,
) {
    // SAFETY: the caller's word.
    if let Some(inference) = unsafe { Inference::new(context, status) } {
        let inputs = [0, 1].into_iter().filter(|input| INPUTS & (1 << input) != 0);
        for (output, input) in (0..).zip(inputs) {
            if let Some(shape) = inference.input(input) {
                inference.set(output, &shape);
            }
        }
    }
}
