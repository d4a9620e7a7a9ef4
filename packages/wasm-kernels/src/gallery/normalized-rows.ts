/**
 * Returns a copy of the rows, each divided by its L2 norm. The norm and the quotient are computed in f64 and
 * rounded once to f32.
 */
export function normalizedRows(vectors: Float32Array, dimensions: number): Float32Array {
  const rows = new Float32Array(vectors.length);
  for (let start = 0; start < rows.length; start += dimensions) {
    let squares = 0;
    for (let i = start; i < start + dimensions; i++) squares += vectors[i]! * vectors[i]!;
    const inverse = 1 / Math.sqrt(squares);
    for (let i = start; i < start + dimensions; i++) rows[i] = vectors[i]! * inverse;
  }
  return rows;
}
