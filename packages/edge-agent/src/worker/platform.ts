/** Returns a Worker as an endpoint for comlink. */
export declare function workerEndpoint(worker: unknown): unknown;

/** Inside a Worker: returns the endpoint of the Worker's owner. */
export declare function ownerEndpoint(): unknown;

/**
 * Creates a Worker that calls `exposeModelHost()`. Node only: a page must create its own Worker, so that its
 * bundler sees it.
 */
export declare function defaultModelWorker(): unknown;

/**
 * Inside a Worker: holds a lock by this name until the Worker ends, which {@link aliveLockReleased} detects.
 * Resolves when the lock is held.
 */
export declare function holdAliveLock(name: string): Promise<void>;

/**
 * Resolves when the Worker that holds the lock by this name has ended. Browsers emit no event for a Worker
 * that they terminate themselves. Never resolves in browsers without Web Locks, or in Node, which emits an
 * event instead. Rejects when `signal` is aborted.
 */
export declare function aliveLockReleased(
  name: string,
  options: { readonly signal: AbortSignal },
): Promise<void>;

/**
 * Calls `listener` when a Worker fails.
 *
 * @returns A function that removes the listener.
 */
export declare function onWorkerFailure(worker: unknown, listener: (error: Error) => void): () => void;

/** Terminates a Worker and releases its memory. */
export declare function terminateWorker(worker: unknown): Promise<void>;
