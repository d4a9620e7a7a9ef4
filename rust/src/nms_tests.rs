use super::*;
use crate::samples::{AWKWARD, Samples};

fn run(boxes: &[[f32; 4]], scores: &[f32], labels: &[u32], iou: f32, most: usize) -> Vec<u32> {
    let mut groups = vec![NOBODY; boxes.len().div_ceil(4)];
    let mut kept = vec![0; most.min(boxes.len())];
    let count = nms(boxes, scores, labels, iou, &mut groups, &mut kept);
    kept.truncate(count);
    kept
}

fn iou_of(a: [f32; 4], b: [f32; 4]) -> f32 {
    let area = |[x1, y1, x2, y2]: [f32; 4]| (x2 - x1).max(0.0) * (y2 - y1).max(0.0);
    let overlap = area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    overlap / (area(a) + area(b) - overlap)
}

/// The textbook: sort, then test each box against all kept ones.
fn naive(boxes: &[[f32; 4]], scores: &[f32], labels: &[u32], iou: f32, most: usize) -> Vec<u32> {
    let mut order: Vec<usize> = (0..boxes.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut kept: Vec<u32> = Vec::new();
    for i in order {
        let clash = |&k: &u32| labels[k as usize] == labels[i] && iou_of(boxes[k as usize], boxes[i]) > iou;
        if kept.len() < most && !kept.iter().any(clash) {
            kept.push(i as u32);
        }
    }
    kept
}

#[test]
fn agrees_with_the_textbook() {
    let mut random = Samples::new(17);
    for count in AWKWARD {
        for classes in [1, 3] {
            let boxes: Vec<[f32; 4]> = (0..count)
                .map(|_| {
                    let [x, y, w, h] = core::array::from_fn(|_| (random.next() % 64) as f32);
                    [x, y, x + w, y + h]
                })
                .collect();
            // Few distinct scores, so that boxes tie.
            let scores: Vec<f32> = (0..count).map(|_| (random.next() % 20) as f32 / 20.0).collect();
            let labels: Vec<u32> = (0..count).map(|_| random.next() % classes).collect();
            for (iou, most) in [(0.5, usize::MAX), (0.0, usize::MAX), (0.3, 5), (1.0, usize::MAX), (0.5, 0)] {
                let expected = naive(&boxes, &scores, &labels, iou, most);
                assert_eq!(run(&boxes, &scores, &labels, iou, most), expected, "{count} boxes, iou {iou}");
            }
        }
    }
}

#[test]
fn boxes_without_a_score_are_never_kept() {
    let boxes = [[0.0, 0.0, 1.0, 1.0]; 5];
    let scores = [f32::NAN, f32::NEG_INFINITY, -1.0, f32::INFINITY, f32::NAN];
    assert_eq!(run(&boxes, &scores, &[0, 0, 0, 1, 0], 0.5, 9), [3, 2]);
}

#[test]
fn empty_boxes_do_not_suppress_each_other() {
    assert_eq!(run(&[[3.0; 4]; 5], &[0.5; 5], &[0; 5], 0.0, 9), [0, 1, 2, 3, 4]);
}
