/** Returns the intersection over union of two boxes [xmin, ymin, xmax, ymax, ...]; 0 if both are empty. */
export function intersectionOverUnion(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const width = Math.min(a[2]!, b[2]!) - Math.max(a[0]!, b[0]!);
  const height = Math.min(a[3]!, b[3]!) - Math.max(a[1]!, b[1]!);
  const shared = width > 0 && height > 0 ? width * height : 0;
  const area = (box: ArrayLike<number>): number =>
    Math.max(0, box[2]! - box[0]!) * Math.max(0, box[3]! - box[1]!);
  const union = area(a) + area(b) - shared;
  return union > 0 ? shared / union : 0;
}
