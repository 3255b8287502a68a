import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sqliteMigrations } from '../src/migrations/sqlite/index.js';
import { CHECKOUT } from './support/child.js';

/**
 * What each part of `src` may import of the others. A name stands for a folder or a file of `src`; `type:` before it allows types
 * alone. What is not listed is not allowed, so an arrow that runs back fails.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  messages: ['type:errors'],
  errors: ['messages'],
  config: ['errors', 'messages'],
  runtime: ['entities/rule-book'],
  json: [],
  entities: ['errors', 'messages', 'runtime'],
  search: [],
  cache: ['json'],
  migrations: ['type:database/engine', 'database/fill-document-terms', 'database/fill-email-keys'],
  database: ['entities/email-key', 'errors', 'json', 'messages', 'runtime', 'migrations', 'search'],
  repositories: [
    'search',
    'type:database/engine',
    'database/plan',
    'entities',
    'errors',
    'json',
    'messages',
    'runtime',
  ],
  services: ['cache', 'config', 'database', 'entities', 'errors', 'json', 'messages', 'repositories', 'runtime'],
  interchange: ['entities', 'errors', 'json', 'repositories', 'runtime', 'services'],
  seeders: ['entities', 'errors', 'repositories', 'runtime', 'services'],
  cli: [
    'config',
    'database',
    'entities',
    'errors',
    'interchange',
    'json',
    'repositories',
    'runtime',
    'seeders',
    'services',
  ],
  index: [
    'type:cache',
    'config',
    'database',
    'entities',
    'errors',
    'interchange',
    'messages',
    'repositories',
    'runtime',
    'services',
  ],
};

/** What only some files may do, as what its source looks like. */
const RESERVED: readonly { readonly what: string; readonly pattern: RegExp; readonly only: RegExp }[] = [
  { what: 'reads the environment', pattern: /\bprocess\s*(?:\.\s*env\b|\[\s*['"]env)/, only: /^config\.ts$/ },
  {
    what: 'takes env out of process',
    pattern: /\benv\b[^;]*\}\s*=\s*process\b|import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*'node:process'/,
    only: /^config\.ts$/,
  },
  {
    what: 'initialises the ORM',
    pattern: /\bMikroORM\s*\.\s*init|new\s+MikroORM\b/,
    only: /^services\/(?:persistence-manager|schema-manager|orm-[\w-]+)\.ts$/,
  },
  {
    what: 'selects an engine',
    pattern: /\bselectEngine\s*\(/,
    only: /^services\/(?:persistence-manager|schema-manager|orm-[\w-]+)\.ts$|^database\/select-engine\.ts$/,
  },
  { what: 'reads the system clock', pattern: /\bnew Date\(\s*\)|\bDate\s*\.\s*now\b/, only: /^runtime\.ts$/ },
  {
    what: 'makes random numbers',
    pattern:
      /\bMath\s*\.\s*random\b|\brandomUUID\b|\brandomBytes\b|\brandomFill|\brandomInt\b|\bgetRandomValues\b|\buuidv7\(/,
    only: /^runtime\.ts$/,
  },
  { what: 'reads the monotonic clock', pattern: /\bperformance\s*\.\s*now\b|\bhrtime\b/, only: /^cli\/|^runtime\.ts$/ },
  { what: 'parses JSON by itself', pattern: /\bJSON\s*\.\s*parse\b/, only: /^json\.ts$/ },
  { what: 'has a default export', pattern: /^export default\b|\bas default\b/m, only: /^$/ },
];

const MAX_LINES = 400;
const SRC = join(CHECKOUT, 'src');

function typescriptFiles(folder: string): string[] {
  if (!existsSync(join(CHECKOUT, folder))) return [];
  return readdirSync(join(CHECKOUT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.startsWith(`node_modules${sep}`))
    .toSorted();
}

/** The source without its comments: what they say is no code. */
function codeOf(path: string): string {
  return readFileSync(join(SRC, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');
}

interface Import {
  readonly from: string;
  /** The imported file, relative to `src`, without its ending. */
  readonly to: string;
  readonly typeOnly: boolean;
}

function importsOf(path: string): Import[] {
  const statements = codeOf(path).matchAll(
    /\b(import|export)\s+(type\s+)?([^;'"]*?from\s*)?['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]/g,
  );
  return [...statements].map(([, , type, names = '', target, dynamic]) => {
    const specifiers = /\{([^}]*)\}/
      .exec(names)?.[1]
      ?.split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    const onlyTypes =
      specifiers !== undefined && !/^[\w$*]/.test(names.trim()) && specifiers.every((name) => name.startsWith('type '));
    const to = join(path, '..', target ?? dynamic ?? '').replace(/\.js$/, '');
    return { from: path, to, typeOnly: type !== undefined || onlyTypes };
  });
}

const partOf = (path: string): string => path.replace(/\.ts$/, '').split('/')[0] ?? '';

function isAllowed({ from, to, typeOnly }: Import): boolean {
  if (partOf(from) === partOf(to)) return true;
  const allowed = ARROWS[partOf(from)] ?? [];
  const names = [partOf(to), to];
  return names.some((name) => allowed.includes(name) || (typeOnly && allowed.includes(`type:${name}`)));
}

const sources = typescriptFiles('src');

describe('the parts of src', () => {
  it('are all named in the table of arrows', () => {
    expect(sources.flatMap(importsOf).length).toBeGreaterThan(100);
    const parts = new Set(sources.map(partOf));
    expect([...parts].filter((part) => !(part in ARROWS))).toEqual([]);
  });

  it.each(Object.keys(ARROWS))('import along its arrows only: %s', (part) => {
    const arrows = sources.filter((path) => partOf(path) === part).flatMap(importsOf);
    const forbidden = arrows.filter((arrow) => !isAllowed(arrow));
    const named = forbidden.map(({ from, to, typeOnly }) => `src/${from} imports ${typeOnly ? 'type ' : ''}src/${to}`);
    expect(named).toEqual([]);
  });

  it('import nothing that is not there', () => {
    const missing = sources.flatMap(importsOf).filter(({ to }) => !existsSync(join(SRC, `${to}.ts`)));
    expect(missing).toEqual([]);
  });

  it.each(RESERVED)('$what only where that is reserved', ({ pattern, only }) => {
    const offenders = sources.filter((path) => !only.test(path) && pattern.test(codeOf(path)));
    expect(offenders).toEqual([]);
  });
});

describe('every migration', () => {
  it.each(readdirSync(join(SRC, 'migrations')))(
    'of %s is listed in its index, in the order of its number',
    (engine) => {
      const folder = join('migrations', engine);
      const files = readdirSync(join(SRC, folder))
        .filter((name) => name.endsWith('.ts') && name !== 'index.ts')
        .toSorted();
      const index = codeOf(join(folder, 'index.ts'));
      const listed = [...index.matchAll(/name: '([^']+)'/g)].map(([, name]) => `${name ?? ''}.ts`);
      expect(listed).toEqual(files);
      for (const [position, file] of files.entries())
        expect(file).toMatch(new RegExp(`^${String(position + 1).padStart(3, '0')}-[a-z-]+\\.ts$`));
      expect(index.match(/from '\.\/([^']+)\.js'/g)).toHaveLength(files.length);
    },
  );

  it('of the code is found in the list that the library uses', () => {
    expect(sqliteMigrations.map(({ name }) => `${name}.ts`)).toEqual(
      readdirSync(join(SRC, 'migrations/sqlite'))
        .filter((name) => /^\d/.test(name))
        .toSorted(),
    );
  });
});

describe('every file', () => {
  it.each(['src', 'test', 'bench', 'scripts', 'examples'])(`of %s has at most ${String(MAX_LINES)} lines`, (folder) => {
    const lengths = typescriptFiles(folder).map((path) => {
      const lines = readFileSync(join(CHECKOUT, folder, path), 'utf8').split('\n').length - 1;
      return { path: `${folder}/${path}`, lines };
    });
    expect(lengths.filter(({ lines }) => lines > MAX_LINES)).toEqual([]);
  });

  it('of the repository is free of the addresses of one workplace', () => {
    // Put together here, so that this file is no finding of its own.
    const workplace = new RegExp(
      `(?<![\\w.*-])${['', 'work', ''].join('/')}|${['', 'root', ''].join('/')}|"resolved":\\s*"http`,
    );
    const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: CHECKOUT,
      encoding: 'utf8',
    });
    const files = tracked.split('\0').filter((path) => path !== '' && existsSync(join(CHECKOUT, path)));
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter((path) => workplace.test(readFileSync(join(CHECKOUT, path), 'utf8')))).toEqual([]);
  });
});
