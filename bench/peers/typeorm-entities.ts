import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import type { BenchDatabase } from '../side.js';

export interface TenantRow {
  id: string;
  status: string;
}

export interface ConversationRow {
  tenantId: string;
  id: string;
  createdAt: Date;
  updatedAt: Date;
  userId: string;
  externalId: string | null;
  title: string | null;
  summary: string | null;
  metadata: unknown;
  messageCount: number;
  tokenCount: number;
  lastMessageAt: Date | null;
  status: string;
  version: number;
}

export interface MessageRow {
  tenantId: string;
  id: string;
  createdAt: Date;
  updatedAt: Date;
  conversationId: string;
  seq: number;
  role: string;
  content: string;
  parts: unknown;
  modality: string;
  tokenCount: number;
  references: unknown;
  metadata: unknown;
  idempotencyKey: string | null;
}

type Column = Pick<EntitySchemaColumnOptions, 'type' | 'transformer'>;

interface ColumnTypes {
  readonly id: Column;
  readonly instant: Column;
  readonly count: Column;
  readonly json: Column;
}

const SQLITE: ColumnTypes = {
  id: { type: 'text' },
  // Milliseconds: the datetime of TypeORM is text.
  instant: {
    type: 'integer',
    transformer: {
      to: (instant?: Date | null) => instant?.getTime(),
      from: (milliseconds: number | null) => (milliseconds === null ? null : new Date(milliseconds)),
    },
  },
  count: { type: 'integer' },
  json: { type: 'simple-json' },
};

const POSTGRESQL: ColumnTypes = {
  id: { type: 'uuid' },
  instant: { type: 'timestamptz' },
  // The driver gives a bigint as text.
  count: { type: 'bigint', transformer: { to: (count?: number) => count, from: Number } },
  json: { type: 'json' },
};

const TEXT: Column = { type: 'text' };

/** The entities of an engine. Schemas, for decorators are not what esbuild keeps the types of. */
export function entitiesOf(engine: BenchDatabase['engine']) {
  const types = engine === 'sqlite' ? SQLITE : POSTGRESQL;
  const { id, instant, count, json } = types;
  const owned = {
    tenantId: { ...id, name: 'tenant_id', primary: true },
    id: { ...id, primary: true },
    createdAt: { ...instant, name: 'created_at' },
    updatedAt: { ...instant, name: 'updated_at' },
  };
  return {
    tenants: new EntitySchema<TenantRow>({
      name: 'Tenant',
      tableName: 'tenants',
      columns: { id: { ...id, primary: true }, status: TEXT },
    }),
    conversations: new EntitySchema<ConversationRow>({
      name: 'Conversation',
      tableName: 'conversations',
      columns: {
        ...owned,
        userId: { ...id, name: 'user_id' },
        externalId: { ...TEXT, name: 'external_id', nullable: true },
        title: { ...TEXT, nullable: true },
        summary: { ...TEXT, nullable: true },
        metadata: json,
        messageCount: { ...count, name: 'message_count' },
        tokenCount: { ...count, name: 'token_count' },
        lastMessageAt: { ...instant, name: 'last_message_at', nullable: true },
        status: TEXT,
        version: count,
      },
    }),
    messages: new EntitySchema<MessageRow>({
      name: 'Message',
      tableName: 'messages',
      columns: {
        ...owned,
        conversationId: { ...id, name: 'conversation_id' },
        seq: count,
        role: TEXT,
        content: TEXT,
        parts: { ...json, nullable: true },
        modality: TEXT,
        tokenCount: { ...count, name: 'token_count' },
        references: { ...json, nullable: true },
        metadata: { ...json, nullable: true },
        idempotencyKey: { ...TEXT, name: 'idempotency_key', nullable: true },
      },
    }),
  };
}
