import type { Socket } from 'node:net';

/**
 * The answers that a server owes over one connection. When it is silent for too long while it owes one, the connection is destroyed,
 * and whatever waits for an answer fails: the server's own limit for statements does not help where its answer does not arrive.
 */
export class OwedAnswers {
  #owed = 0;
  /** Set while the server may take its time. */
  isPatient = false;

  /** @param limit The longest silence in milliseconds; undefined to wait for ever. */
  constructor(stream: Socket, limit: number | undefined) {
    if (limit === undefined) return;
    stream.setTimeout(limit, () => {
      if (this.#owed === 0 || this.isPatient) return;
      const message = `Connection terminated: the server was silent for ${String(limit)} ms`;
      stream.destroy(Object.assign(new Error(message), { code: 'ETIMEDOUT' }));
    });
  }

  async wait<T>(answer: Promise<T>): Promise<T> {
    this.begin();
    try {
      return await answer;
    } finally {
      this.end();
    }
  }

  /** An answer is owed from now on, until {@link end}. */
  begin(): void {
    this.#owed += 1;
  }

  end(): void {
    this.#owed -= 1;
  }
}
