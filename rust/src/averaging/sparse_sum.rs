//! Weighted sum of clients that sent only their largest elements.
//!
//! A client's indices ascend. So the output is walked block by block, zeroed and scattered into
//! while it is in the cache, each client's cursor moving on.

use super::OUT_BLOCK;

/// One client: where it has got to is kept between blocks.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SparseClient {
    /// First entry in `indices` and `values`, moved on by [`weighted_sum`].
    pub next: u32,
    /// One past the last.
    pub end: u32,
    pub weight: f32,
}

/// `out = sum_k weight_k * x_k`, or that added to `out`. Indices ascend within a client and are below
/// `out.len()`.
pub fn weighted_sum(indices: &[u32], values: &[f32], clients: &mut [SparseClient], out: &mut [f32], accumulate: bool) {
    let mut start = 0;
    for block in out.chunks_mut(OUT_BLOCK) {
        if !accumulate {
            block.fill(0.0);
        }
        for client in &mut *clients {
            let (mut next, end) = (client.next as usize, client.end as usize);
            let (indices, values) = (&indices[..end], &values[..end]);
            while next < end
                && let Some(sum) = block.get_mut(indices[next] as usize - start)
            {
                *sum += client.weight * values[next];
                next += 1;
            }
            client.next = next as u32;
        }
        start += block.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    #[test]
    fn agrees_with_a_plain_loop() {
        let mut random = Samples::new(24);
        let length = 2 * OUT_BLOCK + 100;
        for clients in [0usize, 1, 3, 10] {
            let (mut indices, mut values, mut table) = (vec![], vec![], vec![]);
            let mut naive = vec![0.0f32; length];
            for k in 0..clients {
                let next = indices.len() as u32;
                let weight = 1.0 / (k + 1) as f32;
                indices.extend((0..length as u32).filter(|_| random.next() % 50 == 0));
                values.extend(random.units(indices.len() - next as usize));
                for at in next as usize..indices.len() {
                    naive[indices[at] as usize] += weight * values[at];
                }
                table.push(SparseClient { next, end: indices.len() as u32, weight });
            }
            let mut out = vec![f32::NAN; length];
            weighted_sum(&indices, &values, &mut table, &mut out, false);
            assert_eq!(out, naive);
        }
    }
}
