import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { OwnServer } from './own-server.js';
import { accountOf, freePort, giveTo, newFolder, ServerProcess } from './server-process.js';
import { rawRows } from './raw-rows.js';

type Settings = Readonly<Record<string, string | number>>;

/** What a replica shows its source, which asks for a password. */
const REPLICATION = { user: 'copy', password: 'copy' };

function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

const [SERVER, INSTALLER] = [findProgram('mariadbd'), findProgram('mariadb-install-db')];

/** Why no server can be started here; undefined where one can. */
export const NO_OWN_MARIADB =
  SERVER === undefined || INSTALLER === undefined ? 'no mariadbd and mariadb-install-db on the PATH' : undefined;

/** Makes and starts a server with its files in a folder of its own; close it when the test ends. `files` go to that folder. */
export async function startOwnMariaDb(
  settings: Settings = {},
  files: Readonly<Record<string, string>> = {},
): Promise<OwnServer> {
  const account = accountOf('mysql');
  const folder = newFolder(account);
  const places = [`--datadir=${join(folder, 'data')}`, `--tmpdir=${folder}`];
  const install = ['--no-defaults', ...places, '--auth-root-authentication-method=normal', '--skip-test-db'];
  execFileSync(INSTALLER ?? '', install, { ...account, stdio: ['ignore', 'ignore', 'pipe'], cwd: folder });
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    giveTo(account, join(folder, name));
  }
  return startIn(folder, settings);
}

async function startIn(folder: string, settings: Settings): Promise<OwnServer> {
  const port = await freePort();
  const set: Settings = {
    datadir: join(folder, 'data'),
    // A server that starts empties it.
    tmpdir: folder,
    socket: join(folder, 'socket'),
    'bind-address': '127.0.0.1',
    // What is committed survives the server, though not the machine.
    'innodb-flush-log-at-trx-commit': 2,
    'innodb-log-file-size': '32M',
    ...settings,
    port,
  };
  const parameters = Object.entries(set).map(([name, value]) => `--${name}=${String(value)}`);
  const account = accountOf('mysql');
  const command = [SERVER ?? '', ['--no-defaults', ...parameters]] as const;
  const server = new ServerProcess(command, account, /ready for connections/);
  const running: OwnServer = {
    port,
    url: (database = 'mysql') => `mariadb://root@127.0.0.1:${String(port)}/${database}`,
    log: () => server.log,
    start: () => server.start(),
    stop: (how = 'fast') => server.stop(how === 'fast' ? 'SIGTERM' : 'SIGKILL'),
    async replicate() {
      const { user, password } = REPLICATION;
      await rawRows(running.url(), `grant replication slave on *.* to '${user}'@'%' identified by '${password}'`);
      const [position] = await rawRows(running.url(), 'select @@gtid_binlog_pos as gtid');
      // A copy of the files of a server that stands still needs no tool.
      await running.stop();
      const copy = newFolder(account);
      execFileSync('cp', ['-R', '-p', join(folder, 'data'), copy], account);
      await running.start();
      const replica = await startIn(copy, { ...settings, 'server-id': port });
      await rawRows(replica.url(), `set global gtid_slave_pos = '${String(position?.['gtid'])}'`);
      const source = `master_host = '127.0.0.1', master_port = ${String(port)}, master_user = '${user}', master_password = '${password}'`;
      await rawRows(replica.url(), `change master to ${source}, master_use_gtid = slave_pos`);
      await rawRows(replica.url(), 'start slave');
      return replica;
    },
    async close() {
      await running.stop('immediate');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await running.start();
  return running;
}
