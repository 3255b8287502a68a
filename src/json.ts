const QUOTE = '"';
const BACKSLASH = '\\';
const BACKSLASH_CODE = BACKSLASH.charCodeAt(0);

/**
 * Parses JSON. `JSON.parse` itself may give a property another name (V8 12.8 to at least 14.6, so Node.js 24 and 26): where an escaped name is
 * read, and the beginning of its text is a name with a backslash that came at the same place of any text before, the object gets that name.
 * After `{"a":1,"\\":2}`, `{"a":1,"\n":2}` is read as `{"a":1,"\\":2}`, whoever gave the two; see
 * https://github.com/nodejs/node/issues/63785. Texts with escaped names are rare, and are read without them.
 *
 * @throws SyntaxError, which shows some of the text.
 */
export const parseJson: (text: string) => unknown = keepsNames()
  ? (text) => JSON.parse(text) as unknown
  : parseKeepingNames;

/** What MikroORM makes of a value of a JSON column: it may have been parsed before, and be a text. */
export function parseJsonColumn(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return parseJson(value);
  } catch {
    return value;
  }
}

function keepsNames(): boolean {
  const first = JSON.parse(String.raw`{"colloquy":0,"\\":0}`) as object;
  const second = JSON.parse(String.raw`{"colloquy":0,"\n":0}`) as object;
  // The first one is looked at last: what nobody holds may be forgotten, and the name with it.
  return Object.hasOwn(second, '\n') && Object.hasOwn(first, BACKSLASH);
}

function parseKeepingNames(text: string): unknown {
  const value = JSON.parse(text) as unknown;
  return hasEscapedName(text) ? withNames(text) : value;
}

/** @param text Is JSON, as all texts below: a backslash is in a string, and a string has an end. */
function hasEscapedName(text: string): boolean {
  for (let at = text.indexOf(BACKSLASH); at >= 0; at = text.indexOf(BACKSLASH, at)) {
    at = endOf(text, at);
    if (isName(text, at)) return true;
  }
  return false;
}

/** Where the string ends that is open at a place which is no escaped character: behind the quote that is none. */
function endOf(text: string, from: number): number {
  for (let quote = text.indexOf(QUOTE, from); ; quote = text.indexOf(QUOTE, quote + 1)) {
    let start = quote;
    while (start > from && text.charCodeAt(start - 1) === BACKSLASH_CODE) start -= 1;
    // Each two backslashes are one that is written so.
    if ((quote - start) % 2 === 0) return quote + 1;
  }
}

/** Whether the string that ends before a place is the name of a property. */
function isName(text: string, end: number): boolean {
  let at = end;
  while (/\s/.test(text[at] ?? '')) at += 1;
  return text[at] === ':';
}

/** Each name becomes a number, with a letter before it so that properties keep their order, and gets its name when all is read. */
function withNames(text: string): unknown {
  const numbers = new Map<string, number>();
  const parts: string[] = [];
  let read = 0;
  for (let start = text.indexOf(QUOTE); start >= 0; start = text.indexOf(QUOTE, read)) {
    const end = endOf(text, start + 1);
    const string = text.slice(start, end);
    let written = string;
    if (isName(text, end)) {
      // A string that is no name comes back as it was.
      const name = JSON.parse(string) as string;
      const number = numbers.get(name) ?? numbers.size;
      numbers.set(name, number);
      written = `"n${String(number)}"`;
    }
    parts.push(text.slice(read, start), written);
    read = end;
  }
  const root = [JSON.parse(parts.join('') + text.slice(read)) as unknown];
  rename(root, [...numbers.keys()]);
  return root[0];
}

/** Gives the properties within their names. Not by calling itself: texts may be nested more deeply than calls. */
function rename(root: unknown[], names: readonly string[]): void {
  const holders: Record<string, unknown>[] = [root as never];
  for (let holder = holders.pop(); holder; holder = holders.pop()) {
    for (const key of Object.keys(holder)) {
      const inner = holder[key];
      if (typeof inner !== 'object' || inner === null) continue;
      const named = Array.isArray(inner)
        ? inner
        : Object.fromEntries(
            Object.entries(inner).map(([number, value]) => [names[Number(number.slice(1))] ?? '', value]),
          );
      // An own property stays one, though its name be `__proto__`.
      holder[key] = named;
      holders.push(named as Record<string, unknown>);
    }
  }
}
