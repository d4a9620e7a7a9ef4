//! Greedy non-maximum suppression, class by class.
//!
//! ```text
//! repeat: keep the live box of the highest score
//!         kill it, and every live box of its class whose IoU with it exceeds the threshold
//! ```
//! Departures from the textbook:
//! 1. No sort. The pass that kills boxes also finds the next best, so the work is one vector loop
//!    a kept box, and `most` ends it early.
//! 2. A dead box has the score -Infinity, so liveness costs no extra array. Hence boxes whose
//!    score is NaN or -Infinity are never kept.
//! 3. When fewer than half of the boxes live, the dead are squeezed out.

use crate::simd::{F32x4, U32x4};

const DEAD: f32 = f32::NEG_INFINITY;

/// Four boxes, lane by lane.
#[derive(Clone, Copy)]
pub struct Group {
    sides: [[f32; 4]; 4],
    area: [f32; 4],
    score: [f32; 4],
    label: [u32; 4],
    index: [u32; 4],
}

/// Unused lanes of the last group.
pub const NOBODY: Group =
    Group { sides: [[0.0; 4]; 4], area: [0.0; 4], score: [DEAD; 4], label: [0; 4], index: [u32::MAX; 4] };

/// Best live box: its group and lane.
struct Best {
    score: f32,
    at: usize,
}

/// Writes the indices of the kept boxes, best score first (of equal scores the lower index), and
/// returns their number. `boxes` are `x1, y1, x2, y2`; `groups` is working space for
/// `boxes / 4` rounded up; at most `kept.len()` are kept.
pub fn nms(
    boxes: &[[f32; 4]],
    scores: &[f32],
    labels: &[u32],
    iou: f32,
    groups: &mut [Group],
    kept: &mut [u32],
) -> usize {
    let mut live = load(boxes, scores, labels, groups);
    let mut count = 0;
    let mut best = next_best(&mut groups[..live], |group| F32x4::load(&group.score)).0;
    while count < kept.len() && best.score > DEAD {
        let winner = Winner::new(&groups[best.at / 4], best.at % 4);
        kept[count] = winner.index;
        count += 1;
        groups[best.at / 4].score[best.at % 4] = DEAD;
        let (next, alive) = next_best(&mut groups[..live], |group| winner.suppress(group, iou));
        best = next;
        if alive * 2 < live * 4 && live > 1 {
            live = squeeze(&mut groups[..live]);
            best = next_best(&mut groups[..live], |group| F32x4::load(&group.score)).0;
        }
    }
    count
}

fn load(boxes: &[[f32; 4]], scores: &[f32], labels: &[u32], groups: &mut [Group]) -> usize {
    let used = boxes.len().div_ceil(4);
    groups[..used].fill(NOBODY);
    for (i, &[x1, y1, x2, y2]) in boxes.iter().enumerate() {
        let (group, lane) = (&mut groups[i / 4], i % 4);
        for (side, value) in group.sides.iter_mut().zip([x1, y1, x2, y2]) {
            side[lane] = value;
        }
        group.area[lane] = positive(x2 - x1) * positive(y2 - y1);
        group.score[lane] = scores[i];
        group.label[lane] = labels.get(i).copied().unwrap_or(0);
        group.index[lane] = i as u32;
    }
    used
}

fn positive(length: f32) -> f32 {
    if 0.0 < length { length } else { 0.0 }
}

/// Gives every group its new scores, and finds the first of the largest, and how many live.
#[inline(always)]
fn next_best(groups: &mut [Group], scores: impl Fn(&Group) -> F32x4) -> (Best, usize) {
    let mut best = F32x4::splat(DEAD);
    let mut at = U32x4::splat(0);
    let mut alive = U32x4::splat(0);
    for (index, group) in groups.iter_mut().enumerate() {
        let score = scores(group);
        score.store(&mut group.score);
        let better = score.is_gt(best);
        best = better.select(score, best);
        at = better.select(U32x4::splat(index as u32).float_bits(), at.float_bits()).bits();
        alive = alive - score.is_gt(F32x4::splat(DEAD));
    }
    let mut first = Best { score: DEAD, at: 0 };
    for (lane, (score, group)) in best.to_array().into_iter().zip(at.to_array()).enumerate() {
        let at = 4 * group as usize + lane;
        if score > first.score || (score == first.score && at < first.at) {
            first = Best { score, at };
        }
    }
    (first, alive.to_array().iter().sum::<u32>() as usize)
}

/// Moves the live boxes to the front, in order; the number of groups they fill.
fn squeeze(groups: &mut [Group]) -> usize {
    let mut to = 0;
    for from in 0..4 * groups.len() {
        let (group, lane) = (groups[from / 4], from % 4);
        if group.score[lane] > DEAD {
            let target = &mut groups[to / 4];
            for (side, source) in target.sides.iter_mut().zip(group.sides) {
                side[to % 4] = source[lane];
            }
            target.area[to % 4] = group.area[lane];
            target.score[to % 4] = group.score[lane];
            target.label[to % 4] = group.label[lane];
            target.index[to % 4] = group.index[lane];
            to += 1;
        }
    }
    let used = to.div_ceil(4);
    for slot in to..4 * used {
        groups[slot / 4].score[slot % 4] = DEAD;
    }
    used
}

/// The box just kept, in all lanes.
struct Winner {
    sides: [F32x4; 4],
    area: F32x4,
    label: U32x4,
    index: u32,
}

impl Winner {
    fn new(group: &Group, lane: usize) -> Self {
        Self {
            sides: group.sides.map(|side| F32x4::splat(side[lane])),
            area: F32x4::splat(group.area[lane]),
            label: U32x4::splat(group.label[lane]),
            index: group.index[lane],
        }
    }

    /// The group's scores, with -Infinity where this winner kills the box. An IoU of 0 / 0 is
    /// NaN, which exceeds nothing.
    #[inline(always)]
    fn suppress(&self, group: &Group, iou: f32) -> F32x4 {
        let [x1, y1, x2, y2] = group.sides.each_ref().map(F32x4::load);
        let zero = F32x4::splat(0.0);
        let width = zero.greater(self.sides[2].lesser(x2) - self.sides[0].greater(x1));
        let height = zero.greater(self.sides[3].lesser(y2) - self.sides[1].greater(y1));
        let overlap = width * height;
        let union = (self.area + F32x4::load(&group.area)) - overlap;
        let same = self.label.equals(U32x4::from_array(group.label));
        let killed = (overlap / union).is_gt(F32x4::splat(iou)) & same;
        killed.select(F32x4::splat(DEAD), F32x4::load(&group.score))
    }
}

#[cfg(test)]
#[path = "nms_tests.rs"]
mod tests;
