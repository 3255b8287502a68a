import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from '../support/child.js';
import { createGate } from '../support/gate.js';
import type { Workload } from './workload.js';

/** Where and how a process calls the library. */
export interface CallingOptions {
  readonly databaseUrl: string;
  readonly tenant: string;
  /** Where the recordings go. */
  readonly folder: string;
  readonly workload: Workload;
  readonly onAcknowledged: () => void;
}

/** A process whose callers call the library and record it. One that is killed is replaced by another, which does the rest of the work. */
export class CallingProcess {
  /** One file for each process that was started. */
  readonly recordings: string[] = [];
  /** Resolves when the work is done. */
  readonly done: Promise<void>;
  readonly #options: CallingOptions;
  readonly #ready = createGate();
  readonly #go = createGate();
  #acknowledged = 0;
  #child: Child | undefined;
  #isCalling = false;
  #isKilled = false;

  constructor(options: CallingOptions) {
    this.#options = options;
    this.done = this.#run();
  }

  /** Resolves when the database is open and the callers wait for {@link go}. */
  async ready(): Promise<void> {
    await Promise.race([this.#ready.opened, this.done]);
  }

  /** Lets the callers call. */
  go(): void {
    this.#go.open();
  }

  /** Kills the process by SIGKILL in the midst of its calls; false when it makes none now. */
  kill(): boolean {
    if (!this.#isCalling || this.#isKilled) return false;
    this.#isKilled = this.#child?.process.kill('SIGKILL') ?? false;
    return this.#isKilled;
  }

  async #run(): Promise<void> {
    while (!(await this.#runOne())) [this.#isCalling, this.#isKilled] = [false, false];
    this.#isCalling = false;
  }

  /** Whether the process came to its own end. */
  async #runOne(): Promise<boolean> {
    const { databaseUrl, tenant, folder, workload } = this.#options;
    // Each has names of its own, and other draws.
    const [generation, seed] = [this.recordings.length + 1, workload.seed + this.recordings.length];
    const name = `${workload.name}${String(generation)}`;
    const file = join(folder, `${name}.jsonl`);
    writeFileSync(file, '');
    this.recordings.push(file);
    const rest = { ...workload, name, seed, appends: workload.appends - this.#acknowledged };
    const child = startChild('record-history', [databaseUrl, tenant, file, JSON.stringify(rest)]);
    this.#child = child;
    for await (const line of child.lines) await this.#hear(child, line);
    const { code, signal, errors } = await child.ended;
    if (code === 0 && errors === '') return true;
    if (signal === 'SIGKILL' && errors === '' && this.#isKilled) return false;
    throw new Error(`process ${name} ended with ${String(code ?? signal)}: ${errors}`);
  }

  async #hear(child: Child, line: string): Promise<void> {
    if (line === 'ready') {
      this.#ready.open();
      await this.#go.opened;
      child.process.stdin?.write('go\n');
    } else {
      this.#isCalling = true;
      this.#acknowledged += 1;
      this.#options.onAcknowledged();
    }
  }
}
