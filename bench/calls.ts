/** How fast calls were. */
export interface Speed {
  readonly perSecond: number;
  /** Microseconds of processor time that this process took for a call, in all its threads. */
  readonly own: number;
}

/** `callers` call for so many milliseconds, each again when its call has ended; `n` counts on from `first`. */
export async function speedOf(
  call: (n: number) => unknown,
  callers: number,
  duration: number,
  first: number,
): Promise<Speed> {
  globalThis.gc?.();
  let next = first;
  const before = process.cpuUsage();
  const begin = performance.now();
  const end = begin + duration;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < end) await call(next++);
    }),
  );
  const milliseconds = performance.now() - begin;
  const { user, system } = process.cpuUsage(before);
  return { perSecond: ((next - first) * 1_000) / milliseconds, own: (user + system) / (next - first) };
}

/** Calls a second: see {@link speedOf}. */
export async function callsPerSecond(...parameters: Parameters<typeof speedOf>): Promise<number> {
  return (await speedOf(...parameters)).perSecond;
}
