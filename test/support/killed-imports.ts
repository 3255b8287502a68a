import { expect } from 'vitest';
import { type Finished, startProgram, typescript } from './command-line.js';
import { openRaw } from './raw-database.js';
import { fileOf, halfConversations, storedConversations } from './table-dump.js';

/** Imports into the tenant `shop` in a process of its own, which kills itself right before its `statement`th statement; never with 0. */
export async function importUntilKilled(url: string, statement: number, files: readonly string[]): Promise<Finished> {
  const script = typescript('test/support/children/import-until-killed.ts');
  return startProgram([...script, url, String(statement), ...files]).finished;
}

/** Asserts that the file is sound and that each of its conversations is whole; returns how many there are. */
export async function expectWhole(url: string, lengths: ReadonlyMap<string, number>): Promise<number> {
  expect(openRaw(`sqlite:${fileOf(url)}`).pragma('integrity_check', { simple: true })).toBe('ok');
  expect(openRaw(`sqlite:${fileOf(url)}`).pragma('foreign_key_check')).toEqual([]);
  expect(await halfConversations(url, lengths)).toEqual([]);
  return (await storedConversations(url)).length;
}
