import { type ColloquyError, DatabaseUnavailableError, ValidationError } from '../errors.js';
import { ruleBrokenInDatabase } from '../messages/broken-rule.js';

/** The connection was lost while COMMIT was under way: the transaction may have been committed, or not. */
export class CommitInterruptedError extends Error {
  constructor(cause: unknown) {
    super('The connection was lost during COMMIT', { cause });
  }
}

const LOST_CONNECTION = /^E(?:CONN\w+|PIPE|NOTFOUND|AI_AGAIN|TIMEDOUT|HOSTUNREACH|NETUNREACH|PROTO)$/;
/** What OpenSSL and Node say of certificates that are not trusted, and of broken encryption. */
const NOT_TRUSTED =
  /^(?:ERR_(?:TLS|SSL|OSSL)\w*|CERT_\w+|UNABLE_TO_\w+|(?:DEPTH_ZERO_)?SELF_SIGNED_CERT\w*|INVALID_CA|HOSTNAME_MISMATCH)$/;

/** Whether the system, or its encryption, says by this code that there is no connection any more, or none to be had. */
export function isNetworkFailure(code: string): boolean {
  return LOST_CONNECTION.test(code) || NOT_TRUSTED.test(code);
}

/** What a server's errors have in common, whichever driver made them. */
interface DriverError extends Error {
  readonly code?: string;
}

/** How an error of a server becomes one of `errors.ts`; `database` is its description without secrets. */
export type MakeError<E extends DriverError> = (error: E, database: string) => ColloquyError;

/** The server cannot be reached, or does not let us in, or went away. */
export const unavailable: MakeError<DriverError> = (cause, database) =>
  new DatabaseUnavailableError(database, reasonOf(cause), { cause });

/** What the database itself refused to store: a rule of a column, or a named one of the table. */
export function violated(table = 'row', name: string | undefined, rule: string): ValidationError {
  const path = name === undefined ? table : `${table}.${name}`;
  return new ValidationError(table, [ruleBrokenInDatabase(path, rule)]);
}

/** A refused connection to several addresses has no message of its own. */
export function reasonOf(error: DriverError): string {
  const [first = ''] = error.message.split('\n');
  return [first, error.code === undefined || first.includes(error.code) ? '' : `(${error.code})`]
    .filter(Boolean)
    .join(' ');
}
