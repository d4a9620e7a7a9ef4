/** What is made by kernels and has a `dispose` of its own. */
export interface Lifetime<Store> {
  /** The store, or an Error that the thing, or the kernels that made it, are disposed. */
  using(action: string): Store;
  /** Gives the store's memory back. A second call does nothing. */
  dispose(): void;
}

/** The lifetime of a thing, `what` in error messages, over a backend's store; `assertOpen` throws when the kernels were disposed. */
export function lifetime<Store extends { dispose(): void }>(
  { what, disposed: gone = "a disposed one" }: { readonly what: string; readonly disposed?: string },
  { store, assertOpen }: { readonly store: Store; readonly assertOpen: (action: string) => unknown },
): Lifetime<Store> {
  let disposed = false;
  return {
    using(action) {
      assertOpen(action);
      if (disposed) throw new Error(`${action}: expected ${what} in use, got ${gone}`);
      return store;
    },
    dispose() {
      if (!disposed) store.dispose();
      disposed = true;
    },
  };
}

/** What a set of kernels answers with until it is disposed. */
export interface OpenBackend<Backend> {
  opened(action: string): Backend;
  dispose(): void;
}

/** A backend, until it is let go. */
export function openBackend<Backend>(backend: Backend): OpenBackend<Backend> {
  let open: Backend | undefined = backend;
  return {
    opened(action) {
      if (open === undefined) throw new Error(`${action}: expected kernels in use, got disposed ones`);
      return open;
    },
    dispose() {
      open = undefined;
    },
  };
}
