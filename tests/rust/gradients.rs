//! Gradients against the formula in `f64`, and what the contract says of extremes.

use crate::number::{LENGTHS, Number, matrix};
use cosim_rs::gradient::{batched_cosine_gradient, cosine_gradient};
use cosim_rs::score::Options;
use cosim_rs::{Gradient, Stored};
use half::{bf16, f16};
use ndarray::{Array2, Array3, ArrayView1, ArrayView2, ArrayView3, Axis, s};

fn options(epsilon: f64, threads: usize) -> Options<'static> {
    Options { epsilon, threads: Some(threads), ..Options::default() }
}

/// The formula of `cosim_rs::gradient` for one pair, in `f64`, and what the terms add up to at most.
fn pair(u: &[f64], v: &[f64], epsilon: f64) -> (Vec<f64>, Vec<f64>, f64) {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let (u_length, v_length) = (dot(u, u).sqrt(), dot(v, v).sqrt());
    if u_length.max(epsilon) * v_length.max(epsilon) == 0.0 {
        return (vec![0.0; u.len()], vec![0.0; u.len()], 0.0);
    }
    let (u_norm, v_norm) = (u_length.max(epsilon), v_length.max(epsilon));
    let score = dot(u, v) / (u_norm * v_norm);
    let side = |own: &[f64], length: f64, norm: f64, other: &[f64]| {
        let along = if length > epsilon { score / (norm * norm) } else { 0.0 };
        own.iter().zip(other).map(|(own, other)| other / (u_norm * v_norm) - along * own).collect()
    };
    (side(u, u_length, u_norm, v), side(v, v_length, v_norm, u), 1.0 / u_norm.min(v_norm))
}

struct Expected {
    users: Array2<f64>,
    items: Array3<f64>,
    /// No term is larger than this.
    most: f64,
}

fn expected(
    users: ArrayView2<'_, f64>,
    items: ArrayView3<'_, f64>,
    weights: ArrayView2<'_, f64>,
    epsilon: f64,
) -> Expected {
    let mut all = Expected {
        users: Array2::zeros(users.dim()),
        items: Array3::zeros(items.dim()),
        most: 0.0,
    };
    for (user, rows) in items.outer_iter().enumerate() {
        for (item, row) in rows.outer_iter().enumerate() {
            let (u, v) = (users.row(user).to_vec(), row.to_vec());
            let (u_side, v_side, most) = pair(&u, &v, epsilon);
            let weight = weights[[user, item]];
            all.most = all.most.max(most * weight.abs());
            for element in 0..u.len() {
                all.users[[user, element]] += weight * u_side[element];
                all.items[[user, item, element]] = weight * v_side[element];
            }
        }
    }
    all
}

/// Both gradients, in the types of their vectors; as `f64`.
fn gradients<E: Number, X: Stored<E>, Y: Stored<E>>(
    users: &Array2<X>,
    items: &Array3<Y>,
    weights: &Array2<E>,
    room: (impl Fn(&mut Array2<X>) -> Gradient<'_, E>, impl Fn(&mut Array3<Y>) -> Gradient<'_, E>),
    options: &Options<'_>,
) -> (Array2<X>, Array3<Y>) {
    let (mut users_gradient, mut items_gradient) = (users.clone(), items.clone());
    // What is there before must not show, in place of a 0 either.
    if let (Some(&user), Some(&item)) = (users.last(), items.last()) {
        users_gradient.fill(user);
        items_gradient.fill(item);
    }
    let rooms = (room.0(&mut users_gradient), room.1(&mut items_gradient));
    let (users, items) = (users.view(), items.view());
    batched_cosine_gradient(users, items, weights.view(), Some(rooms.0), Some(rooms.1), options)
        .unwrap();
    (users_gradient, items_gradient)
}

fn native<E: Number, D: ndarray::Dimension>(array: &mut ndarray::Array<E, D>) -> Gradient<'_, E> {
    Gradient::Native(array.as_slice_mut().unwrap())
}

fn numbers<E: Number>(batch: usize, count: usize, dim: usize) -> (Array2<E>, Array3<E>, Array2<E>) {
    let items = matrix::<E>(batch * count, dim, 2).into_shape_with_order((batch, count, dim));
    (matrix(batch, dim, 1), items.unwrap(), matrix(batch, count, 3))
}

/// Asserts that numbers are near; `unit` is one rounding of what was computed with.
fn assert_near<'a>(
    got: impl Iterator<Item = f64>,
    wanted: impl Iterator<Item = &'a f64>,
    tolerance: f64,
    what: &str,
) {
    for (got, wanted) in got.zip(wanted) {
        assert!((got - wanted).abs() <= tolerance, "{what}: {got:e} for {wanted:e}");
    }
}

