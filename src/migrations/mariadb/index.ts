import type { NamedMigration } from '../../database/engine.js';
import { CreateTenants } from './001-tenants.js';
import { CreateUsers } from './002-users.js';
import { CreateConversations } from './003-conversations.js';
import { CreateMessages } from './004-messages.js';
import { CreateDocuments } from './005-documents.js';
import { CreateApiKeys } from './006-api-keys.js';
import { CreateVoiceSessions } from './007-voice-sessions.js';
import { CreateUsage } from './008-usage.js';
import { CreateDocumentSearch } from './009-document-search.js';
import { CreateQuotaMonths } from './010-quota-months.js';
import { AddEmailKeys } from './011-email-keys.js';
import { CreateIdempotencyKeys } from './012-idempotency-keys.js';
import { CreateTasks } from './013-tasks.js';

/**
 * In the order in which they are applied. A name, once released, is never changed; nor is what its migration does.
 *
 * Every statement here commits by itself and may be run again, for an interrupted migration is run again from its beginning: `if not
 * exists`, `if exists`. Texts are compared by their characters' numbers and spaces at their ends count, as on the other engines; the
 * collation that does so has one name in MariaDB and another in MySQL, so it stands in comments that only one of them reads.
 */
export const mariaDbMigrations: readonly NamedMigration[] = [
  { name: '001-tenants', class: CreateTenants },
  { name: '002-users', class: CreateUsers },
  { name: '003-conversations', class: CreateConversations },
  { name: '004-messages', class: CreateMessages },
  { name: '005-documents', class: CreateDocuments },
  { name: '006-api-keys', class: CreateApiKeys },
  { name: '007-voice-sessions', class: CreateVoiceSessions },
  { name: '008-usage', class: CreateUsage },
  { name: '009-document-search', class: CreateDocumentSearch },
  { name: '010-quota-months', class: CreateQuotaMonths },
  { name: '011-email-keys', class: AddEmailKeys },
  { name: '012-idempotency-keys', class: CreateIdempotencyKeys },
  { name: '013-tasks', class: CreateTasks },
];
