type Budgets = Readonly<Record<string, number>>;

/** What a path of Colloquy has to reach, as a ratio to the raw side, by arena. */
const BUDGETS: Readonly<Record<string, Budgets>> = {
  sqlite: { append: 0.9, last50: 0.9, byId: 0.85, list: 0.9, bulk: 0.9, import: 0.8 },
  'sqlite-durable-32': { append: 3 },
  postgresql: { append: 0.9, last50: 0.95, byId: 0.9, list: 0.95, bulk: 0.95, import: 0.7 },
  'postgresql-32': { append: 0.9, last50: 0.95, byId: 0.95, list: 0.95 },
  'postgresql-32-one-conversation': { append: 2 },
};

/** With row-level security, which the raw side has not. */
const SECURED: Budgets = { append: 0.6, last50: 0.5, byId: 0.5, list: 0.5 };

/** How many times as fast as each other library. */
const AGAINST_PEERS: Budgets = { append: 1.5, last50: 1.3, byId: 1.3, list: 1.3 };

/** The least ratio to the raw side for an `arena/path`; undefined where none is set. */
export function budgetOf(name: string): number | undefined {
  const [arena = '', path = ''] = name.split('/');
  const budgets = arena.endsWith('-rls') ? SECURED : BUDGETS[arena];
  return budgets?.[path];
}

/** The least ratio to every other library for an `arena/path`; undefined where none is set. */
export function peerBudgetOf(name: string): number | undefined {
  return AGAINST_PEERS[name.split('/')[1] ?? ''];
}
