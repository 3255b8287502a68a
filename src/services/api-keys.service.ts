import { createHash, timingSafeEqual } from 'node:crypto';
import { ApiKey } from '../entities/api-key.js';
import { record, textKey } from '../repositories/allowed-properties.js';
import type { Row } from '../repositories/compiled-table.js';
import type { Page, PageRequest } from '../repositories/page.js';
import { type Random, runtimeOf } from '../runtime.js';
import type { CreateOptions } from './once.js';
import type { TenantScope } from './tenant-scope.js';

export interface ApiKeyInput {
  readonly name: string;
  readonly userId?: string | null;
  /** What the key may do, such as `messages:write`; nothing unless given. */
  readonly scopes?: string[];
  /** Never unless given. */
  readonly expiresAt?: Date | null;
}

/** What `create` gives. */
export interface CreatedApiKey<Key extends string | null> {
  /** The key in clear, for the call that made it. */
  readonly key: Key;
  readonly apiKey: ApiKeyInfo;
}

interface MadeKey {
  readonly key: string;
  /** Its readable beginning. */
  readonly prefix: string;
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

  /**
   * Makes a key. `key` is its only appearance in clear: it cannot be read again. Under an idempotency key it is therefore null where an
   * earlier call made it, and `apiKey` the first result; who needs the key itself revokes this one and makes another.
   *
   * @throws ValidationError, ReferenceNotFoundError when the tenant has no such user, IdempotencyConflictError.
   */
  async create(input: ApiKeyInput): Promise<CreatedApiKey<string>>;
  async create(input: ApiKeyInput, options: CreateOptions): Promise<CreatedApiKey<string | null>>;
  async create(input: ApiKeyInput, options: CreateOptions = {}): Promise<CreatedApiKey<string | null>> {
    // Of this call's last attempt: one before it that was stored is found, and no other is made.
    let made: MadeKey | undefined;
    const call = { ...options, entity: ApiKey, operation: 'apiKeys.create', input };
    const apiKey = await this.#scope.create(call, async ({ em, apiKeys, users }): Promise<ApiKeyInfo> => {
      const { key, prefix } = (made = makeKey(runtimeOf(em).random));
      const { userId, ...rest } = record('ApiKey', input);
      const isTenants = userId === undefined || userId === null;
      const created = apiKeys.createFrom(
        isTenants ? rest : input,
        SETTABLE,
        (keys) => ({
          user: isTenants ? null : users.ref(keys.userId),
          prefix,
          hash: hashOf(key).toString('hex'),
        }),
        isTenants ? [] : ['userId'],
      );
      await em.flush();
      return withoutHash(apiKeys.toRow(created));
    });
    return { key: made?.prefix === apiKey.prefix ? made.key : null, apiKey };
  }

  /**
   * The key's record when it is this tenant's, active and not expired, otherwise null. Its use is noted once a minute at most, by
   * however many calls at once. What is compared is compared in constant time; how long the answer takes may tell whether there is a
   * key of this prefix, which is no secret.
   */
  async verify(key: string): Promise<ApiKeyInfo | null> {
    const prefix = KEY_PATTERN.exec(textKey('ApiKey', 'key', key))?.[1];
    if (prefix === undefined) return null;
    const row = await this.#scope.read(({ apiKeys }) => apiKeys.readByPrefix(prefix));
    if (!row || !timingSafeEqual(hashOf(key), Buffer.from(row.hash, 'hex'))) return null;
    return this.#scope.read(async ({ em }) => {
      const now = runtimeOf(em).clock.now();
      if (!isUsable(row, now)) return null;
      const used = isNoted(row, now) ? row : await this.#noteUse(row, now);
      return used && withoutHash(used);
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

  /** Whoever was here meanwhile, under the row's lock, has revoked the key or noted its use. */
  async #noteUse(row: Row<ApiKey>, now: Date): Promise<Row<ApiKey> | null> {
    return this.#scope.write(async ({ em, apiKeys }) => {
      const apiKey = await apiKeys.getForChange(row.id);
      if (!isUsable(apiKey, now)) return null;
      if (!isNoted(apiKey, now)) apiKey.lastUsedAt = now;
      await em.flush();
      return apiKeys.toRow(apiKey);
    });
  }
}

function isUsable({ status, expiresAt }: Pick<ApiKey, 'status' | 'expiresAt'>, now: Date): boolean {
  return status === 'active' && (expiresAt === null || expiresAt > now);
}

/** Whether the last use was noted less than a minute ago. */
function isNoted({ lastUsedAt }: Pick<ApiKey, 'lastUsedAt'>, now: Date): boolean {
  return lastUsedAt !== null && now.getTime() - lastUsedAt.getTime() < LAST_USE_RESOLUTION_MS;
}

function makeKey(random: Random): MadeKey {
  const prefix = Buffer.from(random.bytes(6)).toString('hex');
  return { key: `ck_${prefix}_${Buffer.from(random.bytes(24)).toString('hex')}`, prefix };
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function withoutHash({ hash: _hash, ...info }: Row<ApiKey>): ApiKeyInfo {
  return info;
}
