//! A list of items for each user: compressed sparse rows, as `scipy.sparse` has them.

use crate::Error;
use crate::kernel::MOST_LISTED;

/// Fills up a row.
const PADDING: i64 = -1;

/// A list of items for each user.
#[derive(Clone, Copy, Debug)]
pub struct Lists<'a> {
    starts: &'a [i64],
    items: &'a [i64],
}

impl<'a> Lists<'a> {
    /// User `u` has `items[starts[u]..starts[u + 1]]`, in any order; -1 in it means nothing, and an
    /// item listed twice counts once. `name` is the argument's, for errors.
    ///
    /// # Errors
    /// [`Error::Filter`] if the lists do not lie one after the other in `items`.
    pub fn new(name: &'static str, starts: &'a [i64], items: &'a [i64]) -> Result<Self, Error> {
        let ends = (starts.first(), starts.last().map(|&end| usize::try_from(end)));
        if ends == (Some(&0), Some(Ok(items.len()))) && starts.is_sorted() {
            return Ok(Self { starts, items });
        }
        Err(Error::Filter {
            name,
            got: "rows that leave gaps or overlap".to_owned(),
            expected: "items row after row".to_owned(),
        })
    }

    /// Checks that there are so many users, and no other than so many items in the lists.
    ///
    /// # Errors
    /// [`Error::Filter`] about the argument of this name.
    pub(super) fn check(
        &self,
        name: &'static str,
        users: usize,
        items: usize,
    ) -> Result<(), Error> {
        let wrong = |got, expected| Err(Error::Filter { name, got, expected });
        if self.users() != users {
            return wrong(self.users().to_string(), "a row for each user".to_owned());
        }
        self.outside(items).map_or(Ok(()), |outside| {
            let expected =
                format!("-1 to {}", items.min(MOST_LISTED).wrapping_sub(1).cast_signed());
            wrong(format!("index {outside}"), expected)
        })
    }

    /// How many users there are.
    pub(super) fn users(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many places there are in all lists together.
    pub(super) fn places(&self) -> usize {
        self.items.len()
    }

    /// The list of a user, as it was given.
    pub(super) fn of(&self, user: usize) -> &'a [i64] {
        // The starts are sorted between 0 and the number of items, as `new` has checked.
        let place = |start: i64| usize::try_from(start).expect("a checked start");
        &self.items[place(self.starts[user])..place(self.starts[user + 1])]
    }

    /// The first item that is neither one of so many nor a padding.
    fn outside(&self, items: usize) -> Option<i64> {
        let items = i64::try_from(items.min(MOST_LISTED)).expect("33 bits");
        let is_outside = |item: i64| item < PADDING || item >= items;
        // Many with one verdict, which takes half the time.
        let any = |chunk: &&[i64]| chunk.iter().fold(false, |any, &item| any | is_outside(item));
        self.items.chunks(1024).find(any)?.iter().copied().find(|&item| is_outside(item))
    }
}

/// The items of a checked list, without what fills it up.
pub(super) fn items_of(list: &[i64]) -> impl Iterator<Item = u32> + Clone + '_ {
    list.iter().filter_map(|&item| u32::try_from(item).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_whole_rows() {
        assert!(Lists::new("exclude", &[0, 2, 2, 3], &[4, -1, 0]).is_ok());
        assert!(Lists::new("exclude", &[0], &[]).is_ok());
        let wrong: [(&[i64], &[i64]); 5] = [
            (&[], &[]),
            (&[0, 2], &[1]),
            (&[1, 2], &[1, 2]),
            (&[0, 2, 1, 3], &[1, 2, 3]),
            (&[0, -1], &[]),
        ];
        for (starts, items) in wrong {
            let error = Lists::new("exclude", starts, items).unwrap_err().to_string();
            assert!(error.starts_with("exclude: got "), "{error}");
        }
    }

    #[test]
    fn what_is_no_item_is_found() {
        let outside = |items: &[i64]| {
            let count = i64::try_from(items.len()).unwrap();
            Lists::new("exclude", &[0, count], items).unwrap().outside(5)
        };
        assert_eq!(outside(&[-1, 0, 4]), None);
        assert_eq!(outside(&[0, 5]), Some(5));
        assert_eq!(outside(&[-2]), Some(-2));
    }
}
