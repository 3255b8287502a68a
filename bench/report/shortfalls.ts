/** Why a path falls short of its budget where it does, as far as it is known; PROFILE.md has the measurements. */
const REASONS: Readonly<Record<string, string>> = {
  'sqlite/append':
    "SQLite's own part is no larger. A message is made, judged, told of and promised, which takes a few microseconds in a loop of its own and several times as many between two calls that read and write pages: a slow processor, or one with a small cache, shows more of it.",
  'sqlite/last50':
    'The raw side gives numbers and texts; for each row two of them become Dates, and JSON becomes objects.',
  'sqlite/byId':
    'The raw side gives numbers and texts, and no promise. To make Dates and objects of them takes half of what is between; the rest is the promise, and what finds the tenant and whether a unit of work is running.',
  'sqlite/list':
    "The raw side gives numbers and texts; here the conversations' metadata are parsed besides, and each row has three Dates.",
  'sqlite/bulk': 'Each row is judged, and has three columns more than the raw side gives.',
  'sqlite/import':
    'The raw side has the rows in memory. To insert them takes Colloquy no longer; it unpacks, parses, makes and judges them in between, on the same thread.',
  'sqlite-durable-32/append':
    'It depends on the disk: where that confirms a commit as fast as SQLite works, to share it saves as little. 32 appends in one transaction by hand gain little more.',
  'postgresql/append': 'The server does most of it; one run differs from another by 0.1.',
  'postgresql/bulk': 'Each row is judged, and has three columns more than the raw side gives.',
  'postgresql/import':
    'The raw side has the rows in memory. Colloquy unpacks, parses, makes and judges them in between.',
};

/** Undefined where none is known. */
export function reasonOf(name: string): string | undefined {
  return REASONS[name];
}
