import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type Action, type Direction, FaultProxy, swallowReply } from '../support/fault-proxy.js';
import type { FaultyServer } from '../support/faulty-servers.js';
import type { OwnServer } from '../support/own-server.js';
import { seededNumbers } from '../support/sources.js';
import { Counts, type Faults } from './faults.js';

const ENDED_MAX = 16;

/** The server ends some of the callers' connections, whatever they are doing. */
export function terminateConnections({ endConnections }: FaultyServer, databaseUrl: string, times: number): Faults {
  const counts = new Counts();
  return {
    name: 'terminate',
    times,
    counts,
    async fire(draw) {
      counts.add('connections ended', await endConnections(databaseUrl, draw(ENDED_MAX), draw(1_000)));
    },
  };
}

/** The server stops, in order or at once, and starts again. */
export function restartServer(server: OwnServer, times: number): Faults {
  const counts = new Counts();
  return {
    name: 'restart',
    times,
    counts,
    async fire(draw) {
      const how = draw(2) === 1 ? 'fast' : 'immediate';
      await server.stop(how);
      await server.start();
      counts.add(`${how} restarts`);
    },
  };
}

/** How many pieces a fault of the proxy hits at most, and the longest delay and outage, in milliseconds. */
const PIECES_MAX = 8;
const DELAYED_MAX = 200;
const DELAY_MAX = 50;
const OUTAGE_MAX = 300;
/** Short, because what disappears in a black hole is given up after both together. */
const LIMITS = { statementTimeout: '1000', connectTimeout: '1000' };

/** A proxy before the server resets connections, delays, refuses, cuts replies in two, lets them disappear, and swallows those of COMMITs. */
export async function interposeProxy(
  { readStatements, commits }: FaultyServer,
  databaseUrl: string,
  times: number,
): Promise<Faults> {
  const counts = new Counts();
  const url = new URL(databaseUrl);
  const left = { swallow: 0, cut: 0, delay: 0, hole: 0 };
  let draw = seededNumbers(times);
  const proxy = await FaultProxy.start({ host: url.hostname, port: Number(url.port) }, () => {
    const swallow = swallowReply(readStatements(), (statement) => {
      if (left.swallow === 0 || !commits(statement)) return false;
      left.swallow -= 1;
      counts.add('replies of COMMIT swallowed');
      return true;
    });
    let hole: Direction | undefined;
    return (direction, piece): Action => {
      if (hole === undefined && left.hole > 0) {
        left.hole -= 1;
        hole = direction;
        counts.add(`black holes ${direction}`);
      }
      if (hole === direction) return 'drop';
      const action = swallow(direction, piece);
      if (action !== 'forward') return action;
      if (left.cut > 0 && direction === 'toClient') {
        left.cut -= 1;
        counts.add('replies cut');
        return { cutAfter: draw(piece.length) - 1 };
      }
      if (left.delay === 0) return 'forward';
      left.delay -= 1;
      counts.add('pieces delayed');
      return { delay: draw(DELAY_MAX) };
    };
  });
  onTestFinished(() => proxy.close());
  url.port = String(proxy.port);
  for (const [name, value] of Object.entries(LIMITS)) url.searchParams.set(name, value);
  const faults: readonly (() => Promise<void>)[] = [
    async () => void (left.swallow += draw(PIECES_MAX)),
    async () => void (left.cut += draw(PIECES_MAX)),
    async () => void (left.delay += draw(DELAYED_MAX)),
    async () => void (left.hole += draw(2)),
    async () => counts.add('connections reset', proxy.resetAll()),
    async () => {
      proxy.refuse();
      proxy.resetAll();
      await pause(draw(OUTAGE_MAX));
      await proxy.accept();
      counts.add('outages');
    },
  ];
  return {
    name: 'network',
    times,
    counts,
    callersUrl: url.href,
    async fire(draws) {
      draw = draws;
      // The replies of COMMITs are what matters most.
      left.swallow += draw(2);
      await faults[draw(faults.length) - 1]?.();
    },
  };
}
