import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportArchive } from '../../../src/interchange/export-archive.js';
import { importArchives } from '../../../src/interchange/import-archives.js';
import type { TenantContext } from '../../../src/services/tenant-context.js';
import { type Probe, sees } from './probe.js';

async function importLine(
  tenant: TenantContext,
  line: object,
): Promise<{ readonly added: number; readonly rejected: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-probe-'));
  try {
    const file = join(folder, 'archive.jsonl');
    writeFileSync(file, `${JSON.stringify(line)}\n`);
    const { total } = await importArchives(tenant, [file], { format: 'colloquy' });
    return { added: total.conversations.added + total.documents.added, rejected: total.rejected };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function exported(tenant: TenantContext): Promise<string> {
  let text = '';
  await exportArchive(tenant, async (line) => void (text += line));
  return text;
}

const MESSAGES = [{ role: 'user', content: 'from an archive' }];

/** Archives whose lines name what is the other tenant's, and archives that are made. */
export const ARCHIVE_PROBES: readonly Probe[] = [
  sees('an archive with the key of a conversation there', { added: 1, rejected: 0 }, ({ acme }) =>
    importLine(acme.tenant, { source: 'beta', id: 'imported', messages: MESSAGES }),
  ),
  sees('an archive with the id of a conversation there', { added: 1, rejected: 0 }, ({ acme, beta }) =>
    importLine(acme.tenant, { source: 'x', id: beta.conversationId, tenantId: beta.tenantId, messages: MESSAGES }),
  ),
  sees('an archive with a user there', true, async ({ acme, beta }) => {
    const line = { source: 'x', id: '1', participants: { user: 'beta-user' }, messages: MESSAGES };
    await importLine(acme.tenant, line);
    const { id, userId } = await acme.tenant.conversations.getByExternalId('x:1');
    return id !== beta.conversationId && userId !== beta.userId;
  }),
  sees('an archive with ids in its messages', { added: 1, rejected: 0 }, ({ acme, beta }) => {
    const message = { ...MESSAGES[0], id: beta.messageId, conversationId: beta.conversationId, tenant: beta.tenantId };
    return importLine(acme.tenant, { source: 'x', id: '2', messages: [message] });
  }),
  sees('an archive with the call there', { added: 1, rejected: 0 }, ({ acme }) => {
    const voiceSessions = [{ externalId: 'beta-call', status: 'active', startTime: '2026-01-01T12:00:00.000Z' }];
    return importLine(acme.tenant, { source: 'x', id: '3', modality: 'voice', messages: MESSAGES, voiceSessions });
  }),
  sees('an archive with the document there', { added: 1, rejected: 0 }, ({ acme }) => {
    const document = { title: 'x', content: 'x', contentType: 'text/plain', source: 'beta-document' };
    return importLine(acme.tenant, { kind: 'document', externalId: 'beta-document', ...document });
  }),
  sees('an archive that is made', false, async ({ acme }) => (await exported(acme.tenant)).includes('beta')),
  sees('an archive that is made, read by the other', true, async ({ acme, beta }) => {
    const before = await exported(beta.tenant);
    await acme.tenant.users.create({ externalId: 'late', username: 'late' });
    return (await exported(beta.tenant)) === before;
  }),
];
