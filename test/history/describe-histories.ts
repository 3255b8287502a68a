import { describe, it, onTestFinished } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { NO_OWN_SERVER, startOwnServer } from '../support/own-server.js';
import { killProcesses } from './faults.js';
import { interposeProxy, restartServer, terminateConnections } from './server-faults.js';
import { expectSoundHistory } from './sound-history.js';

export interface HistorySizes {
  /** How many appends each history has at least. */
  readonly appends: number;
  /** How often each kind of fault is fired. */
  readonly kills: number;
  readonly terminations: number;
  readonly proxyFaults: number;
  readonly restarts: number;
}

/** The histories of every engine, without faults and with each kind of them. */
export function describeHistories({ appends, kills, terminations, proxyFaults, restarts }: HistorySizes): void {
  describe.each(ENGINES)(
    'the history of 32 callers in two processes keeps every rule on $name',
    ({ name, freshUrl }) => {
      const isServer = name !== 'sqlite';

      it('without faults', async () => {
        await expectSoundHistory({ engine: name, databaseUrl: await freshUrl(), appends });
      });

      it('while processes are killed', async () => {
        const faults = killProcesses(kills);
        await expectSoundHistory({ engine: name, databaseUrl: await freshUrl(), appends, faults });
      });

      it.runIf(isServer)('while the server ends connections', async () => {
        const databaseUrl = await freshUrl();
        const faults = terminateConnections(databaseUrl, terminations);
        await expectSoundHistory({ engine: name, databaseUrl, appends, faults });
      });

      it.runIf(isServer)('while the network fails in every way, and swallows the replies of COMMITs', async () => {
        const databaseUrl = await freshUrl();
        const faults = await interposeProxy(databaseUrl, proxyFaults);
        await expectSoundHistory({ engine: name, databaseUrl, appends, faults });
      });

      it.runIf(isServer)('while the server restarts', async ({ skip }) => {
        skip(NO_OWN_SERVER !== undefined, NO_OWN_SERVER);
        const server = await startOwnServer();
        onTestFinished(() => server.close());
        const faults = restartServer(server, restarts);
        await expectSoundHistory({ engine: name, databaseUrl: server.url(), appends, faults });
      });
    },
  );
}
