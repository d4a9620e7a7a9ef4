/** A binary heap: the first by its order comes out first. */
export interface Heap<T> {
  readonly size: number;
  push(item: T): void;
  /** The first, which stays; undefined when empty. */
  peek(): T | undefined;
  /** Takes the first out. */
  pop(): T | undefined;
  /** Leaves only those that `keep` says yes to. Costs as much as there are. */
  retain(keep: (item: T) => boolean): void;
}

/** Makes a heap; `isBefore` orders it and must be a strict order. Push and pop cost log n. */
export function createHeap<T>(isBefore: (a: T, b: T) => boolean): Heap<T> {
  let items: T[] = [];

  const swap = (i: number, j: number): void => {
    const item = items[i]!;
    items[i] = items[j]!;
    items[j] = item;
  };
  const rise = (from: number): void => {
    for (let i = from; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!isBefore(items[i]!, items[parent]!)) return;
      swap(i, parent);
      i = parent;
    }
  };
  const sink = (from: number): void => {
    for (let i = from; ;) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let first = i;
      if (left < items.length && isBefore(items[left]!, items[first]!)) first = left;
      if (right < items.length && isBefore(items[right]!, items[first]!)) first = right;
      if (first === i) return;
      swap(i, first);
      i = first;
    }
  };

  return {
    get size() {
      return items.length;
    },
    push(item) {
      items.push(item);
      rise(items.length - 1);
    },
    peek: () => items[0],
    pop() {
      const first = items[0];
      const last = items.pop();
      if (items.length > 0) {
        items[0] = last!;
        sink(0);
      }
      return first;
    },
    retain(keep) {
      items = items.filter(keep);
      for (let i = (items.length >> 1) - 1; i >= 0; i--) sink(i);
    },
  };
}
