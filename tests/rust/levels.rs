//! The instruction sets: those this CPU has, and the one in use.

use cosim_rs::{Level, available_levels, selected_level};

#[test]
fn levels_are_listed_slowest_first_from_the_portable_one_on() {
    let levels = available_levels();
    assert_eq!(levels[0], Level::Portable);
    assert!(levels.is_sorted_by(|slower, faster| slower < faster));
}

/// The best one, unless `COSIM_RS_KERNEL` names another, as it does when tests run each of them.
#[test]
fn the_selected_level_is_the_best_or_the_one_named() {
    let selected = selected_level().unwrap();
    match std::env::var("COSIM_RS_KERNEL") {
        Ok(name) if !name.is_empty() => assert_eq!(selected.name(), name),
        _ => assert_eq!(Some(&selected), available_levels().last()),
    }
}

#[test]
fn levels_have_the_names_that_the_variable_takes() {
    let levels = [Level::Portable, Level::Avx2, Level::Avx512, Level::Avx512Vnni, Level::Amx]
        .map(Level::name);
    assert_eq!(levels, ["portable", "avx2", "avx512", "avx512vnni", "amx"]);
}
