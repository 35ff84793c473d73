//! Tensors of torch's own, while a kernel has them.
#![allow(unsafe_code)] // a border spot: pointers that torch vouches for

use super::shims::{Handle, Shims, Value};
use crate::frameworks::{Kind, Tensor, TensorMut};

/// No tensor of the operations has more axes.
const AXES: usize = 3;

/// A tensor that is deleted when this is dropped: our hold of it, that is.
struct Owned(Handle);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: a handle that we own, and delete only here.
        unsafe { (Shims::get().call.delete_tensor_object)(self.0) };
    }
}

/// A tensor to read.
pub(super) struct Input {
    owned: Owned,
    kind: Kind,
    axes: usize,
    shape: [usize; AXES],
    strides: [usize; AXES],
}

impl Input {
    /// # Safety
    /// The value is a handle that the caller owned, of a dense tensor in the CPU's memory.
    pub(super) unsafe fn new(value: Value) -> Result<Self, String> {
        let owned = Owned(value as Handle);
        // SAFETY: as the caller says.
        let this = unsafe { Self::of(owned) }?;
        if this.data()?.addr().is_multiple_of(this.kind.size()) {
            return Ok(this);
        }
        // Torch makes tensors of any bytes, which need not be aligned.
        let mut copy = std::ptr::null_mut();
        // SAFETY: a handle, and room for another, which we own then.
        done("clone", unsafe { (Shims::get().call.clone)(this.owned.0, &raw mut copy) })?;
        // SAFETY: dense and in the CPU's memory, as what it is a copy of.
        unsafe { Self::of(Owned(copy)) }
    }

    /// # Safety
    /// Of a dense tensor in the CPU's memory.
    unsafe fn of(owned: Owned) -> Result<Self, String> {
        let (shims, handle) = (Shims::get(), owned.0);
        let (mut axes, mut dtype) = (0, 0);
        let (mut sizes, mut steps) = (std::ptr::null(), std::ptr::null());
        // SAFETY: a handle, and room for what is asked.
        unsafe {
            done("dim", (shims.call.get_dim)(handle, &raw mut axes))?;
            done("dtype", (shims.call.get_dtype)(handle, &raw mut dtype))?;
            done("sizes", (shims.call.get_sizes)(handle, &raw mut sizes))?;
            done("strides", (shims.call.get_strides)(handle, &raw mut steps))?;
        }
        let axes = usize::try_from(axes).ok().filter(|&axes| axes <= AXES);
        let axes = axes.ok_or_else(|| format!("a tensor of more than {AXES} axes"))?;
        let kind = shims.kind(dtype).ok_or_else(|| format!("a tensor of torch's dtype {dtype}"))?;
        // SAFETY: there are so many of both, for as long as the tensor is there.
        let (sizes, steps) = unsafe { (numbers(sizes, axes)?, numbers(steps, axes)?) };
        Ok(Self { owned, kind, axes, shape: sizes, strides: steps })
    }

    fn data(&self) -> Result<Handle, String> {
        let mut data = std::ptr::null_mut();
        // SAFETY: a handle, and room for a pointer.
        done("data", unsafe { (Shims::get().call.get_data_ptr)(self.owned.0, &raw mut data) })?;
        Ok(data)
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape[..self.axes]
    }

    pub(super) fn tensor(&self) -> Result<Tensor<'_>, String> {
        let strides = Some(&self.strides[..self.axes]);
        // SAFETY: torch keeps such numbers there while we own the handle, and aligned, as `new` saw
        // to. That nobody writes to them meanwhile is the caller's affair, as with every operation.
        Ok(unsafe { Tensor::new(self.kind, self.data()?, self.shape(), strides) })
    }
}

/// A fresh tensor to write and to hand over.
pub(super) struct Output {
    owned: Owned,
    kind: Kind,
    len: usize,
}

impl Output {
    /// Room in C order.
    pub(super) fn new(kind: Kind, shape: &[usize]) -> Result<Self, String> {
        let shims = Shims::get();
        let (mut sizes, mut steps, mut len) = ([0; AXES], [0; AXES], 1_usize);
        for axis in (0..shape.len()).rev() {
            sizes[axis] = i64::try_from(shape[axis]).map_err(|error| error.to_string())?;
            steps[axis] = i64::try_from(len.max(1)).map_err(|error| error.to_string())?;
            len *= shape[axis];
        }
        let dtype = shims.dtype(kind).ok_or("a tensor of no dtype")?;
        let mut handle = std::ptr::null_mut();
        let (sizes, steps) = (sizes.as_ptr(), steps.as_ptr());
        // SAFETY: so many sizes and strides, and room for a handle, which we own then.
        done("empty", unsafe {
            let axes = shape.len().try_into().map_err(|_| "too many axes")?;
            (shims.call.empty_strided)(axes, sizes, steps, dtype, shims.cpu, 0, &raw mut handle)
        })?;
        Ok(Self { owned: Owned(handle), kind, len })
    }

    pub(super) fn room(&mut self) -> Result<TensorMut<'_>, String> {
        let mut data = std::ptr::null_mut();
        // SAFETY: a handle, and room for a pointer.
        done("data", unsafe { (Shims::get().call.get_data_ptr)(self.owned.0, &raw mut data) })?;
        // SAFETY: torch's own fresh memory of such numbers, aligned, which nobody else knows.
        Ok(unsafe { TensorMut::new(self.kind, data, self.len) })
    }

    /// The handle, for torch to own.
    pub(super) fn into_value(self) -> Value {
        let handle = self.owned.0;
        std::mem::forget(self.owned);
        handle as Value
    }
}

/// # Safety
/// There are so many numbers, at most [`AXES`].
unsafe fn numbers(first: *const i64, count: usize) -> Result<[usize; AXES], String> {
    let mut numbers = [0; AXES];
    for (place, number) in numbers.iter_mut().enumerate().take(count) {
        // SAFETY: one of these.
        let wide = unsafe { *first.add(place) };
        *number = usize::try_from(wide).map_err(|_| format!("a size or stride of {wide}"))?;
    }
    Ok(numbers)
}

fn done(what: &str, status: i32) -> Result<(), String> {
    if status == 0 { Ok(()) } else { Err(format!("torch gave no {what} of a tensor")) }
}
