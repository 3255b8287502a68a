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
import { SecureRows } from './010-row-level-security.js';
import { CreateQuotaMonths } from './011-quota-months.js';
import { AddEmailKeys } from './012-email-keys.js';
import { CreateIdempotencyKeys } from './013-idempotency-keys.js';
import { CreateTasks } from './014-tasks.js';
import { SecureMoreRows } from './015-more-row-level-security.js';
import { SetTenantStatistics } from './016-tenant-statistics.js';

/** In the order in which they are applied. A name, once released, is never changed; nor is what its migration does. */
export const postgreSqlMigrations: readonly NamedMigration[] = [
  { name: '001-tenants', class: CreateTenants },
  { name: '002-users', class: CreateUsers },
  { name: '003-conversations', class: CreateConversations },
  { name: '004-messages', class: CreateMessages },
  { name: '005-documents', class: CreateDocuments },
  { name: '006-api-keys', class: CreateApiKeys },
  { name: '007-voice-sessions', class: CreateVoiceSessions },
  { name: '008-usage', class: CreateUsage },
  { name: '009-document-search', class: CreateDocumentSearch },
  { name: '010-row-level-security', class: SecureRows },
  { name: '011-quota-months', class: CreateQuotaMonths },
  { name: '012-email-keys', class: AddEmailKeys },
  { name: '013-idempotency-keys', class: CreateIdempotencyKeys },
  { name: '014-tasks', class: CreateTasks },
  { name: '015-more-row-level-security', class: SecureMoreRows },
  { name: '016-tenant-statistics', class: SetTenantStatistics },
];
