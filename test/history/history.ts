import { readFileSync, writeSync } from 'node:fs';
import type { HistoryRequest } from '../../src/repositories/message.repository.js';

/*
 * caller        one logical client, which makes one call at a time
 * call          an append or a read, from its begin to its end
 * acknowledged  the call resolved
 * failed        the call was rejected with an error that says that nothing was written
 * unknown       whether it was written is not known: an error says so, or the caller died
 *
 * Instants are nanoseconds of CLOCK_MONOTONIC (`process.hrtime.bigint()`), which all processes of a machine share.
 */

export type Outcome = 'acknowledged' | 'failed' | 'unknown';

/** A message as a caller was shown it. */
export interface SeenMessage {
  readonly id: string;
  readonly seq: number;
  readonly content: string;
}

interface CallOf<Kind extends string, Result> {
  readonly kind: Kind;
  readonly caller: string;
  readonly conversation: string;
  readonly begin: bigint;
  /** There is none when the caller died first. */
  readonly end?: bigint;
  readonly outcome: Outcome;
  /** There is one if, and only if, the call was acknowledged. */
  readonly result?: Result;
  /** The code of the error of a call that was not acknowledged. */
  readonly error?: string;
}

export interface Append extends CallOf<'append', SeenMessage> {
  /** Tells the message from every other one: only calls under the same key may append the same content. */
  readonly content: string;
  readonly idempotencyKey?: string;
}

export interface Read extends CallOf<'read', readonly SeenMessage[]> {
  readonly request: HistoryRequest;
}

export type Call = Append | Read;

/** A conversation after the last call has ended. */
export interface FinalConversation {
  readonly messageCount: number;
  /** In the order of their sequence. */
  readonly messages: readonly SeenMessage[];
}

export type FinalState = ReadonlyMap<string, FinalConversation>;

type Begun = Omit<Append, 'begin' | 'outcome'> | Omit<Read, 'begin' | 'outcome'>;
type Ending = Pick<Append, 'outcome' | 'error'> & { readonly result?: SeenMessage | readonly SeenMessage[] };

/** Writes calls to a file, a line at its begin and one at its end, so that a call whose process is killed leaves its begin behind. */
export class HistoryRecorder {
  readonly #file: number;
  #calls = 0;

  /** @param file the descriptor of a file that is open for appending */
  constructor(file: number) {
    this.#file = file;
  }

  /** Records that the call begins now, and returns the way to record its end. */
  begin(begun: Begun): (ending: Ending) => void {
    const call = (this.#calls += 1);
    this.#write({ call, ...begun, begin: String(process.hrtime.bigint()) });
    return (ending) => this.#write({ call, ...ending, end: String(process.hrtime.bigint()) });
  }

  #write(line: object): void {
    // At once: what is buffered would die with the process.
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

type Line = { readonly call: number; readonly begin?: string; readonly end?: string };

/** The calls that a process has recorded; one that has not ended is of unknown outcome. */
export function readRecording(path: string): Call[] {
  const calls = new Map<number, Call>();
  for (const text of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
    const { call, begin, end, ...fields } = JSON.parse(text) as Line;
    const before = calls.get(call) ?? { outcome: 'unknown' };
    const times = { ...(begin && { begin: BigInt(begin) }), ...(end && { end: BigInt(end) }) };
    calls.set(call, { ...before, ...fields, ...times } as Call);
  }
  return [...calls.values()];
}
