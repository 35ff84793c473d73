//! The global number of threads. One test, since it is one setting in the process.

use cosim_rs::{Error, num_threads, set_num_threads};

#[test]
fn the_number_of_threads_is_what_was_set_last() {
    let before = num_threads().unwrap();
    assert!(before >= 1);
    for threads in [1, 3, usize::MAX] {
        assert_eq!(set_num_threads(threads), Ok(()));
        assert_eq!(num_threads(), Ok(threads));
        assert_eq!(set_num_threads(0), Err(Error::Threads));
        assert_eq!(num_threads(), Ok(threads), "a refused number changes nothing");
    }
    set_num_threads(before).unwrap();
    assert_eq!(num_threads(), Ok(before));
}
