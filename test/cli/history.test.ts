import { describe, expect, it } from 'vitest';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import { freshUrl } from '../support/engine-under-test.js';
import { colloquyInTurn, colloquy } from '../support/command-line.js';
import { openManager } from '../support/open-manager.js';

async function startConversation(
  persistence: PersistenceManager,
  slug: string,
  externalId: string,
  contents: string[],
) {
  await persistence.tenants.ensure({ slug, name: slug });
  const tenant = persistence.tenant(slug);
  const user = await tenant.users.create({ externalId: `${externalId}-user`, username: 'ann' });
  const conversation = await tenant.conversations.start({ userId: user.id, externalId, title: 'A kettle' });
  for (const [index, content] of contents.entries()) {
    await tenant.messages.append(conversation.id, { role: index % 2 === 0 ? 'user' : 'assistant', content });
  }
  return conversation;
}

const CLEAR = '\u001B[2J\u001B]0;owned\u0007\u009B31m\r\u007Fend\ttab';
// eslint-disable-next-line no-control-regex -- these characters must not be printed
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/;

describe('colloquy history', () => {
  it('finds a conversation by its id and by its external id, and prints its last messages in order', async () => {
    const url = await freshUrl();
    const { persistence } = await openManager({ url });
    const contents = Array.from({ length: 12 }, (_unused, index) => `message ${String(index + 1)}\nsecond line`);
    const { id } = await startConversation(persistence, 'acme', 'star:42', contents);
    const [byKey, byId, all, json] = await colloquyInTurn(
      [
        ['history', 'star:42', '--last', '3'],
        ['history', id, '--last', '3', '--tenant', 'acme'],
        ['history', id],
        ['history', id, '--last', '2', '--json'],
      ],
      { url },
    );
    expect(byKey).toEqual({
      code: 0,
      stderr: '',
      stdout: [
        'Conversation star:42 "A kettle" of tenant acme:',
        '  10  assistant  message 10',
        '                 second line',
        '  11  user       message 11',
        '                 second line',
        '  12  assistant  message 12',
        '                 second line',
        '  (3 of 12 messages)',
        '',
      ].join('\n'),
    });
    expect(byId).toEqual(byKey);
    expect(all?.stdout.match(/message \d+$/gm)).toEqual(contents.map((content) => content.split('\n')[0]));
    expect(JSON.parse(json?.stdout ?? '')).toMatchObject({
      tenant: 'acme',
      conversation: { id, externalId: 'star:42', messageCount: 12 },
      messages: [
        { seq: 11, content: contents[10] },
        { seq: 12, content: contents[11] },
      ],
    });
  });

  it('asks for the tenant where several have the conversation', async () => {
    const url = await freshUrl();
    const { persistence } = await openManager({ url });
    await startConversation(persistence, 'acme', 'star:42', ['of acme']);
    await startConversation(persistence, 'beta', 'star:42', ['of beta']);
    const [ambiguous, chosen] = await colloquyInTurn(
      [
        ['history', 'star:42'],
        ['history', 'star:42', '--tenant', 'beta'],
      ],
      { url },
    );
    expect(ambiguous).toMatchObject({ code: 2, stdout: '' });
    expect(ambiguous?.stderr).toMatch(/acme, beta\. Choose one with --tenant/);
    expect(chosen).toMatchObject({ code: 0, stderr: '' });
    expect(chosen?.stdout).toContain('of beta');
    expect(chosen?.stdout).not.toContain('of acme');
  });

  it('with --json prints JSON also where several tenants have the conversation', async () => {
    const url = await freshUrl();
    const { persistence } = await openManager({ url });
    await startConversation(persistence, 'acme', 'star:42', []);
    await startConversation(persistence, 'beta', 'star:42', []);
    const { code, stdout } = await colloquy(['history', 'star:42', '--json'], { url });
    expect(code).toBe(2);
    expect(() => void JSON.parse(stdout)).not.toThrow();
  });

  it('does not hand control characters of a message to the terminal', async () => {
    const url = await freshUrl();
    const { persistence } = await openManager({ url });
    await startConversation(persistence, 'acme', 'star:42', [CLEAR]);
    const [text, json] = await colloquyInTurn(
      [
        ['history', 'star:42'],
        ['history', 'star:42', '--json'],
      ],
      { url },
    );
    expect(text?.stdout).toContain('end\ttab');
    expect(text?.stdout).not.toMatch(CONTROLS);
    expect(JSON.parse(json?.stdout ?? '')).toMatchObject({ messages: [{ content: CLEAR }] });
  });

  it('does not hand those of a title or of an external id to the terminal either', async () => {
    const url = await freshUrl();
    const { persistence } = await openManager({ url });
    const { id } = await startConversation(persistence, 'acme', 'star:\u009B31m', ['hello']);
    await persistence.tenant('acme').conversations.update(id, { title: `title${CLEAR}` });
    const { code, stdout } = await colloquy(['history', id], { url });
    expect(code).toBe(0);
    expect(stdout).toContain('hello');
    expect(stdout).not.toMatch(CONTROLS);
  });

  it('of what does not exist ends with exit code 3, and of too many messages with 2', async () => {
    const url = await freshUrl();
    const { persistence } = await openManager({ url });
    await startConversation(persistence, 'acme', 'star:42', ['hello']);
    const [nothing, json, tenant, many] = await colloquyInTurn(
      [
        ['history', 'star:43'],
        ['history', 'star:43', '--json'],
        ['history', 'star:42', '--tenant', 'nobody'],
        ['history', 'star:42', '--last', '1000000'],
      ],
      { url },
    );
    expect(nothing).toMatchObject({ code: 3, stdout: '' });
    expect(nothing?.stderr).toMatch(/^colloquy: There is no conversation "star:43" here/);
    expect(json?.code).toBe(3);
    expect(JSON.parse(json?.stdout ?? '')).toMatchObject({ error: { code: 'NOT_FOUND', key: 'star:43' } });
    expect(tenant).toMatchObject({ code: 3, stdout: '' });
    expect(tenant?.stderr).toMatch(/no tenant "nobody"/);
    expect(many).toMatchObject({ code: 2, stdout: '' });
    expect(many?.stderr).toMatch(/last must be a whole number from 1 to 10000/);
  });
});
