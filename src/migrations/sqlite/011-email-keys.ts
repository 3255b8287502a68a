import { Migration } from '@mikro-orm/migrations';
import type { FillingMigration } from '../../database/engine.js';
import { fillEmailKeys } from '../../database/fill-email-keys.js';

/** Fails, and changes nothing, where users of a tenant have the same e-mail address already. */
export class AddEmailKeys extends Migration implements FillingMigration {
  override up(): void {
    this.addSql('alter table "users" add column "email_key" text null');
    this.addSql('create unique index "users_email_unique" on "users" ("tenant_id", "email_key")');
  }

  override down(): void {
    this.addSql('drop index "users_email_unique"');
    this.addSql('alter table "users" drop column "email_key"');
  }

  fill = fillEmailKeys;
}
