//! torch's C functions for extensions, found in the library that the process has loaded.
//!
//! They are declared in `torch/csrc/inductor/aoti_torch/c/shim.h`, which promises to keep them. All
//! are there since torch 2.8. Most return 0, or another number if they failed.
#![allow(unsafe_code)] // a border spot: functions that are looked up by name

use crate::frameworks::Kind;
use libloading::Library;
use std::ffi::{CStr, c_char, c_void};
use std::sync::OnceLock;

/// A tensor of torch's own.
pub(super) type Handle = *mut c_void;
/// An argument or a result: a handle, or the bits of a number.
pub(super) type Value = u64;
/// Takes arguments from the stack and leaves results there, of so many each.
pub(super) type Kernel = unsafe extern "C-unwind" fn(*mut Value, u64, u64);

type Registry = *mut c_void;
type Status = i32;
type Get<T> = unsafe extern "C" fn(Handle, *mut T) -> Status;

/// Makes a struct of functions that are found by its fields' names.
macro_rules! shims {
    ($(#[$about:meta])* $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$about])*
        pub(super) struct $name { $(pub(super) $field: $type,)* }

        impl $name {
            /// # Safety
            /// The library is torch's.
            unsafe fn find(library: &Library) -> Result<Self, String> {
                Ok(Self { $($field: {
                    let name = concat!("aoti_torch_", stringify!($field));
                    // SAFETY: torch's header declares it of this type.
                    let function = unsafe { library.get::<$type>(name.as_bytes()) };
                    *function.map_err(|_| format!("it has no {name}"))?
                },)* })
            }
        }
    };
}

shims! {
    /// What kernels call.
    Functions {
        get_data_ptr: Get<*mut c_void>,
        get_dim: Get<i64>,
        get_sizes: Get<*const i64>,
        get_strides: Get<*const i64>,
        get_dtype: Get<i32>,
        clone: Get<Handle>,
        delete_tensor_object: unsafe extern "C" fn(Handle) -> Status,
        empty_strided: unsafe extern "C" fn(
            i64, *const i64, *const i64, i32, i32, i32, *mut Handle
        ) -> Status,
        // Throws torch's exception unless it is true.
        check: unsafe extern "C-unwind" fn(
            bool, *const c_char, *const c_char, u32, *const c_char
        ),
    }
}

shims! {
    /// What is called once.
    Setup {
        device_type_cpu: unsafe extern "C" fn() -> i32,
        dtype_float32: unsafe extern "C" fn() -> i32,
        dtype_float64: unsafe extern "C" fn() -> i32,
        dtype_float16: unsafe extern "C" fn() -> i32,
        dtype_bfloat16: unsafe extern "C" fn() -> i32,
        library_init_impl: unsafe extern "C" fn(
            *const c_char, *const c_char, *const c_char, u32, *mut Registry
        ) -> Status,
        library_impl: unsafe extern "C" fn(Registry, *const c_char, Kernel) -> Status,
        delete_library_object: unsafe extern "C" fn(Registry) -> Status,
    }
}

/// The functions, and torch's numbers for what it does not promise to keep.
pub(super) struct Shims {
    pub(super) call: Functions,
    pub(super) cpu: i32,
    kinds: [(Kind, i32); 4],
}

static SHIMS: OnceLock<Shims> = OnceLock::new();

impl Shims {
    /// Those of the one torch. Only kernels ask, which are registered after it was found.
    pub(super) fn get() -> &'static Self {
        SHIMS.get().expect("kernels are registered when torch's functions are known")
    }

    pub(super) fn kind(&self, dtype: i32) -> Option<Kind> {
        self.kinds.iter().find(|&&(_, number)| number == dtype).map(|&(kind, _)| kind)
    }

    pub(super) fn dtype(&self, kind: Kind) -> Option<i32> {
        self.kinds.iter().find(|&&(one, _)| one == kind).map(|&(_, number)| number)
    }

    fn new(call: Functions, setup: &Setup) -> Self {
        // SAFETY: functions of no arguments that return a number.
        unsafe {
            Self {
                call,
                cpu: (setup.device_type_cpu)(),
                kinds: [
                    (Kind::Single, (setup.dtype_float32)()),
                    (Kind::Double, (setup.dtype_float64)()),
                    (Kind::Half, (setup.dtype_float16)()),
                    (Kind::Brain, (setup.dtype_bfloat16)()),
                ],
            }
        }
    }
}

/// Registers kernels of operations in a namespace, by their names, for a device.
///
/// # Errors
/// What the library at this path lacks, or refused to do; then none is registered.
pub(super) fn register(
    path: &str,
    [namespace, device]: [&CStr; 2],
    kernels: &[(&CStr, Kernel)],
) -> Result<(), String> {
    // SAFETY: the process has loaded it already, so nothing runs but what has run.
    let library = unsafe { Library::new(path) }.map_err(|error| error.to_string())?;
    // SAFETY: that is what it is.
    let (call, setup) = unsafe { (Functions::find(&library)?, Setup::find(&library)?) };
    std::mem::forget(library); // torch is never unloaded, and nor are its functions
    SHIMS.get_or_init(|| Shims::new(call, &setup));

    let mut registry = std::ptr::null_mut();
    // SAFETY: strings that end in zero, and room for what is returned.
    let status = unsafe {
        let (namespace, device) = (namespace.as_ptr(), device.as_ptr());
        (setup.library_init_impl)(namespace, device, c"cosim_rs".as_ptr(), 0, &raw mut registry)
    };
    if status != 0 {
        return Err("it takes no kernels".to_owned());
    }
    for (name, kernel) in kernels {
        // SAFETY: the registry of above; a kernel as torch calls it, which is there for ever.
        if unsafe { (setup.library_impl)(registry, name.as_ptr(), *kernel) } != 0 {
            // SAFETY: the registry of above, which takes its kernels with it.
            unsafe { (setup.delete_library_object)(registry) };
            return Err(format!("it takes no kernel of {}", name.to_string_lossy()));
        }
    }
    Ok(()) // and the registry is kept for ever
}