#[allow(clippy::cast_precision_loss)] // of lengths below a thousand
fn assert_formula<E: Number>(unit: f64) {
    for dim in LENGTHS {
        for (batch, count) in [(3, 37), (1, 1), (5, 16), (2, 3)] {
            for epsilon in [0.0, 0.9] {
                let (users, items, weights) = numbers::<E>(batch, count, dim);
                let wide = |x: &E| x.to_f64();
                let (wide_users, wide_items) = (users.map(wide), items.map(wide));
                let wide_weights = weights.map(wide);
                let expected =
                    expected(wide_users.view(), wide_items.view(), wide_weights.view(), epsilon);
                let options = options(epsilon, 2);
                let (of_users, of_items) =
                    gradients(&users, &items, &weights, (native, native), &options);
                // A term is a handful of roundings and a dot product's; a sum has `count` of them.
                let one = expected.most * unit * (2.0 * (dim as f64 / 16.0).ceil() + 16.0);
                let what = format!("{batch} x {count} x {dim}, epsilon {epsilon}");
                assert_near(of_items.iter().map(wide), expected.items.iter(), one, &what);
                let all = one * count as f64;
                assert_near(of_users.iter().map(wide), expected.users.iter(), all, &what);
            }
        }
    }
}

#[test]
fn both_types_follow_the_formula() {
    assert_formula::<f32>(2.0_f64.powi(-24));
    assert_formula::<f64>(2.0_f64.powi(-53));
}

#[test]
fn one_side_alone_is_the_same() {
    let (users, items, weights) = numbers::<f32>(3, 37, 33);
    let options = options(0.0, 1);
    let (of_users, of_items) = gradients(&users, &items, &weights, (native, native), &options);
    let (mut users_alone, mut items_alone) = (users.clone(), items.clone());
    let room = Some(native(&mut users_alone));
    batched_cosine_gradient(users.view(), items.view(), weights.view(), room, None, &options)
        .unwrap();
    let room = Some(native(&mut items_alone));
    batched_cosine_gradient(users.view(), items.view(), weights.view(), None, room, &options)
        .unwrap();
    assert_eq!((users_alone, items_alone), (of_users, of_items));
}

#[test]
fn threads_and_strides_change_no_bit() {
    // Longer than a block, so that a user's sums come in parts.
    let (users, items, weights) = numbers::<f32>(2, 9001, 64);
    let options_one = options(0.0, 1);
    let one = gradients(&users, &items, &weights, (native, native), &options_one);
    for threads in 2..=5 {
        let options = options(0.0, threads);
        assert_eq!(gradients(&users, &items, &weights, (native, native), &options), one);
    }
    let turned = items.view().permuted_axes([2, 1, 0]).as_standard_layout().into_owned();
    let turned = turned.permuted_axes([2, 1, 0]);
    let (mut of_users, mut of_items) = (users.clone(), items.clone());
    let rooms = (Some(native(&mut of_users)), Some(native(&mut of_items)));
    let strided = Array2::from_shape_fn((2, 18002), |(row, column)| weights[[row, column / 2]]);
    let weights = strided.slice(s![.., ..;2]);
    batched_cosine_gradient(users.view(), turned.view(), weights, rooms.0, rooms.1, &options_one)
        .unwrap();
    assert_eq!((of_users, of_items), one);
}

#[test]
fn narrow_vectors_get_the_rounded_gradients_of_wide_ones() {
    for dim in [1, 17, 64] {
        let (users, items, weights) = numbers::<f32>(3, 37, dim);
        let half_items = items.map(|&x| f16::from_f32(x));
        let brain_users = users.map(|&x| bf16::from_f32(x));
        let wide_users = brain_users.map(|x| x.to_f32());
        let wide_items = half_items.map(|x| x.to_f32());
        let options = options(0.0, 1);
        let wide = gradients(&wide_users, &wide_items, &weights, (native, native), &options);
        let (of_users, of_items) =
            gradients(&brain_users, &half_items, &weights, (brain, half), &options);
        assert_eq!(of_users, wide.0.map(|&x| bf16::from_f32(x)), "length {dim}");
        assert_eq!(of_items, wide.1.map(|&x| f16::from_f32(x)), "length {dim}");
    }
}

fn brain(users: &mut Array2<bf16>) -> Gradient<'_, f32> {
    Gradient::Brain(users.as_slice_mut().unwrap())
}

