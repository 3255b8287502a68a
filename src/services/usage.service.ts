import type { UsageRecord } from '../entities/usage-record.js';
import type { Row } from '../repositories/compiled-table.js';
import { writeFreeKey } from '../repositories/race.js';
import { runtimeOf } from '../runtime.js';
import type { TenantScope } from './tenant-scope.js';

/** What one or more requests used; numbers are added to the day's record. */
export interface UsageInput {
  readonly provider: string;
  readonly model: string;
  /** The tenant itself unless given. */
  readonly userId?: string | null;
  /** UTC, `YYYY-MM-DD`; today unless given. */
  readonly day?: string;
  /** 1 unless given. */
  readonly requests?: number;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  readonly audioSeconds?: number;
  /** US dollars with at most six decimals, as text. */
  readonly costUsd?: string;
}

const MICRO = 1_000_000n;

export class UsageService {
  readonly #scope: TenantScope;

  constructor(scope: TenantScope) {
    this.#scope = scope;
  }

  /** Adds to the record of the day, user, provider and model, and returns it with the new sums. */
  async add(input: UsageInput): Promise<Row<UsageRecord>> {
    return this.#scope.write(async ({ em, usage }) => {
      const day = input.day ?? runtimeOf(em).clock.now().toISOString().slice(0, 10);
      const record = await usage.obtain({
        userId: input.userId ?? null,
        day,
        provider: input.provider,
        model: input.model,
      });
      record.requests += input.requests ?? 1;
      record.promptTokens += input.promptTokens ?? 0;
      record.completionTokens += input.completionTokens ?? 0;
      record.audioSeconds += input.audioSeconds ?? 0;
      record.costUsd = addMoney(record.costUsd, input.costUsd ?? '0');
      await writeFreeKey(() => em.flush());
      return usage.toRow(record);
    });
  }

  /** Records of the days `from` to `to` (`YYYY-MM-DD`, both included), in the order of days. */
  async list(range: { readonly from: string; readonly to: string }): Promise<Row<UsageRecord>[]> {
    return this.#scope.read(({ usage }) => usage.readDays(range.from, range.to));
  }
}

/** Exact to the sixth decimal; what is no amount is handed on, for the entity's rule to refuse. */
function addMoney(sum: string, amount: string): string {
  const parse = (text: string): bigint | undefined => {
    const match = /^(\d{1,12})(?:\.(\d{1,6}))?$/.exec(text);
    return match ? BigInt(match[1] ?? '0') * MICRO + BigInt((match[2] ?? '').padEnd(6, '0')) : undefined;
  };
  const [a, b] = [parse(sum), parse(amount)];
  if (a === undefined || b === undefined) return amount;
  const total = a + b;
  const decimals = (total % MICRO).toString().padStart(6, '0').replace(/0+$/, '');
  return `${(total / MICRO).toString()}${decimals && `.${decimals}`}`;
}
