import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { openAcme, type OpenedManager, type Populated } from '../support/open-manager.js';
import { sentStatements } from '../support/sent-statements.js';
import { temporaryFile } from '../support/temporary-folder.js';

type Acme = OpenedManager & Populated;

/** Every read of the services, and the append: each must find its rows by an index, in the order in which it gives them. */
const READS: Readonly<Record<string, (acme: Acme) => Promise<unknown>>> = {
  'a user by id': ({ tenant, userId }) => tenant.users.get(userId),
  'a user by external id': ({ tenant }) => tenant.users.getByExternalId('acme-user'),
  'a page of users': ({ tenant, userId }) => tenant.users.list({ after: userId }),
  'a conversation by id': ({ tenant, conversationId }) => tenant.conversations.get(conversationId),
  "a page of a user's conversations": ({ tenant, userId, conversationId }) =>
    tenant.conversations.list({ userId, after: conversationId }),
  'the last messages': ({ tenant, conversationId }) => tenant.messages.history(conversationId, { last: 50 }),
  'messages after one': ({ tenant, conversationId }) => tenant.messages.history(conversationId, { after: 1 }),
  'messages before one': ({ tenant, conversationId }) => tenant.messages.history(conversationId, { before: 9 }),
  'an append under an idempotency key': ({ tenant, conversationId }) =>
    tenant.messages.append(conversationId, { role: 'user', content: 'x' }, { idempotencyKey: 'k' }),
  "a page of a user's voice sessions": ({ tenant, userId }) => tenant.voiceSessions.list({ userId, after: userId }),
  "a conversation's voice sessions": ({ tenant, conversationId }) =>
    tenant.read((unit) => unit.voiceSessions.readOfConversation(conversationId)),
  'keys that an import asks for': ({ tenant }) =>
    tenant.read((unit) => unit.conversations.readIdsByExternalId(['a:1', 'a:2', 'a:3'])),
  'a page of documents': ({ tenant, userId }) => tenant.documents.list({ after: userId }),
};

// More than the tenant must be given to the index, or a whole tenant would be read.
describe('found by an index, without a scan and without sorting:', () => {
  for (const [name, read] of Object.entries(READS)) {
    it(name, async () => {
      const file = temporaryFile();
      const acme = await openAcme({ url: `sqlite:${file}` });
      // The tenant's id is looked up once, before.
      await acme.tenant.stats();
      const sent = await sentStatements(acme.persistence);
      await read(acme);
      const statements = sent.filter((text) => /^(?:select|update)/.test(text));
      expect(statements.length).toBeGreaterThan(0);
      const database = new Database(file, { readonly: true });
      // The steps of a condition are told one by one, after its name.
      const plans = statements.flatMap((text) => planOf(database, text)).filter((step) => !step.startsWith('SCALAR'));
      database.close();
      expect(
        plans.filter(
          (step) => !/^SEARCH .* USING (?:COVERING )?INDEX \S+ \(tenant_id=\? AND /.test(step) && !TENANT.test(step),
        ),
      ).toEqual([]);
    });
  }
});

/** The tenant's own row. */
const TENANT = /^SEARCH tenants USING INDEX \S+ \(id=\?\)$/;

function planOf(database: Database.Database, statement: string): string[] {
  const parameters = Array.from(statement.matchAll(/\?/g), () => null);
  const steps = database.prepare(`explain query plan ${statement}`).all(...parameters) as { detail: string }[];
  return steps.map(({ detail }) => detail);
}
