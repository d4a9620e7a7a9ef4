/** Resolves in a task of its own: what came meanwhile, messages too, comes first. */
export declare function nextTask(): Promise<void>;
