import 'reflect-metadata';

// What the person at the keyboard has set must not reach the tests.
for (const name of Object.keys(process.env).filter((key) => key.startsWith('DATABASE_'))) delete process.env[name];
