import { open } from './conformance.js';
import { ENGINES, type TestEngine } from './engines.js';
import { makeEveryEntity } from './every-entity.js';

export interface Pair {
  readonly from: TestEngine;
  readonly to: TestEngine;
}

export const PAIRS: readonly Pair[] = ENGINES.flatMap((from) => ENGINES.map((to) => ({ from, to })));
/** Each engine once as the target. */
export const TARGETS: readonly Pair[] = ENGINES.map((to, index) => ({ from: ENGINES.at(index - 1) ?? to, to }));

/** A source with two tenants that have rows of every entity, and the URL of an empty target. */
export async function furnished({ from, to }: Pair) {
  const [sourceUrl, targetUrl] = [await from.freshUrl(), await to.freshUrl()];
  const source = await open(sourceUrl);
  for (const slug of ['acme', 'beta']) await makeEveryEntity(source, slug);
  return { source, sourceUrl, targetUrl, target: await open(targetUrl) };
}
