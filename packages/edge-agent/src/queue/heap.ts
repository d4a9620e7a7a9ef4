/** A binary heap: items are removed in the order of `isBefore`. */
export interface Heap<T> {
  readonly size: number;
  push(item: T): void;
  /** Returns the first item without removing it; `undefined` if the heap is empty. */
  peek(): T | undefined;
  /** Removes and returns the first item. */
  pop(): T | undefined;
  /** Keeps only the items for which `keep` returns true. Takes linear time. */
  retain(keep: (item: T) => boolean): void;
}

/** Creates a heap ordered by `isBefore`, which must be a strict order. `push` and `pop` take O(log n). */
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
