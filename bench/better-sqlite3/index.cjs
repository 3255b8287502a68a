// The copy of the root: two libraries of SQLite in one process have no locks against each other, and all sides open one file.
module.exports = require('../../node_modules/better-sqlite3');
