export function nextTask(): Promise<void> {
  // A timer would take at least 4 ms each time, and much longer in a hidden page.
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(0);
  });
}
