import { OptionalProps } from '@mikro-orm/core';
import { Entity, Enum, Property, Unique } from '@mikro-orm/decorators/legacy';
import { IsIn, IsOptional } from 'class-validator';
import {
  DOCUMENT_CONTENT_MAX,
  EXTERNAL_ID_MAX,
  IsExternalId,
  IsHash,
  IsJsonObject,
  IsMediaType,
  IsText,
  IsVersion,
} from './rules.js';
import { TenantOwned } from './tenant-owned.js';

export const DOCUMENT_STATUSES = ['active', 'archived', 'deleted'] as const;
export type DocumentStatus = (typeof DOCUMENT_STATUSES)[number];

/** A text that conversations draw on. */
@Entity({ tableName: 'documents' })
@Unique({ name: 'documents_external_id_unique', properties: ['tenant', 'externalId'] })
export class Document extends TenantOwned {
  [OptionalProps]?: 'tenant' | 'createdAt' | 'updatedAt' | 'contentType' | 'source' | 'metadata' | 'status' | 'version';

  /** The caller's own key, unique within the tenant. */
  @Property({ type: 'string', length: EXTERNAL_ID_MAX })
  @IsExternalId()
  externalId!: string;

  @Property({ type: 'string', length: 500 })
  @IsText({ max: 500 })
  title!: string;

  @Property({ type: 'text' })
  @IsText({ max: DOCUMENT_CONTENT_MAX })
  content!: string;

  /** Media type, such as text/markdown. */
  @Property({ type: 'string', length: 127 })
  @IsMediaType()
  contentType: string = 'text/plain';

  /** Where the text comes from. */
  @Property({ type: 'string', length: 1000, nullable: true })
  @IsOptional()
  @IsText({ max: 1000 })
  source: string | null = null;

  /** SHA-256 of the content's UTF-8 form, in hexadecimal digits. */
  @Property({ type: 'string', length: 64 })
  @IsHash()
  checksum!: string;

  @Property({ type: 'json' })
  @IsJsonObject()
  metadata: Record<string, unknown> = {};

  @Enum({ items: () => [...DOCUMENT_STATUSES], type: 'string' })
  @IsIn(DOCUMENT_STATUSES)
  status: DocumentStatus = 'active';

  @Property({ type: 'integer', version: true })
  @IsVersion()
  version!: number;
}
