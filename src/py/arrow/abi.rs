//! Arrow's C data and stream interfaces: the layout of their structs, and when they are let go.
//!
//! After <https://arrow.apache.org/docs/format/CDataInterface.html>. Whoever makes a struct puts a
//! function in it that frees it and all below it, and whoever holds the struct calls that once. To
//! take a struct is to move it and to leave none of that function behind.
#![allow(unsafe_code)] // a border spot: what other libraries make and free

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// `ArrowSchema`: a type.
#[repr(C)]
pub(super) struct Schema {
    pub(super) format: *const c_char,
    _name: *const c_char,
    pub(super) metadata: *const c_char,
    _flags: i64,
    pub(super) n_children: i64,
    pub(super) children: *const *const Schema,
    pub(super) dictionary: *const Schema,
    release: Option<unsafe extern "C" fn(*mut Schema)>,
    _private: *mut c_void,
}

/// `ArrowArray`: values of a type that is told elsewhere.
#[repr(C)]
pub(super) struct Array {
    pub(super) length: i64,
    pub(super) null_count: i64,
    pub(super) offset: i64,
    pub(super) n_buffers: i64,
    pub(super) n_children: i64,
    pub(super) buffers: *const *const c_void,
    pub(super) children: *const *const Array,
    _dictionary: *const Array,
    release: Option<unsafe extern "C" fn(*mut Array)>,
    _private: *mut c_void,
}

/// `ArrowArrayStream`: arrays of one type, one after the other.
#[repr(C)]
pub(super) struct Stream {
    schema: Option<unsafe extern "C" fn(*mut Stream, *mut Schema) -> c_int>,
    next: Option<unsafe extern "C" fn(*mut Stream, *mut Array) -> c_int>,
    last_error: Option<unsafe extern "C" fn(*mut Stream) -> *const c_char>,
    release: Option<unsafe extern "C" fn(*mut Stream)>,
    _private: *mut c_void,
}

/// A struct that is passed from hand to hand.
pub(super) trait Passed: Sized {
    /// The name of the capsule that it comes in.
    const CAPSULE: &CStr;

    /// Moves it out of where another library has put it; None if it was let go or taken before.
    ///
    /// # Safety
    /// It lies there, made as Arrow asks, and nobody else takes it at the same time.
    unsafe fn take(place: NonNull<Self>) -> Option<Self>;
}

macro_rules! passed {
    ($($of:ident in $capsule:literal),+) => {$(
        impl Passed for $of {
            const CAPSULE: &CStr = $capsule;

            unsafe fn take(place: NonNull<Self>) -> Option<Self> {
                let place = place.as_ptr();
                // SAFETY: the caller vouches for it. What stays behind is marked as let go, so
                // that nobody frees it a second time.
                let taken = unsafe {
                    let taken = place.read();
                    (&raw mut (*place).release).write(None);
                    taken
                };
                taken.release.is_some().then_some(taken)
            }
        }

        impl Drop for $of {
            fn drop(&mut self) {
                if let Some(release) = self.release {
                    // SAFETY: its maker's function, called once: it takes the mark away.
                    unsafe { release(self) };
                }
            }
        }
    )+};
}

passed!(Schema in c"arrow_schema", Array in c"arrow_array", Stream in c"arrow_array_stream");

// SAFETY: whoever made an array lets any thread read it and let it go.
unsafe impl Send for Array {}
// SAFETY: nothing of it changes before it is dropped.
unsafe impl Sync for Array {}

impl Stream {
    /// The type of the arrays to come.
    pub(super) fn schema(&mut self) -> Result<Schema, String> {
        let mut room = MaybeUninit::<Schema>::zeroed();
        let get = self.schema.ok_or("no get_schema")?;
        // SAFETY: the stream's own function, with room for a schema.
        let code = unsafe { get(self, room.as_mut_ptr()) };
        self.check(code)?;
        // SAFETY: made by the function or, if it has made nothing, all zeros: one that was let go.
        let schema = unsafe { room.assume_init() };
        if schema.release.is_some() { Ok(schema) } else { Err("no schema".to_owned()) }
    }

    /// The next array; None after the last.
    pub(super) fn next(&mut self) -> Result<Option<Array>, String> {
        let mut room = MaybeUninit::<Array>::zeroed();
        let get = self.next.ok_or("no get_next")?;
        // SAFETY: the stream's own function, with room for an array.
        let code = unsafe { get(self, room.as_mut_ptr()) };
        self.check(code)?;
        // SAFETY: as above; one that was let go stands for the end.
        let array = unsafe { room.assume_init() };
        Ok(array.release.is_some().then_some(array))
    }

    fn check(&mut self, code: c_int) -> Result<(), String> {
        if code == 0 {
            return Ok(());
        }
        let error = self.last_error.map_or(std::ptr::null(), |last_error| {
            // SAFETY: the stream's own function, asked after one of the others has failed.
            unsafe { last_error(self) }
        });
        if error.is_null() {
            return Err(format!("error {code}"));
        }
        // SAFETY: a text that ends with a zero, and lives until the stream is called again.
        Err(unsafe { CStr::from_ptr(error) }.to_string_lossy().into_owned())
    }
}

/// The child of a struct that has one only.
///
/// # Safety
/// There are as many children as the number says, and they live for `'a`.
pub(super) unsafe fn only_child<'a, T>(count: i64, children: *const *const T) -> Option<&'a T> {
    let has_one = count == 1 && !children.is_null();
    // SAFETY: the caller vouches for the one that there is.
    has_one.then(|| unsafe { (*children).as_ref() }).flatten()
}
