import { describe, expect, it } from 'vitest';
import { CopyRefusedError } from '../../src/errors.js';
import { codeOf, open } from '../support/conformance.js';
import { furnished, TARGETS } from '../support/copies.js';
import { rawRows } from '../support/raw-rows.js';
import { rejectionOf } from '../support/rejection.js';

/** Makes the engine store another title than it is given. */
const STORING_OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  sqlite: [
    `create trigger other_title after insert on documents begin update documents set title = 'other' where id = new.id; end`,
  ],
  postgresql: [
    `create function other_title() returns trigger language plpgsql as $$ begin new.title = 'other'; return new; end $$`,
    `create trigger other_title before insert on documents for each row execute function other_title()`,
  ],
  mariadb: [`create trigger other_title before insert on documents for each row set new.title = 'other'`],
};

describe.each(TARGETS)('copying to $to.name', (pair) => {
  it('finds a character that has changed, and writes nothing', async () => {
    const { source, target, targetUrl } = await furnished(pair);
    await source.copyTo(target, { tenant: 'acme' });
    await rawRows(targetUrl, `update messages set content = 'A table for two, pleasE' where seq = 1 and role = 'user'`);
    await rawRows(targetUrl, `delete from messages where role = 'system'`);
    const before = (await target.stats()).rows;
    const { differences, message } = await rejectionOf(source.copyTo(target), CopyRefusedError);
    expect(differences).toMatchObject([{ table: 'messages', problem: 'different', properties: ['content'] }]);
    expect(message).not.toContain('pleas');
    expect((await target.stats()).rows).toEqual(before);
  });

  it('refuses a target that has other rows of the tenant, or another tenant of its name', async () => {
    const { source, target, targetUrl } = await furnished(pair);
    await source.copyTo(target, { tenant: 'acme' });
    await target.tenant('acme').users.create({ externalId: 'new', username: 'new' });
    const surplus = await rejectionOf(source.copyTo(target), CopyRefusedError);
    expect(surplus.differences).toMatchObject([{ table: 'users', problem: 'unexpected' }]);
    await target.tenants.ensure({ slug: 'beta', name: 'Beta' });
    const before = (await target.stats()).rows;
    const other = await rejectionOf(source.copyTo(target, { tenant: 'beta' }), CopyRefusedError);
    expect(other).toMatchObject({ reason: 'other tenant', differences: [{ table: 'tenants' }] });
    expect((await target.stats()).rows).toEqual(before);
    expect(await rawRows(targetUrl, `select slug from tenants order by slug`)).toEqual([
      { slug: 'acme' },
      { slug: 'beta' },
    ]);
  });

  it('tells a copy that was stored otherwise than it was sent', async () => {
    const { source, target, targetUrl } = await furnished(pair);
    for (const statement of STORING_OTHERWISE[pair.to.name.replace('pgbouncer', 'postgresql')] ?? [])
      await rawRows(targetUrl, statement);
    const { tenants } = await source.copyTo(target, { tenant: 'acme' });
    expect(tenants[0]?.isEqual).toBe(false);
    expect(tenants[0]?.differences).toMatchObject([
      { table: 'documents', problem: 'different', properties: ['title'] },
    ]);
  });

  it('refuses a row of the source that breaks a rule, and names it', async () => {
    const { source, sourceUrl, target } = await furnished(pair);
    await rawRows(sourceUrl, `update documents set content_type = 'none'`);
    const { differences, message } = await rejectionOf(source.copyTo(target), CopyRefusedError);
    expect(differences).toMatchObject([{ table: 'documents', problem: 'invalid', properties: ['contentType'] }]);
    expect(message).toMatch(/contentType must be a media type.*Correct it in the source/);
    await rawRows(sourceUrl, `update documents set content_type = 'text/plain'`);
    const { tenants } = await source.copyTo(target);
    expect(tenants.map(({ isEqual }) => isEqual)).toEqual([true, true]);
  });

  it('and from a database to itself is refused', async () => {
    const url = await pair.to.freshUrl();
    const [first, second] = [await open(url), await open(url)];
    expect(await codeOf(first.copyTo(first))).toBe('CONFIGURATION_INVALID');
    expect(await codeOf(first.copyTo(second))).toBe('CONFIGURATION_INVALID');
  });
});
