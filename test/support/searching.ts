import { afterAll } from 'vitest';
import { PersistenceManager } from '../../src/services/persistence-manager.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { ENGINES, POSTGRESQL_IN_C, type TestEngine } from './engines.js';

/** Where search is tested: a database of its own, in which each test has tenants of its own. */
export class Place {
  readonly name: string;
  readonly engine: TestEngine;
  #url: Promise<string> | undefined;
  #persistence: Promise<PersistenceManager> | undefined;
  #tenants = 0;

  constructor(name: string, engine: TestEngine) {
    this.name = name;
    this.engine = engine;
    afterAll(async () => (await this.#persistence)?.close());
  }

  url(): Promise<string> {
    return (this.#url ??= this.engine.freshUrl());
  }

  open(): Promise<PersistenceManager> {
    return (this.#persistence ??= this.url().then((databaseUrl) => PersistenceManager.open({ databaseUrl })));
  }

  /** A tenant that has nothing. */
  async tenant(): Promise<TenantContext> {
    const slug = `tenant-${String(++this.#tenants)}`;
    const persistence = await this.open();
    await persistence.tenants.ensure({ slug, name: slug });
    return persistence.tenant(slug);
  }
}

export const PLACES: readonly Place[] = [
  ...ENGINES.map((engine) => new Place(engine.name, engine)),
  ...POSTGRESQL_IN_C.map((engine) => new Place(`${engine.name} in locale C`, engine)),
];

export type Texts = Readonly<Record<string, readonly [title: string, content: string]>>;

/** Stores documents by their external ids. */
export async function store({ documents }: TenantContext, texts: Texts): Promise<void> {
  for (const [externalId, [title, content]] of Object.entries(texts)) {
    await documents.create({ externalId, title, content });
  }
}

/** The external ids of what a query finds, the best first. */
export async function found({ documents }: TenantContext, query: string, options = {}): Promise<string[]> {
  return (await documents.search(query, options)).map(({ document }) => document.externalId);
}
