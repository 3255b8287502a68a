import { UsageRecord } from '../entities/usage-record.js';
import { ValidationError } from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';
import { givenProperties, record } from '../repositories/allowed-properties.js';
import type { Row } from '../repositories/compiled-table.js';
import { writeFreeKey } from '../repositories/race.js';
import { runtimeOf } from '../runtime.js';
import type { CreateOptions } from './once.js';
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

type Used = Omit<UsageInput, 'userId'>;

const ADDABLE = [
  'provider',
  'model',
  'day',
  'requests',
  'promptTokens',
  'completionTokens',
  'audioSeconds',
  'costUsd',
] as const;
const NOTHING = { requests: 1, promptTokens: 0, completionTokens: 0, audioSeconds: 0, costUsd: '0' };
const MICRO = 1_000_000n;

export class UsageService {
  readonly #scope: TenantScope;

  constructor(scope: TenantScope) {
    this.#scope = scope;
  }

  /**
   * Adds to the record of the day, user, provider and model, and returns it with the new sums; under an idempotency key it adds once.
   *
   * @throws ValidationError, ReferenceNotFoundError when the tenant has no such user, IdempotencyConflictError.
   */
  async add(input: UsageInput, options: CreateOptions = {}): Promise<Row<UsageRecord>> {
    const call = { ...options, entity: UsageRecord, operation: 'usage.add', input };
    return this.#scope.create(call, async ({ em, usage }) => {
      const { userId = null, ...rest } = record('UsageRecord', input);
      const { given, issues } = givenProperties('UsageRecord', rest, ADDABLE);
      const today = runtimeOf(em).clock.now().toISOString().slice(0, 10);
      const used = { ...NOTHING, day: today, ...given } as Required<Used>;
      const broken = [...issues, ...runtimeOf(em).rules.of(UsageRecord).issues(used, new Set(ADDABLE))];
      if (userId !== null && typeof userId !== 'string') broken.push(brokenRule('userId', 'isString', userId));
      if (broken.length > 0) throw new ValidationError('UsageRecord', broken);
      const sum = await usage.obtain({ ...used, userId });
      sum.requests += used.requests;
      sum.promptTokens += used.promptTokens;
      sum.completionTokens += used.completionTokens;
      sum.audioSeconds += used.audioSeconds;
      sum.costUsd = addMoney(sum.costUsd, used.costUsd);
      await writeFreeKey(() => em.flush());
      return usage.toRow(sum);
    });
  }

  /** Records of the days `from` to `to` (`YYYY-MM-DD`, both included), in the order of days. */
  async list(range: { readonly from: string; readonly to: string }): Promise<Row<UsageRecord>[]> {
    return this.#scope.read(async ({ em, usage }) => {
      const rules = runtimeOf(em).rules.of(UsageRecord);
      const { from, to } = record('The range', range);
      const issues = Object.entries({ from, to }).flatMap(([path, day]) =>
        rules.issues({ day }, new Set(['day'])).map((issue) => ({ ...issue, path })),
      );
      if (issues.length > 0) throw new ValidationError('The range', issues);
      return usage.readDays(from, to);
    });
  }
}

/** Exact to the sixth decimal. Both are amounts by the entity's rule. */
function addMoney(sum: string, amount: string): string {
  const total = microDollars(sum) + microDollars(amount);
  const decimals = (total % MICRO).toString().padStart(6, '0').replace(/0+$/, '');
  return `${(total / MICRO).toString()}${decimals && `.${decimals}`}`;
}

function microDollars(amount: string): bigint {
  const [dollars = '0', decimals = ''] = amount.split('.');
  return BigInt(dollars) * MICRO + BigInt(decimals.padEnd(6, '0'));
}