fn half(items: &mut Array3<f16>) -> Gradient<'_, f32> {
    Gradient::Half(items.as_slice_mut().unwrap())
}

#[test]
fn a_vector_and_its_gradient_scale_against_each_other() {
    let (users, items, weights) = numbers::<f32>(2, 20, 19);
    let (one_user, one_item) =
        gradients(&users, &items, &weights, (native, native), &options(0.0, 1));
    for (user_power, item_power) in [(0, 100), (0, -100), (90, 0), (-90, 0), (60, -60), (-80, 90)] {
        let power = |exponent: i32| 2.0_f32.powi(exponent);
        let large_users = users.map(|&x| x * power(user_power));
        let large_items = items.map(|&x| x * power(item_power));
        let (of_users, of_items) =
            gradients(&large_users, &large_items, &weights, (native, native), &options(0.0, 1));
        let near = |got: f32, wanted: f32, scale: i32| {
            let got = f64::from(got) * 2.0_f64.powi(scale);
            assert!(
                (got - f64::from(wanted)).abs() < 1e-5,
                "{got:e} for {wanted:e} at 2^{user_power}, 2^{item_power}"
            );
        };
        of_users.iter().zip(&one_user).for_each(|(&got, &one)| near(got, one, user_power));
        of_items.iter().zip(&one_item).for_each(|(&got, &one)| near(got, one, item_power));
    }
}

#[test]
fn what_is_too_large_is_the_largest_and_nothing_finite_gives_more() {
    let tiny = f32::from_bits(1);
    let kinds = [0.0, tiny, 1e-38, -1e-20, 1e-7, 1.0, -1e20, f32::MAX];
    let users = Array2::from_shape_fn((8, 3), |(row, column)| kinds[(row + 3 * column) % 8]);
    let mut items = Array3::from_shape_fn((8, 24, 3), |(_, row, column)| {
        kinds[(row + row / 8 * column + column * column) % 8]
    });
    items.slice_mut(s![.., 23, ..]).fill(1e-38);
    for epsilon in [0.0, 1e-7, 1e30] {
        for weight in [0.0, 1.0, -1e-45, 1e12, f32::MAX, f32::MIN] {
            let weights = Array2::from_elem((8, 24), weight);
            let options = options(epsilon, 1);
            let (of_users, of_items) =
                gradients(&users, &items, &weights, (native, native), &options);
            let all = of_users.iter().chain(&of_items);
            assert!(all.clone().all(|x| x.is_finite()), "epsilon {epsilon}, weight {weight}");
            let is_largest = all.clone().any(|x| x.abs() >= f32::MAX);
            let reaches = weight.abs() > if epsilon == 0.0 { 1.0 } else { 1e30 };
            assert_eq!(is_largest, epsilon < 1.0 && reaches, "{epsilon}, {weight}");
        }
    }
}

#[test]
fn narrow_gradients_are_the_largest_where_they_are_too_large() {
    let users = Array2::from_elem((1, 70), 1e-3_f32);
    let mut items = Array3::from_elem((1, 2, 70), 1e-3_f32);
    items.slice_mut(s![0, .., ..35]).mapv_inplace(|x| -x);
    let weights = ndarray::arr2(&[[1e9_f32, -1e9]]);
    let (brain_users, half_items) =
        (users.map(|&x| bf16::from_f32(x)), items.map(|&x| f16::from_f32(x)));
    let (_, of_items) =
        gradients(&brain_users, &half_items, &weights, (brain, half), &options(0.0, 1));
    let largest = of_items.map(|x| x.to_f32() / f16::MAX.to_f32());
    assert!(largest.slice(s![0, 0, ..]).iter().all(|&x| (1.0..2.0).contains(&x)), "{largest}");
    assert!(largest.slice(s![0, 1, ..]).iter().all(|&x| (-1.0..=-1.0).contains(&x)), "{largest}");

    let (wide_users, wide_weights) =
        (users.map(|&x| f64::from(x)), weights.map(|&x| f64::from(x) * 1e200));
    let mut of_items = items.clone();
    let room = Some(Gradient::Single(of_items.as_slice_mut().unwrap()));
    let (users, items) = (wide_users.view(), items.view());
    batched_cosine_gradient::<f64>(users, items, wide_weights.view(), None, room, &options(0.0, 1))
        .unwrap();
    assert!(of_items.iter().all(|x| x.abs() >= f32::MAX && x.is_finite()));
}

