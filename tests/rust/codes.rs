//! Codes that are handed over: they find what they found before, or say what is wrong with them.

use crate::number::matrix;
use cosim_rs::Error;
use cosim_rs::score::Options;
use cosim_rs::search::{Catalogue, Filter, Shared};
use ndarray::Array2;
use std::sync::Arc;

/// Lines, scales and residuals.
#[derive(Clone)]
struct Codes(Vec<u8>, Vec<f32>, Vec<f32>);

impl Codes {
    fn of(catalogue: &Catalogue) -> Self {
        let floats = |floats: &[f32]| floats.to_vec();
        Self(catalogue.lines().to_vec(), floats(catalogue.scales()), floats(catalogue.residuals()))
    }

    fn handed_over(self, shape: [usize; 2], epsilon: f64) -> Result<Catalogue, Error> {
        let Self(lines, scales, residuals) = self;
        let scales: Shared<f32> = Arc::new(scales);
        Catalogue::of_codes(shape, epsilon, Arc::new(lines), scales, Arc::new(residuals))
    }
}

fn prepared(count: usize, dim: usize) -> (Array2<f32>, Catalogue) {
    let items = matrix(count, dim, 3);
    let catalogue = Catalogue::new::<f32>(items.view(), &Options::default()).unwrap();
    (items, catalogue)
}

#[test]
fn codes_find_what_they_found_before() {
    for (count, dim) in [(0, 5), (1, 1), (16, 4), (1000, 0), (1000, 7), (500, 65), (20, 8193)] {
        let (items, catalogue) = prepared(count, dim);
        let again = Codes::of(&catalogue).handed_over([count, dim], 0.0).unwrap();
        // What the screen notes of each sixteen items is made anew; nothing else is.
        let noted = if dim > 8192 { 0 } else { 8 * count.div_ceil(16) };
        assert!(catalogue.bytes() > noted && again.bytes() == noted);
        let users = matrix::<f32>(40, dim, 4);
        let search = |catalogue: &Catalogue| {
            let (filter, options) = (Filter::default(), Options::default());
            catalogue.top_k::<f32>(users.view(), items.view(), 7, &filter, &options).unwrap()
        };
        let (expected, found) = (search(&catalogue), search(&again));
        assert_eq!(found.indices, expected.indices);
        // Not from one run to the next, if there are two threads.
        assert_eq!(found.scored < 40 * count, expected.scored < 40 * count);
    }
}

/// So that the bytes of a file are those of its items, and of nothing that was coded before.
#[test]
fn behind_the_last_item_there_are_zeros() {
    let (_, catalogue) = prepared(17, 8);
    let of_last = catalogue.lines().chunks(64).skip(2).take(2);
    for line in of_last {
        assert!(line[..4].iter().any(|&code| code != 0));
        assert_eq!(line[4..], [0; 60]);
    }
}

/// A slice may lie anywhere, as if it were at the wrong place of a file.
#[test]
fn lines_may_begin_anywhere() {
    struct Later(Vec<u8>);
    impl AsRef<[u8]> for Later {
        fn as_ref(&self) -> &[u8] {
            &self.0[1..]
        }
    }
    let (items, catalogue) = prepared(300, 20);
    let Codes(mut lines, scales, residuals) = Codes::of(&catalogue);
    lines.insert(0, 7);
    let (lines, scales, residuals) =
        (Arc::new(Later(lines)), Arc::new(scales), Arc::new(residuals));
    let again = Catalogue::of_codes([300, 20], 0.0, lines, scales, residuals).unwrap();
    let (filter, options) = (Filter::default(), Options::default());
    let found = again.top_k::<f32>(items.view(), items.view(), 1, &filter, &options).unwrap();
    assert!(found.indices.column(0).iter().copied().eq(0..300));
}

#[test]
fn codes_that_do_not_fit_are_refused() {
    let codes = Codes::of(&prepared(33, 9).1);
    let refused = |change: fn(&mut Codes)| {
        let mut codes = codes.clone();
        change(&mut codes);
        codes.handed_over([33, 9], 0.0).err().expect("an error").to_string()
    };
    assert_eq!(refused(|codes| codes.0.truncate(5)), "lines: got shape [5], expected [1600]");
    assert_eq!(refused(|codes| codes.1.truncate(47)), "scales: got shape [47], expected [48]");
    assert_eq!(refused(|codes| codes.2.push(0.0)), "residuals: got shape [49], expected [48]");
    for (shape, name) in [([32, 9], "lines"), ([33, 13], "lines"), ([usize::MAX, 9], "lines")] {
        let Err(Error::Shape { name: got, .. }) = codes.clone().handed_over(shape, 0.0) else {
            panic!("{shape:?} is not refused")
        };
        assert_eq!(got, name);
    }
    for epsilon in [-1.0, f64::NAN, 1e300] {
        let refused = codes.clone().handed_over([33, 9], epsilon);
        assert!(matches!(refused, Err(Error::Epsilon(_))));
    }
}

/// With such numbers a scan might find items that there are not, or be stuck with what it finds for a
/// user who has no direction.
#[test]
fn scales_and_residuals_that_nothing_has_are_refused() {
    let codes = Codes::of(&prepared(33, 9).1);
    let refused = |change: &dyn Fn(&mut Codes)| {
        let mut codes = codes.clone();
        change(&mut codes);
        codes.handed_over([33, 9], 0.0).err().map(|error| error.to_string())
    };
    for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.5, 1.5, f32::MAX] {
        let scale = refused(&|codes| codes.1[20] = wrong).unwrap();
        assert_eq!(scale, format!("scales: got {wrong} at 20, expected 0 to 1"));
        let beyond = refused(&|codes| codes.1[40] = wrong).unwrap();
        assert_eq!(beyond, format!("scales: got {wrong} at 40, expected 0 to 1"));
        let residual = refused(&|codes| codes.2[32] = wrong);
        if wrong == f32::NEG_INFINITY {
            assert_eq!(residual, None); // an item without scores
        } else {
            let wanted = "expected 0 to 1, or -inf for an item without scores";
            assert_eq!(residual.unwrap(), format!("residuals: got {wrong} at 32, {wanted}"));
        }
    }
    let beyond = refused(&|codes| codes.2[35] = 0.0).unwrap();
    assert_eq!(beyond, "residuals: got 0 at 2, expected -inf behind the last item");
}
