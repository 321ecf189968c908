//! The optional `offset` and `size` of the older lists.

use crate::errcode::{Errcode, INVALID_OFFSET, Refusal};
use crate::params::Params;

/// Page size when the call names none.
const DEFAULT_SIZE: usize = 20;

/// The part of a list that a call asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    offset: usize,
    size: usize,
}

impl Slice {
    /// Reads `offset` and `size`, which only count when both are there; otherwise it is the first 20.
    pub(super) fn read(params: &Params, largest: usize, wrong_size: Errcode) -> Result<Self, Refusal> {
        let offset = params.integer("offset").map_err(|_| INVALID_OFFSET.about("offset"))?;
        let size = params.integer("size").map_err(|_| wrong_size.about("size"))?;
        let Some((offset, size)) = offset.zip(size) else { return Ok(Self { offset: 0, size: DEFAULT_SIZE }) };
        let offset = usize::try_from(offset).map_err(|_| INVALID_OFFSET.about("offset"))?;
        let size = usize::try_from(size).ok().filter(|size| (1..=largest).contains(size));
        Ok(Self { offset, size: size.ok_or_else(|| wrong_size.about("size"))? })
    }

    /// The items of the slice, and whether there are more after it.
    pub(super) fn of<T>(self, items: Vec<T>) -> (Vec<T>, bool) {
        let has_more = items.len() > self.offset.saturating_add(self.size);
        (items.into_iter().skip(self.offset).take(self.size).collect(), has_more)
    }
}
