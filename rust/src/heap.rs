//! Which byte ranges of the module's memory are in use.
//!
//! An address-ordered table of extents, used and free ones in turn, that together cover the heap
//! without gaps. First fit; neighbours merge when freed. The table lies outside the memory it
//! describes, so the bookkeeping is safe code and a stray write into a block can't corrupt it.
//! Blocks are few and live long (some for each converter, gallery, bucket or trainer), which is why
//! linear searches and a fixed table are enough.

/// Most extents, used and free together.
pub const MAX_EXTENTS: usize = 4096;

/// Blocks start and end on multiples of this.
pub const ALIGNMENT: u32 = 16;

#[derive(Clone, Copy)]
struct Extent {
    start: u32,
    bytes: u32,
    used: bool,
}

const EMPTY: Extent = Extent { start: 0, bytes: 0, used: false };

/// The table. All zero at first, so it costs no bytes in the module.
pub struct Heap {
    extents: [Extent; MAX_EXTENTS],
    count: usize,
}

impl Heap {
    pub const fn new() -> Self {
        Self { extents: [EMPTY; MAX_EXTENTS], count: 0 }
    }

    /// Reserves `bytes` (rounded up) at or after `base`; the address of the block. `base` counts
    /// while the heap is empty. None when the address space or the table is full.
    pub fn allocate(&mut self, bytes: u32, base: u32) -> Option<u32> {
        let bytes = bytes.max(1).checked_next_multiple_of(ALIGNMENT)?;
        let live = &self.extents[..self.count];
        match live.iter().position(|extent| !extent.used && extent.bytes >= bytes) {
            Some(index) => self.split(index, bytes),
            None => self.append(bytes, base),
        }
    }

    /// Frees the block at `start`. An address that is no block's is ignored.
    pub fn release(&mut self, start: u32) {
        let live = &mut self.extents[..self.count];
        let Some(index) = live.iter().position(|extent| extent.used && extent.start == start) else {
            return;
        };
        live[index].used = false;
        self.merge_with_next(index);
        if index > 0 && !self.extents[index - 1].used {
            self.merge_with_next(index - 1);
        }
        // So that the heap's end falls back, above all when memory could not grow up to it.
        if !self.extents[self.count - 1].used {
            self.count -= 1;
        }
    }

    /// The first address after all blocks: memory must reach this far. 0 while empty.
    pub fn end(&self) -> u32 {
        match self.extents[..self.count].last() {
            Some(last) => last.start + last.bytes,
            None => 0,
        }
    }

    fn split(&mut self, index: usize, bytes: u32) -> Option<u32> {
        let Extent { start, bytes: whole, .. } = self.extents[index];
        if whole > bytes && self.count < MAX_EXTENTS {
            self.extents.copy_within(index + 1..self.count, index + 2);
            self.extents[index + 1] = Extent { start: start + bytes, bytes: whole - bytes, used: false };
            self.extents[index].bytes = bytes;
            self.count += 1;
        }
        self.extents[index].used = true;
        Some(start)
    }

    fn append(&mut self, bytes: u32, base: u32) -> Option<u32> {
        let start = match self.end() {
            0 => base.checked_next_multiple_of(ALIGNMENT)?,
            end => end,
        };
        start.checked_add(bytes)?;
        *self.extents.get_mut(self.count)? = Extent { start, bytes, used: true };
        self.count += 1;
        Some(start)
    }

    fn merge_with_next(&mut self, index: usize) {
        if index + 1 < self.count && !self.extents[index + 1].used {
            self.extents[index].bytes += self.extents[index + 1].bytes;
            self.extents.copy_within(index + 2..self.count, index + 1);
            self.count -= 1;
        }
    }
}

impl Default for Heap {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    #[test]
    fn blocks_are_aligned_and_start_at_the_base() {
        let mut heap = Heap::new();
        assert_eq!(heap.allocate(5, 1001), Some(1008));
        assert_eq!(heap.allocate(0, 1001), Some(1024));
        assert_eq!(heap.end(), 1040);
    }

    #[test]
    fn freed_neighbours_merge_and_are_used_again() {
        let mut heap = Heap::new();
        let blocks = [100, 200, 300].map(|bytes| heap.allocate(bytes, 16).unwrap());
        let last = heap.allocate(16, 16).unwrap();
        let end = heap.end();
        heap.release(blocks[0]);
        heap.release(blocks[2]);
        heap.release(blocks[1]);
        assert_eq!(heap.allocate(600, 16), Some(16));
        assert_eq!(heap.end(), end);
        heap.release(16);
        heap.release(last);
        assert_eq!(heap.end(), 0);
    }

    #[test]
    fn a_block_freed_at_the_end_leaves_no_trace() {
        let mut heap = Heap::new();
        let small = heap.allocate(32, 16).unwrap();
        let large = heap.allocate(1 << 31, 16).unwrap();
        heap.release(large);
        assert_eq!(heap.end(), small + 32);
    }

    #[test]
    fn an_unknown_address_is_ignored() {
        let mut heap = Heap::new();
        let block = heap.allocate(64, 16).unwrap();
        heap.release(block + 16);
        heap.release(block);
        heap.release(block);
        assert_eq!(heap.allocate(64, 16), Some(block));
    }

    #[test]
    fn a_full_table_or_address_space_gives_none() {
        let mut heap = Heap::new();
        assert_eq!(heap.allocate(u32::MAX, 16), None);
        assert_eq!(heap.allocate(u32::MAX - 15, 16), None);
        for _ in 0..MAX_EXTENTS {
            assert!(heap.allocate(16, 16).is_some());
        }
        assert_eq!(heap.allocate(16, 16), None);
    }

    #[test]
    fn live_blocks_never_overlap() {
        let mut heap = Heap::new();
        let mut random = Samples::new(7);
        let mut live: Vec<(u32, u32)> = Vec::new();
        for _ in 0..5000 {
            if live.len() > 40 || (random.unit() < 0.5 && !live.is_empty()) {
                let (start, _) = live.swap_remove(random.next() as usize % live.len());
                heap.release(start);
            } else {
                let bytes = random.next() % 5000;
                let start = heap.allocate(bytes, 4096).unwrap();
                assert!(start >= 4096 && start + bytes <= heap.end());
                assert!(live.iter().all(|&(s, b)| start + bytes <= s || s + b <= start));
                live.push((start, bytes));
            }
        }
        for (start, _) in live.drain(..) {
            heap.release(start);
        }
        assert_eq!(heap.count, 0);
    }
}
