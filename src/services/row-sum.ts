import { hash } from 'node:crypto';

/**
 * One digest of many lines, whatever the order in which they are added: the SHA-256 of the sum, modulo 2^256, of the SHA-256 of each
 * line (the multiset hash AdHash of Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing", 1997). Every line carries the
 * key of its row, so the sum of a set of rows is that of the rows in the order of their keys, and nothing need be sorted: no engine's
 * collation matters, and memory does not grow. It finds what accidents do. It does not withstand somebody who may choose very many
 * rows in order to deceive it.
 */
export class RowSum {
  #sum = 0n;

  add(line: string): void {
    this.#sum = BigInt.asUintN(256, this.#sum + BigInt(`0x${hash('sha256', line, 'hex')}`));
  }

  /** In hexadecimal digits. */
  get digest(): string {
    return hash('sha256', Buffer.from(this.#sum.toString(16).padStart(64, '0'), 'hex'), 'hex');
  }
}
