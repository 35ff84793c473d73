//! Items in segments, some of them dead or moved, are searched as if they lay in one piece, in the
//! order of their places.

use crate::number::{Number, matrix};
use cosim_rs::score::Options;
use cosim_rs::search::{Catalogue, Filter, Lists, Segment, range_search, top_k, top_k_of};
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};

/// Rows with many ties, zero rows and a NaN.
fn rows<E: Number>(count: usize, dim: usize, seed: u64) -> Array2<E> {
    let mut rows = matrix::<E>(count, dim, seed).mapv(|x| E::from_f64((x.to_f64() * 2.0).round()));
    for place in (0..count).step_by(17) {
        rows.row_mut(place).fill(E::ZERO);
    }
    if count > 40 {
        rows[(40, 0)] = E::from_f64(f64::NAN);
    }
    rows
}

/// Items of a catalogue that has been changed, and the same built anew.
struct Changed<E> {
    segments: Vec<(Array2<E>, Catalogue, Vec<i64>)>,
    live: Vec<bool>,
    anew: Array2<E>,
    /// The slot of each item built anew, and its place.
    slots: Vec<usize>,
    places: Vec<i64>,
}

/// 700 items, of which every third is replaced and every fifth is gone; then 400 more.
fn changed<E: Number>(dim: usize, options: &Options<'_>) -> Changed<E> {
    let (base, later) = (rows::<E>(700, dim, 1), rows::<E>(234 + 400, dim, 2));
    let places: Vec<i64> = (0..700).step_by(3).chain(700..1100).collect();
    let is_gone = |place: i64| place % 5 == 0;
    let mut live: Vec<bool> = (0..700).map(|place| place % 3 != 0 && !is_gone(place)).collect();
    live.extend(places.iter().map(|&place| !is_gone(place)));
    let mut known: Vec<(i64, usize)> =
        (0..700).chain(places.iter().copied()).zip(0..).filter(|&(_, slot)| live[slot]).collect();
    known.sort_unstable();
    let all = concatenate![Axis(0), base, later];
    let slots: Vec<usize> = known.iter().map(|&(_, slot)| slot).collect();
    let prepared = |items: ArrayView2<'_, E>, places: &[i64]| {
        let catalogue = Catalogue::new::<E>(items, options).unwrap();
        (items.to_owned(), catalogue, places.to_vec())
    };
    let segments = vec![
        prepared(base.view(), &(0..700).collect::<Vec<_>>()),
        prepared(later.slice(s![..234, ..]), &places[..234]),
        prepared(later.slice(s![234.., ..]), &places[234..]),
    ];
    let anew = all.select(Axis(0), &slots);
    Changed { segments, live, anew, slots, places: known.iter().map(|&(place, _)| place).collect() }
}

impl<E: Number> Changed<E> {
    fn segments(&self) -> Vec<Segment<'_, E>> {
        self.segments
            .iter()
            .map(|(items, catalogue, places)| {
                Segment::prepared(items.view(), catalogue).unwrap().at(places).unwrap()
            })
            .collect()
    }
}

fn assert_as_built_anew<E: Number>(dim: usize, users: usize) {
    let options = Options::default();
    let changed = changed::<E>(dim, &options);
    let users = rows::<E>(users, dim, 3);
    let count = users.nrows();
    let starts: Vec<i64> = (0..=count).map(|user| i64::try_from(user * 4).unwrap()).collect();
    let listed: Vec<usize> =
        (0..count * 4).map(|place| place * 7919 % changed.anew.nrows()).collect();
    let anew: Vec<i64> = listed.iter().map(|&item| i64::try_from(item).unwrap()).collect();
    let in_slots: Vec<i64> =
        listed.iter().map(|&item| i64::try_from(changed.slots[item]).unwrap()).collect();
    let lists = |listed| Lists::new("listed", &starts, listed).ok();
    let filters = [
        (Filter::default(), Filter::default()),
        (
            Filter { exclude: lists(&anew), ..Filter::default() },
            Filter { exclude: lists(&in_slots), ..Filter::default() },
        ),
        (
            Filter { candidates: lists(&anew), ..Filter::default() },
            Filter { candidates: lists(&in_slots), ..Filter::default() },
        ),
        (
            Filter { min_score: Some(0.3), ..Filter::default() },
            Filter { min_score: Some(0.3), ..Filter::default() },
        ),
    ];
    let segments = changed.segments();
    let place = |item: i64| usize::try_from(item).map_or(-1, |item| changed.places[item]);
    for (plain, filter) in filters {
        let filter = Filter { allow: Some(&changed.live), ..filter };
        for k in [1, 10, 300] {
            let wanted = top_k(users.view(), changed.anew.view(), k, &plain, &options).unwrap();
            let found = top_k_of(users.view(), &segments, k, &filter, &options).unwrap();
            let what = format!("{k} of {dim} elements for {count} users");
            assert_eq!(found.indices, wanted.indices.mapv(place), "{what}");
            assert_eq!(found.scores.mapv(E::bits), wanted.scores.mapv(E::bits), "{what}");
        }
        let anew = [Segment::new(changed.anew.view())];
        let wanted = range_search(users.view(), &anew, &plain, &options).unwrap();
        let found = range_search(users.view(), &segments, &filter, &options).unwrap();
        assert_eq!(found.starts, wanted.starts);
        let places: Vec<_> = wanted.indices.iter().map(|&item| place(item)).collect();
        assert_eq!(found.indices, places);
    }
}

#[test]
fn segments_are_searched_as_one() {
    for dim in [1, 3, 64] {
        for users in [1, 40] {
            assert_as_built_anew::<f32>(dim, users);
        }
        assert_as_built_anew::<f64>(dim, 33);
    }
}

#[test]
fn few_live_items_are_gathered_from_every_segment() {
    let options = Options::default();
    let changed = changed::<f32>(16, &options);
    let users = rows::<f32>(40, 16, 3);
    let mut allow = vec![false; changed.live.len()];
    let few: Vec<usize> = (0..changed.slots.len()).step_by(11).collect();
    for &item in &few {
        allow[changed.slots[item]] = true;
    }
    let anew = changed.anew.select(Axis(0), &few);
    let wanted = top_k::<f32>(users.view(), anew.view(), 10, &Filter::default(), &options).unwrap();
    let filter = Filter { allow: Some(&allow), ..Filter::default() };
    let found = top_k_of(users.view(), &changed.segments(), 10, &filter, &options).unwrap();
    let place = |item: i64| changed.places[few[usize::try_from(item).unwrap()]];
    assert_eq!(found.indices, wanted.indices.mapv(place));
    assert_eq!(found.scores, wanted.scores);
}
