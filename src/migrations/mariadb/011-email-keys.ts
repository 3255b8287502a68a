import { Migration } from '@mikro-orm/migrations';
import type { FillingMigration } from '../../database/engine.js';
import { fillEmailKeys } from '../../database/fill-email-keys.js';

/** Fails where users of a tenant have the same e-mail address already. */
export class AddEmailKeys extends Migration implements FillingMigration {
  override up(): void {
    this.addSql('alter table users add column /*M!100200 if not exists */ email_key varchar(640) null');
    this.addSql(
      'alter table users add constraint users_email_unique unique /*M!100200 if not exists */ (tenant_id, email_key)',
    );
  }

  override down(): void {
    this.addSql('alter table users drop index /*M!100200 if exists */ users_email_unique');
    this.addSql('alter table users drop column /*M!100200 if exists */ email_key');
  }

  fill = fillEmailKeys;
}
