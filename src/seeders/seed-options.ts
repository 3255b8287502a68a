/** What is invented. */
export interface SeedOptions {
  readonly tenants: number;
  /** Users of each tenant. */
  readonly users: number;
  /** Conversations of each user, of 2 to 20 messages. */
  readonly conversations: number;
  readonly seed: number;
}

export const SEED_DEFAULTS: SeedOptions = { tenants: 2, users: 5, conversations: 4, seed: 1 };
