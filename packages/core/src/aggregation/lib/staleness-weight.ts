/**
 * What an update counts for that was trained on a model `staleness` versions old: `(1 + staleness) ** -exponent`, in (0,1].
 * @throws {RangeError} when either is negative, NaN or infinite.
 * Source: Nguyen et al., "Federated Learning with Buffered Asynchronous Aggregation", 2022: an exponent of 0.5.
 */
export function stalenessWeight(staleness: number, exponent = 0.5): number {
  if (!(staleness >= 0 && staleness < Infinity))
    throw new RangeError(`weigh an update: expected a staleness of at least 0; got ${staleness}`);
  if (!(exponent >= 0 && exponent < Infinity))
    throw new RangeError(`weigh an update: expected an exponent of at least 0; got ${exponent}`);
  return (1 + staleness) ** -exponent;
}
