import type { Change } from '../repositories/change-capture.js';

/** Hears of changes when their transaction has ended. */
export interface CommitListener {
  /** They are committed. Where it gives a promise, whoever made them is told when that resolves. */
  publish(changes: readonly Change[]): Promise<unknown> | undefined;
  /** They may be committed, or may yet be. */
  doubt(changes: readonly Change[]): Promise<void>;
  /** Any row may have been changed. */
  publishAll(): Promise<void>;
}
