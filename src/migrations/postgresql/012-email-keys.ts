import { Migration } from '@mikro-orm/migrations';
import type { FillingMigration } from '../../database/engine.js';
import { fillEmailKeys } from '../../database/fill-email-keys.js';

/** Fails, and changes nothing, where users of a tenant have the same e-mail address already. */
export class AddEmailKeys extends Migration implements FillingMigration {
  override up(): void {
    this.addSql('alter table "users" add column "email_key" varchar(640) null');
    this.addSql('alter table "users" add constraint "users_email_unique" unique ("tenant_id", "email_key")');
  }

  override down(): void {
    this.addSql('alter table "users" drop constraint "users_email_unique"');
    this.addSql('alter table "users" drop column "email_key"');
  }

  fill = fillEmailKeys;
}
