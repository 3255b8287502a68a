/** Calls a second: `callers` call for so many milliseconds, each again when its call has ended; `n` counts on from `first`. */
export async function callsPerSecond(
  call: (n: number) => unknown,
  callers: number,
  duration: number,
  first: number,
): Promise<number> {
  globalThis.gc?.();
  let next = first;
  const begin = performance.now();
  const end = begin + duration;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < end) await call(next++);
    }),
  );
  return ((next - first) * 1_000) / (performance.now() - begin);
}
