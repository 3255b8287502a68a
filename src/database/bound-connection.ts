import type { Dictionary, Transaction } from '@mikro-orm/core';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { CompiledQuery } from 'kysely';
import { bindQuery, type BindingStyle } from './bound-statement.js';
import { noteStatement } from './statement-listener.js';

// oxlint-disable-next-line typescript/no-explicit-any -- what TypeScript asks of a class that a function extends
type ConnectionClass = abstract new (...parameters: any[]) => AbstractSqlConnection;

/** MikroORM's connection to a server, with every value bound instead of printed into the SQL. */
export function bindsParameters<Base extends ConnectionClass>(base: Base, style: BindingStyle): Base {
  abstract class BoundConnection extends base {
    override async execute<T>(
      query: Parameters<AbstractSqlConnection['execute']>[0],
      parameters: readonly unknown[] | Dictionary = [],
      method: 'all' | 'get' | 'run' = 'all',
      transaction?: Transaction,
      loggerContext?: Parameters<AbstractSqlConnection['execute']>[4],
    ): Promise<T> {
      await this.ensureConnection();
      const { abort, context } = splitAbort(loggerContext);
      const { text, values } = bindQuery(this.platform, style, this.config, query, parameters);
      noteStatement(this.config, text);
      return this.executeQuery(
        text,
        async () => {
          const compiled = CompiledQuery.raw(text, [...values]);
          const executor = transaction ?? this.getClient();
          return this.transformRawResult<T>(await executor.executeQuery(compiled, abort), method);
        },
        { ...context, query: text },
      );
    }

    override async *stream<T extends object>(
      query: Parameters<AbstractSqlConnection['stream']>[0],
      parameters: readonly unknown[] | Dictionary = [],
      transaction?: Parameters<AbstractSqlConnection['stream']>[2],
      loggerContext?: Parameters<AbstractSqlConnection['stream']>[3],
      chunkSize = 100,
    ): AsyncIterableIterator<T> {
      await this.ensureConnection();
      const { abort, context } = splitAbort(loggerContext);
      const { text, values } = bindQuery(this.platform, style, this.config, query, parameters);
      const compiled = CompiledQuery.raw(text, [...values]) as CompiledQuery<T>;
      this.logQuery(text, { ...context, query: text });
      const executor = (transaction ?? this.getClient()).getExecutor();
      for await (const { rows } of executor.stream(compiled, chunkSize, abort)) {
        yield* this.transformRawResult<T[]>({ rows }, 'all');
      }
    }
  }
  return BoundConnection;
}

interface Abort {
  readonly signal?: AbortSignal;
  readonly inflightQueryAbortStrategy?: 'ignore query' | 'cancel query' | 'kill session';
}

/** MikroORM hands a call's abort signal over in the context of its log line. */
function splitAbort(loggerContext: object | undefined): { readonly abort?: Abort; readonly context: object } {
  const { signal, inflightQueryAbortStrategy, ...context } = (loggerContext ?? {}) as Abort;
  if (!signal) return { context };
  return { abort: { signal, ...(inflightQueryAbortStrategy && { inflightQueryAbortStrategy }) }, context };
}
