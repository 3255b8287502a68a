import { Migration } from '@mikro-orm/migrations';

export class CreateTasks extends Migration {
  override up(): void {
    this.addSql(`
      create table "tasks" (
        "tenant_id" text not null,
        "id" text not null,
        "created_at" datetime not null,
        "updated_at" datetime not null,
        "workflow_id" text not null,
        "user_id" text null,
        "query" text not null,
        "mode" text null,
        "result" text null,
        "error_message" text null,
        "provider" text null,
        "model" text null,
        "prompt_tokens" integer not null default 0,
        "completion_tokens" integer not null default 0,
        "cost_usd" numeric(15,6) not null default '0',
        "start_time" datetime null,
        "end_time" datetime null,
        "duration_ms" integer null,
        "agents_used" integer not null default 0,
        "tools_invoked" integer not null default 0,
        "cache_hits" integer not null default 0,
        "complexity_score" double null,
        "trigger_type" text check ("trigger_type" in ('request', 'schedule', 'event')) not null default 'request',
        "schedule" text null,
        "metadata" json not null,
        "status" text check ("status" in ('pending', 'running', 'completed', 'failed', 'cancelled')) not null default 'pending',
        "version" integer not null default 1,
        primary key ("tenant_id", "id"),
        constraint "tasks_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action,
        constraint "tasks_tenant_id_user_id_foreign" foreign key ("tenant_id", "user_id") references "users" ("tenant_id", "id") on update no action on delete no action
      )
    `);
    this.addSql(`create index "tasks_user_index" on "tasks" ("tenant_id", "user_id", "id")`);
    this.addSql(`create unique index "tasks_workflow_id_unique" on "tasks" ("tenant_id", "workflow_id")`);
  }

  override down(): void {
    this.addSql(`drop table "tasks"`);
  }
}
