import { expect, it } from 'vitest';
import { colloquyInTurn } from '../support/command-line.js';
import { freshUrl } from '../support/engine-under-test.js';
import { openManager } from '../support/open-manager.js';
import { store } from '../support/searching.js';

it('colloquy search prints the documents in which all words occur, the best first', async () => {
  const url = await freshUrl();
  const { persistence } = await openManager({ url });
  for (const slug of ['acme', 'beta']) await persistence.tenants.ensure({ slug, name: slug });
  await store(persistence.tenant('acme'), {
    'faq:1': ['Shipping', 'We refund\nthe \u001B[2Jshipping; see our policy.'],
    'faq:2': ['Refund policy', '申请退款政策'],
  });
  await store(persistence.tenant('beta'), { secret: ['Refund policy', 'secret'] });
  const [words, quoted, limited, json, none, noTenant, unknown, bad, help] = await colloquyInTurn(
    [
      ['search', 'refund', 'policy', '--tenant', 'acme'],
      ['search', 'refund policy', '--tenant', 'acme'],
      ['search', 'refund', '--tenant', 'acme', '--limit', '1'],
      ['search', '退款', '--tenant', 'acme', '--json'],
      ['search', '--tenant', 'acme', '--', '-secret'],
      ['search', 'refund'],
      ['search', 'refund', '--tenant', 'nobody'],
      ['search', 'refund', '--tenant', 'acme', '--limit', '101'],
      ['search', '--help'],
    ],
    { url },
  );
  expect(words).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      '   1  Refund policy (faq:2)',
      '      申请退款政策',
      '   2  Shipping (faq:1)',
      '      We [refund] the \u{FFFD}[2Jshipping; see our [policy].',
      '  (2 documents of tenant acme)',
      '',
    ].join('\n'),
  });
  expect(quoted).toEqual(words);
  expect(limited?.stdout).toContain('(1 document of tenant acme; there may be more)');
  expect(JSON.parse(json?.stdout ?? '')).toMatchObject({
    tenant: 'acme',
    query: '退款',
    hits: [{ document: { externalId: 'faq:2' }, score: expect.any(Number), snippet: '申请<mark>退款</mark>政策' }],
  });
  expect(none).toMatchObject({ code: 0, stdout: '  (0 documents of tenant acme)\n' });
  expect(noTenant).toMatchObject({ code: 2, stdout: '' });
  expect(unknown).toMatchObject({ code: 3, stdout: '' });
  expect(bad).toMatchObject({ code: 2, stdout: '' });
  expect(bad?.stderr).toContain('limit must be a whole number from 1 to 100');
  expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('--limit <n>') });
});
