import type { RedisSettings } from './redis-settings.js';
import type { Timing } from './timing.js';

/** How a connection came to its end: it was lost after it had served for a while, it fell silent, or it was of no use from the start. */
export type Ending = 'lost' | 'silent' | 'useless';

/**
 * Connects again and again: at once after a connection was lost that had served, else after `firstProbe`, then after twice as long each
 * time, up to `lastProbe`. From the second time on up to half of it is left out by chance, so that many processes do not come at once.
 *
 * @param connect Resolves when the connection that it made has ended; undefined to make no other one.
 */
export async function keepAlive(
  connect: () => Promise<Ending | undefined>,
  { firstProbe, lastProbe }: RedisSettings,
  timing: Timing,
): Promise<void> {
  let failures = 0;
  for (let ending = await connect(); ending !== undefined; ending = await connect()) {
    failures = ending === 'lost' ? 0 : ending === 'silent' ? 1 : failures + 1;
    const full = failures === 0 ? 0 : Math.min(firstProbe * 2 ** (failures - 1), lastProbe);
    await timing.wait(failures > 1 ? full * (1 - timing.random() / 2) : full);
  }
}
