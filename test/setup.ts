import 'reflect-metadata';

// What the person at the keyboard has set must not reach the tests.
delete process.env['DATABASE_URL'];
