import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHECKOUT } from '../support/child.js';
import { colloquy, colloquyInTurn, type Printed } from '../support/command-line.js';
import { fileOf } from '../support/table-dump.js';
import { temporaryFile, temporaryFolder } from '../support/temporary-folder.js';

const HELP: readonly (readonly [command: string, words: readonly string[]])[] = [
  ['', ['import', 'export', 'history', 'stats', 'migrate', 'seed', 'demo', '--version', 'DATABASE_URL', 'Exit codes']],
  ['import', ['<files...>', '--tenant <slug>', '--format <format>', 'sharegpt', '--strict', '--json', '--help']],
  ['export', ['--tenant <slug>', '--out <file>', '--help']],
  ['history', ['<conversation>', '--last <n>', '--tenant <slug>', '--json', '--help']],
  ['stats', ['--tenant <slug>', '--json', '--help']],
  ['migrate', ['up', 'down', 'status', 'check', '--help']],
  ['migrate up', ['--json', '--help']],
  ['migrate down', ['--to <name>', '--json', '--help', 'lost']],
  ['migrate status', ['--json', '--help']],
  ['migrate check', ['--json', '--help', 'exit code 1']],
  ['seed', ['--tenants <n>', '--users <n>', '--conversations <n>', '--seed <n>', '--json', '--help']],
  ['demo', ['[files...]', '--help']],
];

const WRONG: readonly (readonly [command: string, says: RegExp])[] = [
  ['', /^Usage: colloquy/],
  ['improt', /unknown command 'improt'/],
  ['--verbose', /unknown option '--verbose'/],
  ['import', /required option '--tenant <slug>' not specified/],
  ['import --tenant acme', /missing required argument 'files'/],
  ['import chats.jsonl', /required option '--tenant <slug>' not specified/],
  ['import chats.jsonl --tenant', /argument missing/],
  ['import chats.jsonl --tenant acme --format csv', /'csv' is invalid. Allowed choices are colloquy/],
  ['import chats.jsonl --tenant acme --wild', /unknown option '--wild'/],
  ['export', /required option '--tenant <slug>' not specified/],
  ['export acme', /required option|too many arguments/],
  ['history', /missing required argument 'conversation'/],
  ['history a b', /too many arguments/],
  ['history a --last 0', /must be a whole number of at least 1/],
  ['history a --last 1.5', /must be a whole number of at least 1/],
  ['history a --last many', /must be a whole number of at least 1/],
  ['history a --last 99999999999999999999', /must be a whole number of at least 1/],
  ['stats everything', /too many arguments/],
  ['migrate', /^Usage: colloquy migrate/],
  ['migrate sideways', /unknown command 'sideways'|too many arguments/],
  ['migrate down 003', /too many arguments/],
  ['seed --tenants 0', /must be a whole number of at least 1/],
  ['seed --users=-1', /must be a whole number of at least 0/],
  ['demo --quick', /unknown option '--quick'/],
];

function words(command: string): string[] {
  return command.split(' ').filter(Boolean);
}

describe('help', () => {
  it('of every command is printed with exit code 0 and names what it takes', async () => {
    const url = `sqlite:${temporaryFile()}`;
    const results = await colloquyInTurn(
      HELP.map(([command]) => [...words(command), '--help']),
      { url },
    );
    for (const [index, [command, mentions]] of HELP.entries()) {
      const { code, stdout, stderr } = results[index] as Printed;
      expect.soft({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
      expect.soft(stdout).toMatch(new RegExp(`^Usage: ${['colloquy', ...words(command)].join(' ')} `));
      for (const mention of mentions) expect.soft(stdout.replaceAll(/\s+/g, ' ')).toContain(mention);
      expect.soft(stdout).not.toContain('\u001B');
    }
    for (const code of ['0', '1', '2', '3', '130'])
      expect(results[0]?.stdout).toMatch(new RegExp(`^ {2}${code} {2}`, 'm'));
    expect(existsSync(fileOf(url))).toBe(false);
  });

  it('and the version come from the program itself', async () => {
    const cwd = temporaryFolder();
    const [help, version] = await Promise.all([colloquy(['--help'], { cwd }), colloquy(['--version'], { cwd })]);
    expect(help).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^Usage: colloquy /) as string });
    const manifest = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as { version: string };
    expect(version).toMatchObject({ code: 0, stderr: '', stdout: `${manifest.version}\n` });
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('wrong arguments', () => {
  it('of every command end with exit code 2, say what is wrong, and open no database', async () => {
    const url = `sqlite:${temporaryFile()}`;
    const results = await colloquyInTurn(
      WRONG.map(([command]) => words(command)),
      { url },
    );
    for (const [index, [command, says]] of WRONG.entries()) {
      const { code, stdout, stderr } = results[index] as Printed;
      expect.soft({ command, code, stdout }).toEqual({ command, code: 2, stdout: '' });
      expect.soft({ command, stderr }).toEqual({ command, stderr: expect.stringMatching(says) as string });
    }
    expect(existsSync(fileOf(url))).toBe(false);
  });

  it('end the program itself with exit code 2, and point to the help', async () => {
    const { code, stdout, stderr } = await colloquy(['improt', 'chats.jsonl']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/unknown command 'improt'/);
    expect(stderr).toContain('--help');
  });
});
