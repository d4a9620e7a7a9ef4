export { idbQueueStore as openQueueStore } from "./stores/idb-queue-store.browser.ts";
