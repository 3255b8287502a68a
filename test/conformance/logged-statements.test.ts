import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { exportArchive } from '../../src/interchange/export-archive.js';
import { importArchives } from '../../src/interchange/import-archives.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { open } from '../support/conformance.js';
import { withParameter } from '../support/engines.js';
import { NO_OWN_SERVER, type OwnServer, startOwnServer } from '../support/own-server.js';
import { temporaryFile } from '../support/temporary-folder.js';
import { TENANT_TABLES } from '../support/two-tenants.js';

/** What is logged of a statement is its text: neither the values that are bound to it, nor those that an error shows. */
const LOGGED = {
  log_statement: 'all',
  log_parameter_max_length: 0,
  log_parameter_max_length_on_error: 0,
  log_error_verbosity: 'terse',
  log_line_prefix: '',
};

/** Marks every text that is given; no statement of the library has it, nor these numbers, dates and ids. */
const PLANTED = /planted|424242|2031|[0-9a-f]{8}-[0-9a-f]{4}-7/;
const DAY = '2031-07-09';
const AT = new Date(`${DAY}T10:11:12.131Z`);
const NOTHING = '01890000-0000-7000-8000-000000000000';

const OF_A_TENANT = new RegExp(
  `(?:from|into|update|join)\\s+"?(?:${TENANT_TABLES.join('|')}|document_terms|quota_months)\\b`,
  'i',
);
/** What gives another value each time it is asked, so that parts of a distributed database would store different ones. */
const VOLATILE = /\b(?:now|clock_timestamp|statement_timestamp|current_timestamp|random|gen_random_uuid|nextval)\b/i;

/** The calls that there are of an object and of the services in it, by name. */
function callsOf(object: object): string[] {
  const own = Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter((name) => name !== 'constructor');
  const services = Object.values(object).filter((value) => typeof value === 'object' && value !== null) as object[];
  return [...own.map((name) => `${object.constructor.name}.${name}`), ...services.flatMap(callsOf)];
}

/** An object whose calls are noted by name. */
function watched<T extends object>(object: T, called: Set<string>): T {
  return new Proxy(object, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value === 'object' && value !== null) return watched(value, called);
      if (typeof value !== 'function') return value;
      called.add(`${target.constructor.name}.${String(key)}`);
      return (value as (...parameters: unknown[]) => unknown).bind(target);
    },
  });
}

const failing = async (call: Promise<unknown>): Promise<void> => expect(call).rejects.toThrow();

const text = (what: string): string => `planted ${what} '; "`;
const METADATA = { 'planted key': ['planted value', 424242, { planted: null }] };

