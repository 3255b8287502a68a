/** The columns that a new message needs. */
export const INSERTED =
  'tenant_id, id, created_at, updated_at, conversation_id, seq, role, content, modality, token_count, idempotency_key';

/** A placeholder for each of {@link INSERTED}; `next` makes one each time it is called. */
export function messageValues(next: () => string): string {
  return INSERTED.split(', ').map(next).join(', ');
}

/** The reads that the engines write alike; `next` makes a placeholder each time it is called. */
export function reads(next: () => string) {
  return {
    last50: `select * from messages where tenant_id = ${next()} and conversation_id = ${next()} order by seq desc limit 50`,
    byId: `select * from messages where tenant_id = ${next()} and id = ${next()}`,
    list: `select * from conversations where tenant_id = ${next()} and user_id = ${next()} order by id desc limit 21`,
  };
}
