//! Any bits that a float can have, and any sizes, through the kernels: nothing panics, and what must hold
//! of every answer holds. Rust's own tests know the right answers; these look for what nobody thought of.

use sedna_kernels::averaging::{f16_sum, f32_sum, int8_sum, sorted_mean, sparse_sum, squares};
use sedna_kernels::gallery::ranking::Ranking;
use sedna_kernels::gallery::{float_panels, int8_panels, rows, sketch};
use sedna_kernels::{cross_entropy, ibt, nms, threshold, top_class};

/// A 64-bit linear congruential generator (Knuth's MMIX constants).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 32) as u32
    }

    fn below(&mut self, end: usize) -> usize {
        self.bits() as usize % end
    }

    /// An ordinary number most of the time, else anything: NaN, infinities, subnormals, both zeros.
    fn float(&mut self) -> f32 {
        if self.below(4) == 0 { f32::from_bits(self.bits()) } else { self.bits() as f32 / 2f32.powi(32) * 2.0 - 1.0 }
    }

    fn floats(&mut self, length: usize) -> Vec<f32> {
        (0..length).map(|_| self.float()).collect()
    }
}

const ROUNDS: u64 = 400;

#[test]
fn averaging_takes_any_bits() {
    for seed in 0..ROUNDS {
        let random = &mut Random(seed);
        let (clients, length) = (1 + random.below(12), 16 * random.below(20));
        let stride = length + 16 * random.below(3);
        let bucket = random.floats(clients * stride);
        let weights = random.floats(clients);
        let mut out = vec![0.0; length];
        f32_sum::weighted_sum(&bucket, stride, &weights, &mut out, seed % 2 == 0);
        let halves: Vec<u16> = (0..clients * stride).map(|_| random.bits() as u16).collect();
        let found = squares::scan_halves(&halves);
        let kind = if found.normal_or_zero { f16_sum::Halves::NormalOrZero } else { f16_sum::Halves::Finite };
        f16_sum::weighted_sum(&halves, stride, kind, &weights, &mut out, false);
        let bytes: Vec<i8> = (0..clients * stride).map(|_| random.bits() as i8).collect();
        let mut factors = vec![[0; 2]; clients.div_ceil(2)];
        for client in 0..clients {
            factors[client / 2][client % 2] = random.bits() as i16;
        }
        let units = random.floats(factors.len().div_ceil(int8_sum::PAIRS));
        int8_sum::weighted_sum(&bytes, stride.max(1), &factors, &units, &mut out, true);
        let pairs: Vec<[u32; 2]> = (0..clients as u32).flat_map(|_| (1..clients as u32).map(|b| [b - 1, b])).collect();
        let low = random.below(clients);
        let high = low + 1 + random.below(clients - low);
        sorted_mean::sorted_mean(&bucket, stride, &mut vec![0.0; clients * sorted_mean::RUN], &pairs, low, high, &mut out);
        let is_finite = bucket.iter().all(|x| x.is_finite());
        assert_eq!(squares::of_floats(&bucket).is_finite(), is_finite);
    }
}

#[test]
fn sparse_sums_write_where_the_indices_say_and_nowhere_else() {
    for seed in 0..ROUNDS {
        let random = &mut Random(seed);
        let length = 1 + random.below(40_000);
        let mut indices: Vec<u32> = (0..random.below(200)).map(|_| random.below(length) as u32).collect();
        indices.sort_unstable();
        indices.dedup();
        let values = random.floats(indices.len());
        let mut clients = [sparse_sum::SparseClient { next: 0, end: indices.len() as u32, weight: 1.0 }];
        let mut out = vec![f32::NAN; length];
        sparse_sum::weighted_sum(&indices, &values, &mut clients, &mut out, false);
        for (i, got) in out.iter().enumerate() {
            let sent = indices.binary_search(&(i as u32)).map_or(0.0, |at| values[at]);
            assert!(*got == sent || got.is_nan() && sent.is_nan());
        }
    }
}

