/** Resolves in a new task, after pending tasks and messages. */
export declare function nextTask(): Promise<void>;