#[test]
fn epsilon_counts_where_numbers_are_out_of_range() {
    let (users, items, weights) = numbers::<f32>(2, 20, 19);
    for (size, epsilon) in [(1e-21_f32, 3e-20_f32), (1e-12, 1e-11), (1e12, 1e13), (1e-3, 1e11)] {
        let (users, items) = (users.map(|x| x * size), items.map(|x| x * size));
        let wide = |x: &f32| f64::from(*x);
        let (wide_users, wide_items) = (users.map(wide), items.map(wide));
        let epsilon = f64::from(epsilon);
        let expected =
            expected(wide_users.view(), wide_items.view(), weights.map(wide).view(), epsilon);
        let (of_users, of_items) =
            gradients(&users, &items, &weights, (native, native), &options(epsilon, 1));
        let one = expected.most * 2.0_f64.powi(-24) * 20.0;
        let what = format!("size {size}, epsilon {epsilon}");
        // Not what is lost below the smallest number.
        let one = one.max(f64::from(f32::from_bits(1)));
        assert_near(of_items.iter().map(wide), expected.items.iter(), one, &what);
        assert_near(of_users.iter().map(wide), expected.users.iter(), 20.0 * one, &what);
    }
}

#[test]
fn zero_vectors_have_no_gradient_and_give_none() {
    let (mut users, mut items, weights) = numbers::<f32>(2, 20, 19);
    users.row_mut(1).fill(0.0);
    items.slice_mut(s![0, 7, ..]).fill(0.0);
    let (of_users, of_items) =
        gradients(&users, &items, &weights, (native, native), &options(0.0, 1));
    assert!(of_items.slice(s![0, 7, ..]).iter().chain(&of_users.row(1)).all(|&x| x == 0.0));
    assert!(of_items.index_axis(Axis(0), 1).iter().all(|&x| x == 0.0));
    assert!(of_items.slice(s![0, 8, ..]).iter().all(|&x| x != 0.0));
    // With an epsilon they have that of the clamped formula.
    let (_, of_items) = gradients(&users, &items, &weights, (native, native), &options(1e-7, 1));
    let user = users.row(0);
    let length = user.dot(&user).sqrt();
    let wanted: Vec<_> = user.iter().map(|x| weights[[0, 7]] * x / (length * 1e-7)).collect();
    let got: ArrayView1<'_, f32> = of_items.slice(s![0, 7, ..]);
    got.iter().zip(&wanted).for_each(|(got, wanted)| assert!((got / wanted - 1.0).abs() < 1e-6));
}

#[test]
fn what_is_not_finite_is_nan_for_its_own_pairs() {
    for bad in [f32::NAN, f32::INFINITY] {
        let (users, mut items, mut weights) = numbers::<f32>(2, 20, 19);
        items[[0, 7, 3]] = bad;
        weights[[1, 2]] = bad;
        let (of_users, of_items) =
            gradients(&users, &items, &weights, (native, native), &options(0.0, 1));
        assert!(of_users.iter().all(|x| x.is_nan()));
        for ((user, item, _), gradient) in of_items.indexed_iter() {
            assert_eq!(gradient.is_nan(), [(0, 7), (1, 2)].contains(&(user, item)));
        }
    }
}

#[test]
fn a_matrix_has_the_gradients_of_its_pairs() {
    let (x, y) = (matrix::<f64>(5, 33, 1), matrix::<f64>(37, 33, 2));
    let weights = matrix::<f64>(5, 37, 3);
    let items = y.broadcast((5, 37, 33)).unwrap();
    let expected = expected(x.view(), items, weights.view(), 0.0);
    let (mut of_x, mut of_y) = (x.clone(), y.clone());
    let rooms = (Some(native(&mut of_x)), Some(native(&mut of_y)));
    let options = options(0.0, 2);
    cosine_gradient(x.view(), y.view(), weights.view(), rooms.0, rooms.1, &options).unwrap();
    assert_near(of_x.iter().copied(), expected.users.iter(), 1e-13, "x");
    assert_near(of_y.iter().copied(), expected.items.sum_axis(Axis(0)).iter(), 1e-13, "y");
}

#[test]
fn room_of_another_size_is_refused() {
    let (users, items, weights) = numbers::<f32>(2, 20, 19);
    let mut short = [0.0; 37];
    let room = Some(Gradient::Native(&mut short[..]));
    let options = Options::default();
    let error =
        batched_cosine_gradient(users.view(), items.view(), weights.view(), room, None, &options);
    assert_eq!(error.unwrap_err().to_string(), "users_gradient: got shape [37], expected [38]");
}
