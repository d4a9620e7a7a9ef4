/** A Worker as comlink wants it. */
export declare function workerEndpoint(worker: unknown): unknown;

/** Inside a Worker: the end that talks to its owner. */
export declare function ownerEndpoint(): unknown;

/** A Worker that calls `exposeModelHost()`. Node only: a page brings its own, which its bundler can see. */
export declare function defaultModelWorker(): unknown;

/**
 * Inside a Worker: holds a name for as long as the Worker lives, for {@link lifeEnded} to tell. Resolves when
 * it is held.
 */
export declare function holdLife(name: string): Promise<void>;

/**
 * Resolves when the Worker is gone that holds this name. Browsers tell of no Worker that they end themselves;
 * where there are no Web Locks either, and in Node, which tells it by an event, it never resolves. Rejects
 * when `signal` says stop.
 */
export declare function lifeEnded(name: string, options: { readonly signal: AbortSignal }): Promise<void>;

/** Tells of a Worker's death; returns a function that stops listening. */
export declare function onWorkerFailure(worker: unknown, listener: (error: Error) => void): () => void;

/** Ends a Worker and gives back its memory. */
export declare function terminateWorker(worker: unknown): Promise<void>;
