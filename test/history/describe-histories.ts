import { describe, it, onTestFinished } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { killProcesses } from './faults.js';
import { faultyServer } from '../support/faulty-servers.js';
import { interposeProxy, restartServer, terminateConnections } from './server-faults.js';
import { expectSoundHistory } from './sound-history.js';

export interface HistorySizes {
  /** How many appends each history has at least. */
  readonly appends: number;
  /** How often each kind of fault is fired. */
  readonly kills: number;
  readonly terminations: number;
  readonly networkFaults: number;
  readonly restarts: number;
}

/** The histories of every engine, without faults and with each kind of them. */
export function describeHistories({ appends, kills, terminations, networkFaults, restarts }: HistorySizes): void {
  describe.each(ENGINES)(
    'the history of 32 callers in two processes keeps every rule on $name',
    ({ name, freshUrl }) => {
      const server = faultyServer(name);

      it('without faults', async () => {
        await expectSoundHistory({ engine: name, databaseUrl: await freshUrl(), appends });
      });

      it('while processes are killed', async () => {
        const faults = killProcesses(kills);
        await expectSoundHistory({ engine: name, databaseUrl: await freshUrl(), appends, faults });
      });

      if (!server) return;

      it('while the server ends connections', async () => {
        const databaseUrl = await freshUrl();
        const faults = terminateConnections(server, databaseUrl, terminations);
        await expectSoundHistory({ engine: name, databaseUrl, appends, faults });
      });

      it('while the network fails in every way, and swallows the replies of COMMITs', async () => {
        const databaseUrl = await freshUrl();
        const faults = await interposeProxy(server, databaseUrl, networkFaults);
        await expectSoundHistory({ engine: name, databaseUrl, appends, faults });
      });

      it('while the server restarts', async ({ skip }) => {
        skip(server.noStart !== undefined, server.noStart);
        const own = await server.start();
        onTestFinished(() => own.close());
        const faults = restartServer(own, restarts);
        await expectSoundHistory({ engine: name, databaseUrl: own.url(), appends, faults });
      });
    },
  );
}
