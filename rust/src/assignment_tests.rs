use super::*;
use crate::samples::Samples;

fn run(cost: &[f32], rows: usize, columns: usize, limit: f64) -> Vec<Option<usize>> {
    let mut column_of_row = vec![9; rows];
    assign(cost, limit, &mut vec![9.0; rows], &mut vec![Column::FREE; columns], &mut column_of_row);
    column_of_row.into_iter().map(|column| (column != NOBODY).then_some(column as usize)).collect()
}

/// The sum that is minimised; panics for a column taken twice or a cost above the limit.
fn total(cost: &[f32], columns: usize, limit: f64, column_of_row: &[Option<usize>]) -> f64 {
    let mut taken = vec![false; columns];
    let value = |(row, column): (usize, &Option<usize>)| match *column {
        None => limit,
        Some(column) => {
            assert!(!core::mem::replace(&mut taken[column], true), "column {column} is taken twice");
            let cost = f64::from(cost[row * columns + column]);
            assert!(cost <= limit);
            cost
        }
    };
    column_of_row.iter().enumerate().map(value).sum()
}

/// The least sum over all ways to match the rows from `row` on.
fn best(cost: &[f32], columns: usize, limit: f64, row: usize, taken: u32) -> f64 {
    if row * columns == cost.len() {
        return 0.0;
    }
    let alone = limit + best(cost, columns, limit, row + 1, taken);
    (0..columns).filter(|column| taken >> column & 1 == 0).fold(alone, |least, column| {
        let cost_here = f64::from(cost[row * columns + column]);
        if cost_here > limit {
            least
        } else {
            least.min(cost_here + best(cost, columns, limit, row + 1, taken | 1 << column))
        }
    })
}

#[test]
fn finds_what_brute_force_finds() {
    let mut random = Samples::new(31);
    for round in 0..3000 {
        let [rows, columns] = [1 + random.next() as usize % 5, 1 + random.next() as usize % 5];
        // Few distinct costs, so that many solutions tie; some forbidden.
        let cost: Vec<f32> = (0..rows * columns)
            .map(|_| if random.unit() < 0.15 { f32::INFINITY } else { (random.next() % 9) as f32 - 2.0 })
            .collect();
        let limit = [100.0, 3.0, 0.5, -1.0][round % 4];
        let expected = best(&cost, columns, limit, 0, 0);
        assert_eq!(total(&cost, columns, limit, &run(&cost, rows, columns, limit)), expected, "{cost:?} {limit}");
    }
}

#[test]
fn finds_a_hidden_optimum_of_any_shape() {
    let mut random = Samples::new(37);
    for (rows, columns) in [(1, 1003), (1003, 1), (60, 60), (40, 101), (101, 40)] {
        // Row i likes column i by as much as its price and the column's; all others cost more.
        let price: Vec<f32> = (0..rows).map(|_| (random.next() % 64) as f32).collect();
        let cost: Vec<f32> = (0..rows * columns)
            .map(|i| {
                let (row, column) = (i / columns, i % columns);
                price[row] + if row == column { 0.0 } else { (1 + random.next() % 50) as f32 }
            })
            .collect();
        let got = run(&cost, rows, columns, 1e5);
        if rows <= columns {
            assert_eq!(got, (0..rows).map(Some).collect::<Vec<_>>());
        }
        assert_eq!(got.iter().flatten().count(), rows.min(columns), "{rows} x {columns}");
        total(&cost, columns, 1e5, &got);
    }
}

#[test]
fn takes_the_first_of_equals() {
    assert_eq!(run(&[1.0; 6], 2, 3, 2.0), [Some(0), Some(1)]);
    assert_eq!(run(&[1.0; 6], 3, 2, 2.0), [Some(0), Some(1), None]);
}

#[test]
fn leaves_all_alone_below_every_cost() {
    assert_eq!(run(&[1.0; 4], 2, 2, f64::NEG_INFINITY), [None, None]);
    assert_eq!(run(&[f32::INFINITY; 4], 2, 2, 1.0), [None, None]);
}
