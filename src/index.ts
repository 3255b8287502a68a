/**
 * Colloquy: the domain repository layer for conversational-AI backends.
 *
 * Open a {@link PersistenceManager}, take a tenant from it and call its services; or open a unit of work with `transaction` and use
 * the repositories and managed entities; or use MikroORM itself.
 */
export * from './entities/index.js';
export type { CachePolicy, Consistency, TimeToLive } from './cache/policy.js';
export type { Latency, RegionStatistics } from './cache/region-counters.js';
export type { CacheStatistics } from './cache/tiered-cache.js';
export * from './errors.js';
export { exportArchive, type ExportCounts, type ExportOptions } from './interchange/export-archive.js';
export {
  importArchives,
  type ImportOptions,
  type ImportProgress,
  type ImportRejection,
  type ImportReport,
  type VerifiedArchive,
  verifyArchives,
} from './interchange/import-archives.js';
export type { ImportCounts } from './interchange/store-batch.js';
export type { ArchiveFormat } from './interchange/archive.js';
export { type Language, LANGUAGES } from './messages/catalog.js';
export type { Row } from './repositories/compiled-table.js';
export type { DocumentHit, DocumentSearchOptions } from './repositories/document-search.js';
export type { AppendOptions, HistoryRequest, MessageInput } from './repositories/message.repository.js';
export type { Page, PageRequest } from './repositories/page.js';
export { type Clock, createIdSource, type IdSource, type Random, type Sources } from './runtime.js';
export type { ApiKeyInfo, ApiKeyInput, CreatedApiKey } from './services/api-keys.service.js';
export type { CacheService, ProcessStatistics, SharedStatistics, WarmRequest } from './services/cache.service.js';
export type { CachedKind, CacheSettings } from './services/cached-kinds.js';
export type { CopyOptions, CopyProgress, CopyReport, TenantCopyReport } from './services/copy.js';
export type {
  ConversationChanges,
  ConversationInput,
  ConversationListRequest,
} from './services/conversations.service.js';
export type { DocumentChanges, DocumentInput } from './services/documents.service.js';
export type { CreateOptions } from './services/once.js';
export { type OpenOptions, PersistenceManager } from './services/persistence-manager.js';
export type { Stats } from './services/stats.service.js';
export type { TaskEnd, TaskFigures, TaskInput, TaskListRequest } from './services/tasks.service.js';
export type { TenantContext } from './services/tenant-context.js';
export type { ReadOptions } from './services/transactions.js';
export type { TenantInput } from './services/tenants.service.js';
export type { UnitOfWork } from './services/unit-of-work.js';
export type { UsageInput } from './services/usage.service.js';
export type { UserChanges, UserInput } from './services/users.service.js';
export type { VoiceSessionEnd, VoiceSessionInput, VoiceSessionListRequest } from './services/voice-sessions.service.js';
