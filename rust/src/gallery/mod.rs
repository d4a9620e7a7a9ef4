//! Matching queries against a resident gallery: the rows with the largest dot products.
//!
//! Rows and queries are normalised, so that a dot product is the cosine. A gallery is scanned in
//! panels of eight rows, element by element across the rows: the sums of eight rows fill whole
//! registers, no lane is ever added to its neighbour, and no length of a vector leaves a tail.

pub mod float_panels;
pub mod int8_panels;
pub mod ranking;
pub mod rows;
pub mod sketch;

/// Rows in a panel.
pub const PANEL: usize = 8;

/// Queries that share each load of a panel.
pub const QUERIES: usize = 4;