#[test]
fn rankings_are_sorted_and_name_rows_that_exist() {
    for seed in 0..ROUNDS {
        let random = &mut Random(seed);
        let (count, dimensions, k) = (1 + random.below(40), 1 + random.below(70), 1 + random.below(12));
        let query = random.floats(dimensions);
        let panels: Vec<[f32; 8]> =
            (0..count.div_ceil(8) * dimensions).map(|_| core::array::from_fn(|_| random.float())).collect();
        let groups = int8_panels::groups(dimensions);
        let mut numbers = vec![int8_panels::PanelNumbers { scales: [0.0; 8], starts: [0; 8] }; count.div_ceil(8)];
        let mut bytes = vec![[[0; 8]; 2]; numbers.len() * groups];
        for row in 0..count {
            let panel = bytes.chunks_mut(groups).nth(row / 8).expect("a panel for each eight rows");
            int8_panels::put(&random.floats(dimensions), row % 8, panel, &mut numbers[row / 8]);
        }
        let mut packed = vec![0; groups];
        int8_panels::pack(&query, &mut packed, 1);
        let sketches: Vec<sketch::Sketch> = (0..count).map(|_| sketch::sketch(&mut random.floats(512))).collect();
        let table = random.floats(8 * count);
        let candidates: Vec<u32> = (0..20).map(|_| random.bits() % 64).collect();
        let scans: [&dyn Fn(&mut Ranking); 4] = [
            &|ranking| float_panels::match_one(&panels, count, &query, 5, ranking),
            &|ranking| int8_panels::match_one(&bytes, &numbers, count, &packed, 5, ranking),
            &|ranking| sketch::match_one(&sketches, &sketches[0], 5, ranking),
            &|ranking| rows::rescore(&table, &table[..8], 5, &candidates, ranking),
        ];
        for scan in scans {
            let (mut scores, mut slots) = (vec![f32::NEG_INFINITY; k], vec![u32::MAX; k]);
            scan(&mut Ranking { scores: &mut scores, slots: &mut slots });
            assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
            assert!(slots.iter().all(|&slot| slot == u32::MAX || (5..5 + count as u32).contains(&slot)), "{slots:?}");
        }
    }
}

#[test]
fn miners_and_detections_take_any_bits() {
    for seed in 0..ROUNDS {
        let random = &mut Random(seed);
        let mut offsets = vec![random.below(9) as u32];
        for _ in 0..random.below(20) {
            offsets.push(offsets[offsets.len() - 1] + random.below(30) as u32);
        }
        let images = offsets.len() - 1;
        let scores = random.floats((offsets[images] - offsets[0]) as usize);
        let mut hard = vec![9; images];
        ibt::ibt(&scores, &offsets, random.float(), f64::from(random.float()), &mut hard);
        threshold::threshold(&scores, &offsets, f64::from(random.float()), &mut hard);
        assert!(hard.iter().all(|&hard| hard < 2));
        let classes = 1 + random.below(20);
        let table = random.floats(classes * 9);
        let mut confidences = [0.0; 9];
        cross_entropy::cross_entropy(&table, classes, 1.0 / (classes as f64).log2(), &mut confidences);
        let (mut index, mut label, mut score) = ([0; 9], [0; 9], [0.0; 9]);
        let kept = top_class::Kept { index: &mut index, label: &mut label, score: &mut score };
        assert!(top_class::top_class(&table, classes, random.float(), kept) <= 9);
        let boxes: Vec<[f32; 4]> = (0..random.below(50)).map(|_| core::array::from_fn(|_| random.float())).collect();
        let (scores, labels) = (random.floats(boxes.len()), vec![0; boxes.len()]);
        let mut kept = vec![0; boxes.len()];
        let mut groups = vec![nms::NOBODY; boxes.len().div_ceil(4)];
        let count = nms::nms(&boxes, &scores, &labels, 0.5, &mut groups, &mut kept);
        let mut seen = kept[..count].to_vec();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count, "a box is kept once");
    }
}
