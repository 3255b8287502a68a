import { describe, it } from 'vitest';
import { temporaryUrl } from '../support/temporary-folder.js';
import { killProcesses } from './faults.js';
import { expectSoundHistory } from './sound-history.js';

const APPENDS = 400;

describe('the history of 32 callers in two processes keeps every rule on sqlite', () => {
  it('without faults', async () => {
    await expectSoundHistory({ engine: 'sqlite', databaseUrl: temporaryUrl(), appends: APPENDS });
  });

  it('while processes are killed', async () => {
    const faults = killProcesses(3);
    await expectSoundHistory({ engine: 'sqlite', databaseUrl: temporaryUrl(), appends: APPENDS, faults });
  });
});