/** Calls every service of a tenant, and the unit of work, with input that is right and input that is not. */
async function callEverything(persistence: PersistenceManager, acme: TenantContext): Promise<void> {
  const user = await acme.users.create({
    externalId: text('user'),
    username: text('ada'),
    nickname: text('nick'),
    email: 'planted@example.com',
    phone: '+14242420000',
    metadata: METADATA,
  });
  await failing(acme.users.create({ externalId: text('user'), username: text('twin') }));
  await failing(acme.users.create({ externalId: text('x'), username: '', phone: text('phone') }));
  await acme.users.get(user.id);
  await failing(acme.users.get(NOTHING));
  await acme.users.getByExternalId(text('user'));
  await acme.users.update(user.id, { nickname: text('other'), metadata: { planted: [text('x')] } });
  await acme.users.list({ after: user.id });

  const given = { userId: user.id, externalId: text('chat'), title: text('title'), metadata: METADATA };
  const chat = await acme.conversations.start(given);
  await failing(acme.conversations.start(given));
  await failing(acme.conversations.start({ userId: NOTHING, title: text('title') }));
  await acme.conversations.get(chat.id);
  await acme.conversations.getByExternalId(text('chat'));
  await acme.conversations.update(chat.id, { summary: text('summary'), title: text('second') });
  await acme.conversations.list({ userId: user.id, after: chat.id });

  const message = { role: 'user', content: text('content'), tokenCount: 424242, metadata: METADATA } as const;
  for (let index = 0; index < 3; index++) await acme.messages.append(chat.id, { ...message, parts: [text('part')] });
  const { id: messageId } = await acme.messages.append(chat.id, message, { idempotencyKey: text('key') });
  await acme.messages.append(chat.id, message, { idempotencyKey: text('key') });
  await failing(acme.messages.append(chat.id, { ...message, role: 'tool' }, { idempotencyKey: text('key') }));
  await acme.messages.get(messageId);
  await acme.messages.history(chat.id, { last: 424 });
  await acme.messages.history(chat.id, { before: 424242 });
  await acme.conversations.archive(chat.id);
  await failing(acme.messages.append(chat.id, message));
  await acme.conversations.reopen(chat.id);

  const document = { title: text('title'), content: text('content'), source: text('source'), metadata: METADATA };
  const stored = await acme.documents.create({ ...document, externalId: text('document') });
  await acme.documents.get(stored.id);
  await acme.documents.getByExternalId(text('document'));
  await acme.documents.update(stored.id, { content: text('more'), contentType: 'text/planted' });
  await acme.documents.list({ limit: 42 });
  await acme.documents.search(text('content'));
  await acme.documents.search('plant* | (planted & !退款) planted:*');

  const ends = [
    async (call: string) => acme.voiceSessions.complete(call, { endTime: AT, audioDurationSeconds: 424242.5 }),
    async (call: string) => acme.voiceSessions.fail(call, { endTime: AT, metadata: METADATA }),
    async (call: string) => acme.voiceSessions.cancel(call, { endTime: AT }),
  ];
  for (const [index, end] of ends.entries()) {
    const externalId = text(`call ${String(index)}`);
    const call = { externalId, userId: user.id, conversationId: chat.id, startTime: AT, config: METADATA };
    const started = await acme.voiceSessions.start(call);
    await end(started.id);
    await failing(end(started.id));
    await acme.voiceSessions.get(started.id);
    await acme.voiceSessions.getByExternalId(externalId);
  }
  await acme.voiceSessions.list({ userId: user.id });

  const taskEnds = [
    async (id: string) => acme.tasks.complete(id, text('result'), { costUsd: '424242.424242', metadata: METADATA }),
    async (id: string) => acme.tasks.fail(id, text('error'), { model: text('model'), promptTokens: 424242 }),
    async (id: string) => acme.tasks.cancel(id, { provider: text('provider') }),
  ];
  for (const [index, end] of taskEnds.entries()) {
    const workflowId = text(`workflow ${String(index)}`);
    const task = await acme.tasks.create({ workflowId, query: text('query'), userId: user.id, mode: text('mode') });
    await acme.tasks.start(task.id);
    await end(task.id);
    await failing(end(task.id));
    await acme.tasks.get(task.id);
    await acme.tasks.getByWorkflowId(workflowId);
  }
  await acme.tasks.list({ userId: user.id });

  const { key, apiKey } = await acme.apiKeys.create({
    name: text('key'),
    userId: user.id,
    scopes: ['planted:scope'],
    expiresAt: AT,
  });
  await acme.apiKeys.verify(key);
  await acme.apiKeys.verify(text('no key'));
  await acme.apiKeys.list();
  await acme.apiKeys.revoke(apiKey.id);

  const used = {
    provider: text('provider'),
    model: text('model'),
    day: DAY,
    promptTokens: 424242,
    costUsd: '424242.5',
  };
  for (let index = 0; index < 2; index++) await acme.usage.add({ ...used, userId: user.id });
  await acme.usage.list({ from: DAY, to: DAY });

  await acme.transaction(async ({ conversations, users }) => {
    (await conversations.get(chat.id)).title = text('third');
    await conversations.find({ title: { $like: 'planted%' }, user: users.ref(user.id) });
    for await (const found of users.stream({ where: { nickname: text('nobody') } })) expect.fail(found.id);
  });
  await acme.read(({ messages }) => messages.readHistory(chat.id, { after: 1, limit: 424 }));
  await persistence.transaction(async () => acme.users.getByExternalId(text('user')));
  await acme.stats();
  await acme.digest();
}

