import type { RedisCommand } from './redis-link.js';

// Sent as they are: the server keeps what it has compiled, and one that has forgotten it needs no second call.
const REPLACE = `if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'px', ARGV[3])
return 1`;

const REMOVE = `if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('del', KEYS[1])`;

/** Answers 1 if the key had the expected value, and has now the other one for so many milliseconds; else 0. */
export function replaceCommand(key: string, expected: string, value: string, milliseconds: number): RedisCommand {
  return ['eval', REPLACE, 1, key, expected, value, Math.ceil(milliseconds)];
}

/** Answers 1 if the key had the expected value, and is gone; else 0. */
export function removeCommand(key: string, expected: string): RedisCommand {
  return ['eval', REMOVE, 1, key, expected];
}
