//! All chunks of a column.
#![allow(unsafe_code)] // a border spot: arrays and their type, as a stream gives them

use super::abi::{Array, Stream};
use super::column::{Column, read};
use super::level::Level;
use super::refusal::Refusal;
use super::schema::Type;

/// A chunk's values, and the array in whose memory they lie, where there is one.
type Chunk = (Column, Option<Array>);

/// The chunks that have rows, or else an empty one; None if it is no column of numbers.
pub(super) fn chunks(mut stream: Stream) -> Result<Option<Vec<Chunk>>, Refusal> {
    let schema = stream.schema().map_err(Refusal::Stream)?;
    let of = Type::new(&schema);
    let (mut chunks, mut rows) = (Vec::<Chunk>::new(), 0);
    while let Some(array) = stream.next().map_err(Refusal::Stream)? {
        // SAFETY: a stream's arrays are of its type.
        let level = unsafe { Level::new(of, &array) }?;
        if level.count == 0 {
            continue; // its lists have no length that could differ
        }
        let Some(column) = read(level).map_err(|refusal| refusal.after(rows))? else {
            return Ok(None);
        };
        if let Some((first, _)) = chunks.first() {
            refuse_ragged(rows, &column.shape[1..], &first.shape[1..])?;
        }
        rows += column.shape[0];
        chunks.push((column, Some(array)));
    }
    if chunks.is_empty() {
        let empty = read(Level::empty(of))?;
        return Ok(empty.map(|column| vec![(column, None)]));
    }
    Ok(Some(chunks))
}

fn refuse_ragged(row: usize, got: &[usize], wanted: &[usize]) -> Result<(), Refusal> {
    if got == wanted {
        return Ok(());
    }
    Err(Refusal::Ragged { row, got: got.to_vec(), wanted: wanted.to_vec() })
}
