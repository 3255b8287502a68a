import 'reflect-metadata';

// What the person at the keyboard has set must not reach the tests.
for (const name of Object.keys(process.env)) {
  if (name.startsWith('DATABASE_') || name === 'REDIS_URL' || name === 'COLLOQUY_CACHE') delete process.env[name];
}
