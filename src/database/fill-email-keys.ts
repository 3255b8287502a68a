import type { Transaction } from '@mikro-orm/core';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { emailKeyOf } from '../entities/email-key.js';

const BATCH = 1_000;

interface UserRow {
  readonly tenant_id: string;
  readonly id: string;
  readonly email: string;
}

/** Makes the keys by which e-mail addresses are compared, of all users who have one. */
export async function fillEmailKeys(connection: AbstractSqlConnection, transaction?: Transaction): Promise<void> {
  const select = `select tenant_id, id, email from users
                   where email is not null and email_key is null order by tenant_id, id limit ${String(BATCH)}`;
  const update = 'update users set email_key = ? where tenant_id = ? and id = ?';
  for (;;) {
    const users = await connection.execute<UserRow[]>(select, [], 'all', transaction);
    for (const { tenant_id, id, email } of users) {
      await connection.execute(update, [emailKeyOf({ email }), tenant_id, id], 'run', transaction);
    }
    if (users.length < BATCH) return;
  }
}
