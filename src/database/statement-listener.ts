import type { Configuration } from '@mikro-orm/core';

/** Hears of each statement that is sent through MikroORM, before it is. */
export type StatementListener = (sql: string) => void;

const EXTENSION = 'colloquy/statement-listener';

export function listenToStatements(config: Configuration, listener: StatementListener): void {
  config.registerExtension(EXTENSION, () => listener);
}

/** Tells whoever listens what is about to be sent. */
export function noteStatement(config: Configuration, sql: string): void {
  config.getExtension<StatementListener>(EXTENSION)?.(sql);
}
