/** Lifetime of an object that kernels create and that has its own `dispose`. */
export interface Lifetime<Store> {
  /**
   * Returns the store.
   *
   * @throws {Error} If the object, or the kernels that created it, are disposed.
   */
  using(action: string): Store;
  /** Releases the memory of the store. A second call has no effect. */
  dispose(): void;
}

/**
 * Creates the lifetime of an object over a backend's store. `what` names the object in error messages.
 * `assertOpen` throws if the kernels are disposed.
 */
export function lifetime<Store extends { dispose(): void }>(
  { what, disposed: gone = "a disposed one" }: { readonly what: string; readonly disposed?: string },
  { store, assertOpen }: { readonly store: Store; readonly assertOpen: (action: string) => unknown },
): Lifetime<Store> {
  let disposed = false;
  return {
    using(action) {
      assertOpen(action);
      if (disposed) throw new Error(`${action}: expected ${what} in use; got ${gone}`);
      return store;
    },
    dispose() {
      if (!disposed) store.dispose();
      disposed = true;
    },
  };
}

/** Access to the backend of a kernel set until the set is disposed. */
export interface DisposableBackend<Backend> {
  opened(action: string): Backend;
  dispose(): void;
}

/** Wraps a backend so that it can be disposed. */
export function disposableBackend<Backend>(backend: Backend): DisposableBackend<Backend> {
  let open: Backend | undefined = backend;
  return {
    opened(action) {
      if (open === undefined) throw new Error(`${action}: expected kernels in use; got disposed ones`);
      return open;
    },
    dispose() {
      open = undefined;
    },
  };
}