const archive = {
  source: 'planted',
  id: text('archived'),
  title: text('title'),
  modality: 'text',
  messages: [{ role: 'user', content: text('imported'), at: AT.toISOString() }],
};

const [BEGINNING, END] = ['the calls begin', 'the calls have ended'];

/** Resolves when everything before is in the log. */
async function mark(persistence: PersistenceManager, server: OwnServer, what: string): Promise<void> {
  await persistence.withEntityManager((em) => em.execute(`select '${what}'`));
  await vi.waitFor(() => expect(server.log()).toContain(what));
}

/** What the server was asked since {@link BEGINNING}. */
async function loggedStatements(persistence: PersistenceManager, server: OwnServer): Promise<string[]> {
  await mark(persistence, server, END);
  const [, since = ''] = server.log().split(BEGINNING);
  return since.split(/^LOG:/m);
}

const title = `the log of a server${NO_OWN_SERVER === undefined ? '' : ` (skipped: ${NO_OWN_SERVER})`}`;

describe.skipIf(NO_OWN_SERVER).each(['true', 'false'])(`${title}, with namedStatements=%s`, (namedStatements) => {
  let server: OwnServer;
  beforeAll(async () => {
    server = await startOwnServer(LOGGED);
  });
  afterAll(async () => server.close());

  it('has no value that was given to any service', async () => {
    const persistence = await open(withParameter(server.url(), 'namedStatements', namedStatements));
    await mark(persistence, server, BEGINNING);
    const called = new Set<string>();
    const tenants = watched(persistence.tenants, called);
    const input = { slug: 'planted', name: text('name'), config: METADATA, quota: { users: 424242 } };
    const { id } = await tenants.ensure(input);
    await tenants.ensure(input);
    await tenants.get('planted');
    await failing(tenants.get('planted-2'));
    await tenants.list({ after: id, limit: 42 });
    const acme = persistence.tenant('planted');
    await callEverything(persistence, watched(acme, called));
    const file = temporaryFile('planted.jsonl');
    writeFileSync(file, `${JSON.stringify(archive)}\n`);
    expect((await importArchives(acme, [file])).total).toMatchObject({ messages: 1, rejected: 0 });
    await exportArchive(acme, async () => undefined);
    const quota = { users: 424242, conversations: 424242, messagesPerMonth: 424242, storageBytes: 424242424 };
    await tenants.update('planted', { name: text('new name'), config: METADATA, quota });
    const late = await acme.users.create({ externalId: text('late'), username: text('late') });
    const chat = await acme.conversations.start({ userId: late.id, title: text('late') });
    await acme.messages.append(chat.id, { role: 'user', content: text('late') });
    await acme.documents.create({ externalId: text('late'), title: text('late'), content: text('late') });
    await tenants.suspend('planted');
    await failing(acme.users.update(late.id, { nickname: text('late') }));
    await tenants.resume('planted');
    await tenants.delete('planted');
    expect([...called].toSorted()).toEqual([...callsOf(persistence.tenants), ...callsOf(acme)].toSorted());

    const statements = await loggedStatements(persistence, server);
    expect(statements.length).toBeGreaterThan(200);
    expect(statements.filter((statement) => PLANTED.test(statement))).toEqual([]);
    // What a distributed database needs too: a statement names its tenant, and what it stores comes with it.
    const ofTenant = statements.filter((statement) => OF_A_TENANT.test(statement));
    expect(ofTenant.length).toBeGreaterThan(100);
    expect(ofTenant.filter((statement) => !/tenant/.test(statement))).toEqual([]);
    expect(statements.filter((statement) => VOLATILE.test(statement))).toEqual([]);
    // The log would tell.
    await persistence.withEntityManager((em) => em.execute(`select 'planted'`));
    await vi.waitFor(() => expect(server.log()).toMatch(PLANTED));
  });
});
