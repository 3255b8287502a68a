import { FILTERS, SEAL } from './limit-mutants.js';
import type { SourceMutant } from './source-mutant.js';
import { CACHED, PRINTING, STATEMENTS } from './statement-mutants.js';
import { KEPT, ONCE_ONLY, QUOTA_LIMITS, TENANT_STATES } from './tenant-write-mutants.js';
import { GUARD, NATIVE } from './write-mutants.js';

/** Every guard in the source, by what it is one of. Keys are in `key-rules.ts`; policies have a test of their own. */
const BY_KIND: Readonly<Record<string, readonly SourceMutant[]>> = {
  filters: FILTERS,
  'seal of a unit of work': SEAL,
  'judgement of what is written': GUARD,
  'judgement of statements beside': NATIVE,
  'statements of the library': STATEMENTS,
  'names in the cache': CACHED,
  'values in statements': PRINTING,
  'states of a tenant': TENANT_STATES,
  quotas: QUOTA_LIMITS,
  'what is kept': KEPT,
  'idempotency keys': ONCE_ONLY,
};

export const SOURCE_MUTANTS = Object.entries(BY_KIND).flatMap(([kind, mutants]) =>
  mutants.map((mutant) => ({ kind, ...mutant })),
);
