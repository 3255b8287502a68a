import { connectRedis } from '../../../src/cache/ioredis-link.js';
import { MACHINE_TIMING } from '../machine-timing.js';
import { say } from '../say.js';

// Opens a link, and closes it as soon as it is told to. The process ends by itself if nothing is left open.
const link = await connectRedis({ url: process.argv[2] ?? '' }, MACHINE_TIMING);
link.subscribe('channel', { message: () => undefined, missed: () => say('subscribed\n') });
process.stdin.once('data', () => {
  process.stdin.destroy();
  const waiting = link.send([['get', 'key']]).catch(() => say('rejected\n'));
  const begun = performance.now();
  process.once('exit', () => say(`${String(performance.now() - begun)}\n`));
  void Promise.all([link.close(), link.close(), waiting]).then(() => say(`${String(performance.now() - begun)}\n`));
});
