//! Linear assignment by shortest augmenting paths with dual prices (Jonker and Volgenant, 1987; Crouse,
//! "On implementing 2D rectangular assignment algorithms", 2016). O(n^3).
//!
//! ```text
//! for each row: the shortest path of reduced costs (cost - row's price - column's price)
//!               that ends at a free column, or by leaving a row alone for `limit`
//!   change the prices along the tree so that reduced costs stay >= 0
//!   rematch along the path
//! ```
//! Departures:
//! 1. No matrix is extended: that every row has a private column of cost `limit` is a second way
//!    for a path to end. Whoever was left alone stays so, since no path leads to that column.
//! 2. No initial reduction: it isn't valid where columns may stay free.
//!
//! The slow twin in TypeScript does the same sums and comparisons in the same order, so that equal
//! costs are resolved alike.

/// A row or column without a partner.
pub const NOBODY: u32 = u32::MAX;

/// What is known of a column. Any bits are valid.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Column {
    price: f64,
    /// Of the shortest known way from the row being matched.
    distance: f64,
    /// The last row on that way.
    from: u32,
    row: u32,
    /// 1 when the way is final and goes on from `row`.
    visited: u32,
}

impl Column {
    const FREE: Self = Self { price: 0.0, distance: f64::INFINITY, from: 0, row: NOBODY, visited: 0 };
}

/// Writes each row's column, or [`NOBODY`], such that the sum of the matched costs, and of `limit` for each
/// row left alone, is least. A cost above `limit`, which is below +Infinity, is never matched. `cost` is
/// `[rows, columns]` without NaN; `prices` (one a row) and `columns` are working space.
pub fn assign(cost: &[f32], limit: f64, prices: &mut [f64], columns: &mut [Column], column_of_row: &mut [u32]) {
    prices.fill(0.0);
    columns.fill(Column::FREE);
    column_of_row.fill(NOBODY);
    for start in 0..column_of_row.len() {
        let end = shortest_path(cost, limit, start, prices, columns);
        change_prices(end.length, start, prices, columns);
        let mut column = match end.at {
            Place::FreeColumn(column) => column as u32,
            Place::LeftAlone(row) => core::mem::replace(&mut column_of_row[row], NOBODY),
        };
        // Back along the path: each row takes the column that the way left it by.
        while column != NOBODY {
            let target = &mut columns[column as usize];
            target.row = target.from;
            column = core::mem::replace(&mut column_of_row[target.row as usize], column);
        }
    }
}

/// Where a path ends.
enum Place {
    FreeColumn(usize),
    LeftAlone(usize),
}

struct End {
    length: f64,
    at: Place,
}

/// Of equally short ends a free column is taken before a row that is left alone, and the lower column.
fn shortest_path(cost: &[f32], limit: f64, start: usize, prices: &[f64], columns: &mut [Column]) -> End {
    let mut alone = End { length: f64::INFINITY, at: Place::LeftAlone(start) };
    let mut row = start;
    let mut travelled = 0.0;
    loop {
        let here = travelled - prices[row];
        if here + limit < alone.length {
            alone = End { length: here + limit, at: Place::LeftAlone(row) };
        }
        let mut nearest = f64::INFINITY;
        let mut found = None;
        let mut next = NOBODY;
        let costs = &cost[row * columns.len()..];
        for (index, (column, &cost)) in columns.iter_mut().zip(costs).enumerate() {
            if column.visited != 0 {
                continue;
            }
            let cost = f64::from(cost);
            let distance = here + cost - column.price;
            if cost <= limit && distance < column.distance {
                column.distance = distance;
                column.from = row as u32;
            }
            let free_at_last = column.row == NOBODY && next != NOBODY;
            if column.distance < nearest || (column.distance == nearest && free_at_last) {
                nearest = column.distance;
                found = Some(index);
                next = column.row;
            }
        }
        match found {
            Some(index) if nearest <= alone.length => {
                if next == NOBODY {
                    return End { length: nearest, at: Place::FreeColumn(index) };
                }
                columns[index].visited = 1;
                travelled = nearest;
                row = next as usize;
            }
            _ => return alone,
        }
    }
}

/// Gives every row and column of the tree what it is nearer than the end, and forgets the distances.
fn change_prices(length: f64, start: usize, prices: &mut [f64], columns: &mut [Column]) {
    prices[start] += length;
    for column in columns {
        if column.visited != 0 {
            let rest = length - column.distance;
            prices[column.row as usize] += rest;
            column.price -= rest;
        }
        column.distance = f64::INFINITY;
        column.visited = 0;
    }
}

#[cfg(test)]
#[path = "assignment_tests.rs"]
mod tests;
