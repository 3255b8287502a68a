/** A row of the tests. */
export interface Row {
  readonly version: number;
  readonly parts?: readonly { readonly name: string }[];
}

export const HOUR = 3_600_000;
export const BROKEN = new Error('the database is away');

/** A load that gives the next version each time. */
export function counting(): () => Promise<Row> {
  let version = 0;
  return async () => ({ version: (version += 1) });
}

export async function loadParts(): Promise<Row> {
  return { version: 1, parts: [{ name: 'first' }] };
}

export async function fail(): Promise<Row> {
  throw BROKEN;
}
