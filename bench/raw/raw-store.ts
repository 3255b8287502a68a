/** A message as the raw side writes it: on the tables of Colloquy, with nothing checked that SQL does not check. */
export interface RawMessage {
  readonly id: string;
  readonly tenantId: string;
  readonly conversationId: string;
  readonly content: string;
  readonly tokenCount: number;
  readonly idempotencyKey: string;
}

/** The hot paths by the driver alone, at its best: prepared statements, as few round trips as it can. */
export interface RawStore {
  append(message: RawMessage): unknown;
  last50(tenantId: string, conversationId: string): unknown;
  byId(tenantId: string, id: string): unknown;
  list(tenantId: string, userId: string): unknown;
  close(): Promise<void>;
}

/** `next`, a placeholder each time it is called, makes one SQL of what the engines write alike. */
export function reads(next: () => string) {
  return {
    last50: `select * from messages where tenant_id = ${next()} and conversation_id = ${next()} order by seq desc limit 50`,
    byId: `select * from messages where tenant_id = ${next()} and id = ${next()}`,
    list: `select * from conversations where tenant_id = ${next()} and user_id = ${next()} order by id desc limit 21`,
  };
}
