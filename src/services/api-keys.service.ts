import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKey } from '../entities/api-key.js';
import { record, textKey } from '../repositories/allowed-properties.js';
import type { Row } from '../repositories/compiled-table.js';
import type { Page, PageRequest } from '../repositories/page.js';
import { runtimeOf } from '../runtime.js';
import type { TenantScope } from './tenant-scope.js';

export interface ApiKeyInput {
  readonly name: string;
  readonly userId?: string | null;
  /** What the key may do, such as `messages:write`; nothing unless given. */
  readonly scopes?: string[];
  /** Never unless given. */
  readonly expiresAt?: Date | null;
}

/** An API key as it is shown: without its hash. */
export type ApiKeyInfo = Omit<Row<ApiKey>, 'hash'>;

const SETTABLE = ['name', 'scopes', 'expiresAt'] as const;

/** How often the last use of a key is written, at most. */
const LAST_USE_RESOLUTION_MS = 60_000;
const KEY_PATTERN = /^ck_([0-9a-z]{12})_([0-9a-f]{48})$/;

/** Keys look like `ck_<prefix>_<secret>`: they are found by the prefix and compared by the hash of the whole. */
export class ApiKeysService {
  readonly #scope: TenantScope;

  constructor(scope: TenantScope) {
    this.#scope = scope;
  }

  /** Makes a key. `key` is its only appearance in clear: it cannot be read again. */
  async create(input: ApiKeyInput): Promise<{ readonly key: string; readonly apiKey: ApiKeyInfo }> {
    return this.#scope.write(async ({ em, apiKeys, users }) => {
      const { random } = runtimeOf(em);
      const prefix = Buffer.from(random.bytes(6)).toString('hex');
      const key = `ck_${prefix}_${Buffer.from(random.bytes(24)).toString('hex')}`;
      const { userId = null, ...rest } = record('ApiKey', input);
      const user = userId === null ? null : users.ref(textKey('ApiKey', 'userId', userId));
      const created = apiKeys.createFrom(rest, SETTABLE, { user, prefix, hash: hashOf(key).toString('hex') });
      await em.flush();
      return { key, apiKey: withoutHash(apiKeys.toRow(created)) };
    });
  }

  /** The key's record when it is this tenant's, active and not expired, otherwise null. Its use is noted once a minute at most. */
  async verify(key: string): Promise<ApiKeyInfo | null> {
    const prefix = KEY_PATTERN.exec(textKey('ApiKey', 'key', key))?.[1];
    if (prefix === undefined) return null;
    const row = await this.#scope.read(({ apiKeys }) => apiKeys.readByPrefix(prefix));
    if (!row || !timingSafeEqual(hashOf(key), Buffer.from(row.hash, 'hex'))) return null;
    return this.#scope.read(async ({ em }) => {
      const now = runtimeOf(em).clock.now();
      if (row.status !== 'active' || (row.expiresAt !== null && row.expiresAt <= now)) return null;
      return withoutHash(await this.#noteUse(row, now));
    });
  }

  /** A revoked key never works again. Revoking twice is the same as once. */
  async revoke(id: string): Promise<ApiKeyInfo> {
    return this.#scope.write(async ({ em, apiKeys }) => {
      const apiKey = await apiKeys.getForChange(id);
      apiKey.status = 'revoked';
      await em.flush();
      return withoutHash(apiKeys.toRow(apiKey));
    });
  }

  /** Keys in the order in which they were made, the oldest first. */
  async list(request: PageRequest = {}): Promise<Page<ApiKeyInfo>> {
    const page = await this.#scope.read(({ apiKeys }) => apiKeys.readPage(request));
    return { items: page.items.map(withoutHash), next: page.next };
  }

  async #noteUse(row: Row<ApiKey>, now: Date): Promise<Row<ApiKey>> {
    if (row.lastUsedAt !== null && now.getTime() - row.lastUsedAt.getTime() < LAST_USE_RESOLUTION_MS) return row;
    return this.#scope.write(async ({ em, apiKeys }) => {
      const apiKey = await apiKeys.getForChange(row.id);
      apiKey.lastUsedAt = now;
      await em.flush();
      return apiKeys.toRow(apiKey);
    });
  }
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function withoutHash({ hash: _hash, ...info }: Row<ApiKey>): ApiKeyInfo {
  return info;
}
