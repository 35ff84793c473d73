//! Vectors of every type that may be stored, mixed on both sides, score as if widened before.

use crate::model;
use crate::number::{LENGTHS, assert_same_bits, matrix};
use cosim_rs::Stored;
use cosim_rs::score::{
    Options, batched_cosine_similarity, candidate_cosine_similarity, cosine_similarity,
    paired_cosine_similarity, self_cosine_similarity,
};
use cosim_rs::search::{Catalogue, Filter, top_k};
use half::{bf16, f16};
use ndarray::{Array1, Array2, Axis, s};

/// Rows as stored, and the same widened to what they are computed with.
struct Kind<S, E>(Array2<S>, Array2<E>);

fn kind<S: Copy, E>(
    dim: usize,
    seed: u64,
    store: impl Fn(f64) -> S,
    widen: impl Fn(S) -> E,
) -> Kind<S, E> {
    let stored = matrix::<f64>(19, dim, seed).mapv(store);
    let wide = stored.mapv(widen);
    Kind(stored, wide)
}

/// Scores of x with y by every function, against those of the widened numbers.
fn assert_alike<E, X: Stored<E>, Y: Stored<E>>(x: &Kind<X, E>, y: &Kind<Y, E>)
where
    E: crate::number::Number,
{
    let expected = model::scores(x.1.view(), y.1.view());
    let (options, dim) = (Options::default(), x.0.ncols());
    let what =
        format!("{} and {}, length {dim}", std::any::type_name::<X>(), std::any::type_name::<Y>());
    let unwritten = || Array2::from_elem((19, 19), E::from_f64(7.0));

    let mut scores = unwritten();
    cosine_similarity(x.0.view(), y.0.view(), scores.view_mut(), &options).unwrap();
    assert_same_bits(&scores, &expected, &format!("matrix of {what}"));

    let mut scores = unwritten();
    let items = y.0.view().insert_axis(Axis(0));
    let items = items.broadcast((19, 19, dim)).unwrap();
    batched_cosine_similarity(x.0.view(), items, scores.view_mut(), &options).unwrap();
    assert_same_bits(&scores, &expected, &format!("batches of {what}"));

    let mut scores = unwritten();
    let ids = Array2::from_shape_fn((19, 19), |(_, place)| i64::try_from(place).unwrap());
    candidate_cosine_similarity(x.0.view(), y.0.view(), ids.view(), scores.view_mut(), &options)
        .unwrap();
    assert_same_bits(&scores, &expected, &format!("candidates of {what}"));

    let mut scores = Array1::from_elem(19, E::from_f64(7.0));
    paired_cosine_similarity(x.0.view(), y.0.view(), scores.view_mut(), &options).unwrap();
    let diagonal = expected.diag().to_owned().insert_axis(Axis(0));
    assert_same_bits(&scores.insert_axis(Axis(0)), &diagonal, &format!("pairs of {what}"));

    let wanted = top_k::<E>(x.1.view(), y.1.view(), 5, &Filter::default(), &options).unwrap();
    let found = top_k::<E>(x.0.view(), y.0.view(), 5, &Filter::default(), &options).unwrap();
    assert_eq!((&found.scores, &found.indices), (&wanted.scores, &wanted.indices), "top of {what}");
    let prepared = Catalogue::new::<E>(y.0.view(), &options).unwrap();
    let found =
        prepared.top_k::<E>(x.0.view(), y.0.view(), 1, &Filter::default(), &options).unwrap();
    assert_eq!(found.indices, wanted.indices.slice(s![.., ..1]), "prepared {what}");
}

