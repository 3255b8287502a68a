import cliProgress from 'cli-progress';

/** A bar on a terminal, and nothing elsewhere; `update` may be called as often as there is news. */
export interface Progress {
  update(done: number, detail: string): void;
  stop(): void;
}

/**
 * Where a command writes. Results go to standard output: text for people, or one JSON value for programs with `--json`. Progress and
 * remarks go to standard error, so that a pipe gets results alone.
 */
export class Terminal {
  readonly json: boolean;
  readonly #output: NodeJS.WriteStream;
  readonly #errors: NodeJS.WriteStream;
  #progress: cliProgress.SingleBar | undefined;

  constructor(json: boolean, output: NodeJS.WriteStream = process.stdout, errors: NodeJS.WriteStream = process.stderr) {
    this.json = json;
    this.#output = output;
    this.#errors = errors;
  }

  /** A line of the result, for people; not with `--json`. */
  line(text = ''): void {
    if (!this.json) this.#output.write(`${text}\n`);
  }

  /** The result, for programs; only with `--json`. */
  result(value: unknown): void {
    if (this.json) this.#output.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** A piece of the result as it is; resolves when the reader has room for more. */
  async raw(text: string): Promise<void> {
    if (this.#output.write(text)) return;
    await new Promise<void>((resolve) => this.#output.once('drain', resolve));
  }

  /** A remark that is no part of the result. A bar that is shown makes room for it. */
  remark(text: string): void {
    if (this.#progress) this.#errors.write('\r\u001B[K');
    this.#errors.write(`${text}\n`);
  }

  /** Why the command did nothing: a remark, and the result of `--json`. */
  refuse(message: string): void {
    this.remark(message);
    this.result({ error: { code: 'USAGE', message } });
  }

  progress(label: string, total: number): Progress {
    if (!this.#errors.isTTY || this.json) return { update() {}, stop() {} };
    const bar = new cliProgress.SingleBar({
      format: `${label} {bar} {percentage}% | {detail} | {eta_formatted} left`,
      stream: this.#errors,
      hideCursor: true,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      clearOnComplete: true,
      etaBuffer: 50,
    });
    bar.start(total, 0, { detail: '' });
    this.#progress = bar;
    return {
      update: (done, detail) => bar.update(Math.min(done, total), { detail }),
      stop: () => {
        bar.stop();
        this.#progress = undefined;
      },
    };
  }
}

/** `1,234`, or `1 conversation`, `2 conversations` with a noun. */
export function count(number: number, noun?: string): string {
  const text = number.toLocaleString('en-US');
  return noun === undefined ? text : `${text} ${noun}${number === 1 ? '' : 's'}`;
}

/** Bytes in the unit that a person would choose. */
export function bytes(number: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, number)) / 3)));
  return `${(number / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step] ?? 'B'}`;
}

/** Rows of cells, in columns as wide as they need; numbers stand at the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? count(cell) : cell)));
  const widths = cells.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return cells.map((row, r) =>
    row
      .map((cell, c) =>
        typeof rows[r]?.[c] === 'number' ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
