/** What an import of conversations fills, in the order of its foreign keys. */
export const TABLES = ['tenants', 'users', 'conversations', 'messages', 'voice_sessions', 'documents'] as const;
/** As many rows as an import puts into one transaction. */
export const BATCH_ROWS = 1_000;
