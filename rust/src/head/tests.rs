use super::*;
use crate::samples::Samples;

const HEADS: [Head; 7] = [
    Head { features: 1, hidden: 0, classes: 2 },
    Head { features: 3, hidden: 0, classes: 3 },
    Head { features: 4, hidden: 0, classes: 5 },
    Head { features: 1003, hidden: 0, classes: 4 },
    Head { features: 3, hidden: 1, classes: 2 },
    Head { features: 5, hidden: 4, classes: 3 },
    Head { features: 80, hidden: 7, classes: 5 },
];

/// Rows of `values` random numbers, then `end`, then zeros up to whole blocks.
fn padded(random: &mut Samples, rows: usize, values: usize, end: f32) -> Vec<Block> {
    let mut blocks = vec![[0.0; 4]; rows * (values / 4 + 1)];
    for row in blocks.as_flattened_mut().chunks_mut(4 * (values / 4 + 1)) {
        row[..values].fill_with(|| random.unit() - 0.5);
        row[values] = end;
    }
    blocks
}

fn parameters(random: &mut Samples, head: Head) -> Vec<Block> {
    head.layers().into_iter().flat_map(|layer| padded(random, layer.outputs, layer.inputs, 0.25)).collect()
}

/// The class probabilities of a sample in f64.
fn naive(head: Head, weights: &[Block], sample: &[Block]) -> Vec<f64> {
    let layer = |dense: Dense, weights: &[Block], inputs: &[f64]| -> Vec<f64> {
        let rows = weights.as_flattened().chunks(4 * dense.blocks()).take(dense.outputs);
        rows.map(|row| row.iter().zip(inputs).map(|(&w, x)| f64::from(w) * x).sum()).collect()
    };
    let inputs: Vec<f64> = sample.as_flattened().iter().map(|&x| f64::from(x)).collect();
    let [first, second] = head.layers();
    let mut outputs = layer(first, weights, &inputs);
    if head.hidden > 0 {
        let mut hidden: Vec<f64> = outputs.iter().map(|z| z.max(0.0)).collect();
        hidden.push(1.0);
        outputs = layer(second, &weights[first.size()..], &hidden);
    }
    let weights: Vec<f64> = outputs.iter().map(|z| z.exp()).collect();
    weights.iter().map(|weight| weight / weights.iter().sum::<f64>()).collect()
}

fn scratch(head: Head) -> Vec<Block> {
    let mut blocks = vec![[0.0; 4]; head.scratch()];
    blocks[head.classes + head.hidden] = [1.0; 4];
    blocks
}

#[test]
fn probabilities_agree_with_the_naive_loop() {
    let mut random = Samples::new(1);
    for head in HEADS {
        let weights = parameters(&mut random, head);
        let samples = padded(&mut random, 8, head.features, 1.0);
        let mut out = vec![[9.0; 4]; 2 * head.classes];
        predict(head, &weights, &samples, &mut out, &mut scratch(head));
        for (i, sample) in samples.chunks(head.sample()).enumerate() {
            for (class, exact) in naive(head, &weights, sample).into_iter().enumerate() {
                let got = out[i / 4 * head.classes + class][i % 4];
                assert!((exact - f64::from(got)).abs() < 2e-6, "{got}, exact {exact}");
            }
        }
    }
}

/// Samples with their labels and shares, and the penalties.
struct Problem<'a> {
    batch: Vec<(&'a [Block], usize, f32)>,
    stiffness: Vec<Block>,
    pull: Vec<Block>,
}

/// The loss of one batch, penalties included.
fn batch_loss(head: Head, weights: &[Block], problem: &Problem) -> f64 {
    let cross_entropy = |sample: &[Block], label: usize| -naive(head, weights, sample)[label].ln();
    let loss: f64 = problem.batch.iter().map(|&(row, label, share)| f64::from(share) * cross_entropy(row, label)).sum();
    let springs = problem.stiffness.as_flattened().iter().zip(problem.pull.as_flattened());
    let penalty = |(w, (s, p)): (f64, (&f32, &f32))| 0.5 * f64::from(*s) * w * w - f64::from(*p) * w;
    loss + weights.as_flattened().iter().map(|&w| f64::from(w)).zip(springs).map(penalty).sum::<f64>()
}

#[test]
fn a_step_follows_the_gradient_of_the_loss_and_its_penalties() {
    let mut random = Samples::new(2);
    let rule = Rule { keep: 0.0, take: 1.0, keep_squares: 0.0, take_squares: 0.0 };
    for head in HEADS {
        let count = 7;
        let before = parameters(&mut random, head);
        let samples = padded(&mut random, count, head.features, 1.0);
        let share = |i: usize| 0.05 * (i + 1) as f32;
        let label = |i: usize| i % head.classes;
        let rows = samples.chunks(head.sample()).enumerate();
        let problem = Problem {
            batch: rows.map(|(i, row)| (row, label(i), share(i))).collect(),
            stiffness: parameters(&mut random, head),
            pull: parameters(&mut random, head),
        };
        let mut turns = vec![Turn::default(); 2];
        for i in 0..count {
            let (turn, lane) = (&mut turns[i / 4], i % 4);
            (turn.samples[lane], turn.labels[lane], turn.shares[lane]) = (i as u32, label(i) as u32, share(i));
        }
        let steps = [Step { rate: 1.0, epsilon: 0.0 }];
        let batches = Batches { samples: &samples, turns: &mut turns, size: 2, steps: &steps };
        let mut weights = before.clone();
        let [mut gradient, mut first] = [(); 2].map(|()| vec![[9.0; 4]; head.size()]);
        let mut parameters = Parameters {
            weights: &mut weights,
            gradient: &mut gradient,
            first: &mut first,
            second: None,
            stiffness: &problem.stiffness,
            pull: &problem.pull,
        };
        epoch(head, &mut parameters, &rule, batches, &mut scratch(head));
        for (i, &(sample, label, _)) in problem.batch.iter().enumerate() {
            let exact = naive(head, &before, sample);
            let (turn, lane) = (&turns[i / 4], i % 4);
            assert!((f64::from(turn.losses[lane]) + exact[label].ln()).abs() < 1e-5, "sample {i}");
            assert!(exact.iter().all(|&p| p <= exact[turn.best[lane] as usize] + 1e-6), "sample {i}");
        }
        for at in (0..4 * head.size()).step_by(1 + head.size() / 20) {
            let loss_at = |shift: f32| {
                let mut moved = before.clone();
                moved.as_flattened_mut()[at] += shift;
                batch_loss(head, &moved, &problem)
            };
            // So small that hardly any unit crosses the ReLU's corner.
            let shift = 1.0 / 4096.0;
            let slope = (loss_at(shift) - loss_at(-shift)) / f64::from(2.0 * shift);
            let step = f64::from(before.as_flattened()[at]) - f64::from(weights.as_flattened()[at]);
            if before.as_flattened()[at] == 0.0 {
                assert_eq!(step, 0.0, "padding stays 0");
            } else {
                assert!((slope - step).abs() < 1e-3, "parameter {at}: step {step}, slope {slope}");
            }
        }
    }
}