/// Every pair of types of which the wider is computed with.
#[allow(clippy::cast_possible_truncation)] // rounding is what it is for
fn assert_all_alike(dim: usize) {
    macro_rules! with_each {
        ($x:expr; $($y:expr),+) => { $(assert_alike(&$x, &$y); assert_alike(&$y, &$x);)+ };
    }
    let byte = |number: f64| (number * 127.0) as i8;
    with_each!(kind(dim, 1, |n| n as f32, |n| n);
        kind(dim, 2, f16::from_f64, f16::to_f32),
        kind(dim, 3, bf16::from_f64, bf16::to_f32),
        kind(dim, 4, byte, f32::from));
    with_each!(kind(dim, 5, byte, f32::from);
        kind(dim, 6, f16::from_f64, f16::to_f32),
        kind(dim, 7, bf16::from_f64, bf16::to_f32),
        kind(dim, 8, byte, f32::from));
    with_each!(kind(dim, 9, bf16::from_f64, bf16::to_f32);
        kind(dim, 10, f16::from_f64, f16::to_f32));
    with_each!(kind(dim, 11, |n| n, |n| n);
        kind(dim, 12, |n| n as f32, f64::from),
        kind(dim, 13, f16::from_f64, f16::to_f64),
        kind(dim, 14, bf16::from_f64, bf16::to_f64),
        kind(dim, 15, byte, f64::from));
}

#[test]
fn every_mixture_scores_as_if_widened_before() {
    for dim in LENGTHS {
        assert_all_alike(dim);
    }
}

/// Bytes multiplied by whole numbers, up to where the sums of both ways to add them are exact, and beyond.
#[test]
#[allow(clippy::cast_possible_truncation)] // whole numbers that fit
fn bytes_and_whole_numbers_score_as_if_widened_before() {
    let whole = |dim, seed, store: fn(f64) -> f64| {
        let mut rows = matrix::<f64>(19, dim, seed).mapv(store);
        rows.row_mut(0).fill(-128.0);
        rows.row_mut(1).fill(127.0);
        rows.row_mut(2).fill(0.0);
        rows
    };
    let extreme = |number: f64| if number < 0.0 { -128.0 } else { 127.0 };
    let any = |number: f64| (number * 40.0).round().clamp(-128.0, 127.0);
    for dim in [1, 31, 32, 33, 64, 100, 1023, 1024, 1025, 5000] {
        for store in [extreme, any] {
            let (x, y) = (whole(dim, 1, store), whole(dim, 2, store));
            let bytes = Kind(y.mapv(|n| n as i8), y.mapv(|n| n as f32));
            assert_alike(&Kind(x.mapv(|n| n as i8), x.mapv(|n| n as f32)), &bytes);
            assert_alike(&Kind(x.mapv(|n| n as f32), x.mapv(|n| n as f32)), &bytes);
            // Whole, but one number is more than a byte holds.
            let mut more = x.mapv(|n| n as f32);
            more.column_mut(dim / 2).fill(128.0);
            assert_alike(&Kind(more.clone(), more), &bytes);
        }
    }
}

/// Rows that are not contiguous are widened in a scratch row.
#[test]
fn layouts_of_narrow_numbers_change_nothing() {
    let narrow = matrix::<f32>(2 * 19, 3 * 40, 1).mapv(f16::from_f32);
    let wide = narrow.mapv(f16::to_f32);
    for (rows, columns) in [(2, 3), (-2, -1), (1, -3), (-1, 1)] {
        let place = s![..;rows, ..;columns];
        let (narrow, wide) = (narrow.slice(place), wide.slice(place));
        let expected = model::scores(wide.slice(s![..19, ..]), wide.slice(s![..19, ..]));
        let rows = narrow.slice(s![..19, ..]);
        let options = Options::default();
        let mut scores = Array2::from_elem((19, 19), 7.0);
        self_cosine_similarity(rows, scores.view_mut(), &options).unwrap();
        assert_same_bits(&scores, &expected, "matrix");
        let items = rows.insert_axis(Axis(0));
        let items = items.broadcast((19, 19, rows.ncols())).unwrap();
        scores.fill(7.0);
        batched_cosine_similarity(rows, items, scores.view_mut(), &options).unwrap();
        assert_same_bits(&scores, &expected, "batches");
    }
}
