import { RedisUnavailableError } from './redis-unavailable-error.js';

/** What a server answers that cannot do anything now, whatever the command. */
const UNABLE = /^(?:LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|BUSY)$/;
/** What a node of a cluster answers where another one has the key, or none. */
const ELSEWHERE = /^(?:MOVED|CLUSTERDOWN)$/;

/** An error that the server gave, by the first word of its text; undefined for one of the network or of the client. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  return /^[A-Z]+\b/.exec(error.message)?.[0] ?? 'ERR';
}

export function isUnable(code: string): boolean {
  return UNABLE.test(code);
}

export function isElsewhere(code: string): boolean {
  return ELSEWHERE.test(code);
}

/** An error that a call may end with: without the command, and without what the server repeats of it. */
export function withoutValues(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof RedisUnavailableError) return error;
  const [text = ''] = error.message.split(/, with args beginning with/);
  const { code } = error as NodeJS.ErrnoException;
  const plain = new Error(text);
  plain.name = error.name;
  return code === undefined ? plain : Object.assign(plain, { code });
}
