import type { Expiring, RedisCommand } from './redis-link.js';

// Sent as they are: the server keeps what it has compiled, and one that has forgotten it needs no second call.
const REPLACE = `if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
local left = ARGV[3] - (ARGV[4] - redis.call('pttl', KEYS[1]))
if left <= 0 then redis.call('del', KEYS[1]) return 0 end
redis.call('set', KEYS[1], ARGV[2], 'px', math.floor(left))
return 1`;

const REMOVE = `if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('del', KEYS[1])`;

/** Answers 1 if the key had the expected value, and has the other one for what is left of its time; else 0. */
export function replaceCommand(key: string, expected: Expiring, value: Expiring): RedisCommand {
  return ['eval', REPLACE, 1, key, expected.text, value.text, value.milliseconds, expected.milliseconds];
}

/** Answers 1 if the key had the expected value, and is gone; else 0. */
export function removeCommand(key: string, expected: string): RedisCommand {
  return ['eval', REMOVE, 1, key, expected];
}
