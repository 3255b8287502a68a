import type { SqlEntityManager } from '@mikro-orm/sql';
import { writeFreeKey } from './race.js';
import { connectionOf, runStatement, runUpdate } from './statement.js';

/** What a tenant has in a month. */
export interface Counted {
  readonly messages: number;
  readonly tokens: number;
}

type Numbers<Name extends string> = { readonly [key in Name]: number | string | null };

/** So many ids are in a statement. */
const IDS_MAX = 500;

/**
 * Counts what quotas limit. The counter of a month is one row of the tenant, whose lock is held until the transaction ends, so
 * whoever counts after it has seen everybody who counted before.
 */
export class QuotaCounter {
  readonly #em: SqlEntityManager;
  readonly #tenantId: string;

  constructor(em: SqlEntityManager, tenantId: string) {
    this.#em = em;
    this.#tenantId = tenantId;
  }

  /**
   * Adds to the counter of the month and returns it as it is then. The first one of a month makes it of the messages that there are,
   * this transaction's own among them: their ids tell when they were made.
   *
   * @param month `YYYY-MM`, UTC.
   * @throws TransactionConflictError when a concurrent transaction has made it.
   */
  async add(month: string, added: Counted): Promise<Counted> {
    const key = [this.#tenantId, month];
    const change = [added.messages, added.tokens, ...key];
    const update =
      'update quota_months set messages = messages + ?, tokens = tokens + ? where tenant_id = ? and month = ?';
    if ((await runUpdate(this.#em, update, change)).affectedRows > 0) {
      return this.#one('select messages, tokens from quota_months where tenant_id = ? and month = ?', key);
    }
    const sql = `select count(*) as messages, coalesce(sum(token_count), 0) as tokens from messages
                  where tenant_id = ? and id >= ?`;
    const counted = await this.#one(sql, [this.#tenantId, firstIdOf(month)]);
    const insert = 'insert into quota_months (tenant_id, month, messages, tokens) values (?, ?, ?, ?)';
    await writeFreeKey(() => runStatement(this.#em, insert, [...key, counted.messages, counted.tokens]));
    return counted;
  }

  /** Forgets the counters: they do not know what is written while nobody counts. */
  async forget(): Promise<void> {
    await runUpdate(this.#em, 'delete from quota_months where tenant_id = ?', [this.#tenantId]);
  }

  /** Those of the messages that there are: a part of a transaction may have been taken back. */
  async sumOf(ids: readonly string[]): Promise<Counted> {
    let [messages, tokens] = [0, 0];
    for (let index = 0; index < ids.length; index += IDS_MAX) {
      const sql = `select count(*) as messages, coalesce(sum(token_count), 0) as tokens from messages
                    where tenant_id = ? and id in (?)`;
      const part = await this.#one(sql, [this.#tenantId, ids.slice(index, index + IDS_MAX)]);
      messages += part.messages;
      tokens += part.tokens;
    }
    return { messages, tokens };
  }

  async users(): Promise<number> {
    return this.#count('select count(*) as total from users where tenant_id = ?');
  }

  async conversations(): Promise<number> {
    return this.#count('select count(*) as total from conversations where tenant_id = ?');
  }

  /** The bytes (UTF-8) of the texts of all documents. */
  async storageBytes(): Promise<number> {
    return this.#count('select coalesce(sum(octet_length(content)), 0) as total from documents where tenant_id = ?');
  }

  async #count(sql: string): Promise<number> {
    return (await this.#one<'total'>(sql, [this.#tenantId])).total;
  }

  async #one<Name extends string = keyof Counted>(
    sql: string,
    values: readonly unknown[],
  ): Promise<Record<Name, number>> {
    const [row] = await runStatement<Numbers<Name>>(this.#em, sql, values);
    const numbers = Object.entries(row ?? {}).map(([name, value]) => [name, Number(value ?? 0)]);
    return Object.fromEntries(numbers) as Record<Name, number>;
  }
}

/** The least UUIDv7 of a month: its first 48 bits are the time in milliseconds (RFC 9562). */
function firstIdOf(month: string): string {
  const digits = Date.parse(`${month}-01T00:00:00Z`).toString(16).padStart(12, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8)}-7000-8000-000000000000`;
}

/** What a tenant is, and may have, as nobody changes it until the transaction ends. */
export interface HeldTenant {
  readonly slug: string;
  readonly status: string;
  readonly quota: unknown;
}

/** Reads the tenant and holds it as it is: whoever suspends it waits for those that are writing, and none begins afterwards. */
export async function holdTenant(em: SqlEntityManager, tenantId: string): Promise<HeldTenant | undefined> {
  const sql = `select slug, status, quota from tenants where id = ? ${connectionOf(em).sharedLock}`;
  return (await runStatement<HeldTenant>(em, sql, [tenantId]))[0];
}
