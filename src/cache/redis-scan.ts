import type { RedisCommand } from './redis-link.js';

/** How many keys the server looks at for one answer. */
const COUNT = 1_000;

/** The keys of one server that begin with a prefix; none of those that are there from beginning to end is left out. */
export async function* scanServer(
  send: (commands: readonly RedisCommand[]) => Promise<readonly unknown[]>,
  prefix: string,
): AsyncGenerator<readonly string[]> {
  const pattern = `${prefix.replaceAll(/[\\*?[\]]/g, String.raw`\$&`)}*`;
  let cursor = '0';
  do {
    const [answer] = await send([['scan', cursor, 'match', pattern, 'count', COUNT]]);
    const [next, keys] = answer as [string, string[]];
    if (keys.length > 0) yield keys;
    cursor = next;
  } while (cursor !== '0');
}
