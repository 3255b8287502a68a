import { Migration } from '@mikro-orm/migrations';

export class CreateTasks extends Migration {
  override up(): void {
    this.addSql(`
      create table "tasks" (
        "tenant_id" uuid not null,
        "id" uuid not null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        "workflow_id" varchar(255) not null,
        "user_id" uuid null,
        "query" text not null,
        "mode" varchar(50) null,
        "result" text null,
        "error_message" text null,
        "provider" varchar(100) null,
        "model" varchar(200) null,
        "prompt_tokens" bigint not null default 0,
        "completion_tokens" bigint not null default 0,
        "cost_usd" numeric(15,6) not null default '0',
        "start_time" timestamptz(3) null,
        "end_time" timestamptz(3) null,
        "duration_ms" bigint null,
        "agents_used" bigint not null default 0,
        "tools_invoked" bigint not null default 0,
        "cache_hits" bigint not null default 0,
        "complexity_score" double precision null,
        "trigger_type" text not null default 'request',
        "schedule" varchar(255) null,
        "metadata" json not null,
        "status" text not null default 'pending',
        "version" bigint not null default 1,
        primary key ("tenant_id", "id"),
        constraint "tasks_workflow_id_unique" unique ("tenant_id", "workflow_id"),
        constraint "tasks_trigger_type_check" check ("trigger_type" in ('request', 'schedule', 'event')),
        constraint "tasks_status_check" check ("status" in ('pending', 'running', 'completed', 'failed', 'cancelled')),
        constraint "tasks_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action,
        constraint "tasks_tenant_id_user_id_foreign" foreign key ("tenant_id", "user_id") references "users" ("tenant_id", "id") on update no action on delete no action
      )
    `);
    this.addSql(`create index "tasks_user_index" on "tasks" ("tenant_id", "user_id", "id")`);
  }

  override down(): void {
    this.addSql(`drop table "tasks"`);
  }
}
