/** Unix ms that never jump: the wall clock as it was at first, and from there the engine's own. */
export function monotoneClock(): () => number {
  const start = Date.now() - performance.now();
  return () => start + performance.now();
}
