import { readFileSync } from 'node:fs';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, and how to get in. */
export interface RedisPlace {
  readonly isCluster: boolean;
  /** One server, or some nodes of a cluster. */
  readonly addresses: readonly [RedisAddress, ...RedisAddress[]];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** Undefined where nothing is encrypted. */
  readonly tls: RedisTls | undefined;
}

/** Files' contents, in PEM format. */
export type RedisTls = Partial<Readonly<Record<'ca' | 'cert' | 'key', Buffer>>>;

const PORT = 6379;
const EXAMPLE = 'write redis://:PASSWORD@HOST:6379/0 or redis-cluster://HOST:PORT,HOST:PORT';
const FORM = /^redis(s?)(-cluster)?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const ADDRESS = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i;
const FILES: readonly string[] = ['ca', 'cert', 'key'] satisfies (keyof RedisTls)[];

/** @throws TypeError naming everything that is wrong; no part of the URL is shown, for its password may stand anywhere. */
export function parseRedisUrl(url: string): RedisPlace {
  const [isRead, secure, cluster, access, hosts = '', path = '', query = ''] = FORM.exec(url) ?? [];
  if (isRead === undefined) throw new TypeError(`The URL of Redis cannot be read; ${EXAMPLE}`);
  const problems: string[] = [];
  const isCluster = cluster !== undefined;
  const [first, ...others] = hosts.split(',').map((host) => addressOf(host, problems));
  if (!isCluster && others.length > 0) problems.push('several hosts are for redis-cluster:// and rediss-cluster://');
  const [user, password] = accessOf(access, problems);
  const tls = tlsOf(secure === 's', query, problems);
  if (!/^\d{0,5}$/.test(path)) problems.push('what follows the host must be the number of a database');
  if (isCluster && Number(path) !== 0) problems.push('a cluster has no database but 0');
  if (!first || problems.length > 0) {
    throw new TypeError(`The URL of Redis is wrong: ${[...new Set(problems)].join('; ')}; ${EXAMPLE}`);
  }
  const addresses = [first, ...others] as const;
  return Object.freeze({ isCluster, addresses, user, password, database: Number(path), tls });
}

function addressOf(text: string, problems: string[]): RedisAddress {
  const [, host = '', port = String(PORT)] = ADDRESS.exec(text) ?? [];
  if (host === '') problems.push('a host is missing, or cannot be read');
  if (Number(port) < 1 || Number(port) > 65_535) problems.push('a port is none from 1 to 65535');
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function accessOf(text: string | undefined, problems: string[]): (string | undefined)[] {
  const [, user = '', password = ''] = /^([^:]*):?(.*)$/s.exec(text ?? '') ?? [];
  if (user !== '' && password === '') problems.push('the password is missing');
  return [user, password].map((part) => {
    try {
      return decodeURIComponent(part) || undefined;
    } catch {
      problems.push('the user or the password is not percent-encoded as it must be');
      return undefined;
    }
  });
}

function tlsOf(isSecure: boolean, query: string, problems: string[]): RedisTls | undefined {
  const files: Record<string, Buffer> = {};
  for (const [name, path] of new URLSearchParams(query)) {
    if (!FILES.includes(name)) problems.push(`there is a parameter other than ${FILES.join(', ')}`);
    else if (!isSecure) problems.push(`${name} is for rediss:// and rediss-cluster://`);
    else {
      try {
        files[name] = readFileSync(path);
      } catch {
        problems.push(`the file that ${name} names cannot be read`);
      }
    }
  }
  return isSecure ? files : undefined;
}

/** An address for people and as the key of a map. */
export function describeAddress({ host, port }: RedisAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}
