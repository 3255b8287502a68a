import { MAX_DIGITS } from './value-survey.js';

type Json = Record<string, unknown>;

/** Makes a value of a type of what JSON has in its place. The type is a name, or one of `class` and `custom` with the name of which. */
type Revive = (type: string | readonly string[], json: unknown) => unknown;

const NUMBERS: ReadonlySet<unknown> = new Set(['NaN', 'Infinity', '-Infinity', '-0']);
const BIGINT = new RegExp(`^-?\\d{1,${String(MAX_DIGITS)}}$`);

const isText = (json: unknown): json is string => typeof json === 'string';
const isTextOrMissing = (json: unknown): boolean => json === undefined || isText(json);
const isPair = (json: unknown): boolean => Array.isArray(json) && json.length === 2;

/** What a value of a type looks like in JSON. Whatever is not listed, this cache does not write. */
const SHAPES: Readonly<Record<string, (json: unknown) => boolean>> = {
  Date: isText,
  undefined: (json) => json === null,
  bigint: (json) => isText(json) && BIGINT.test(json),
  number: (json) => NUMBERS.has(json),
  regexp: isText,
  URL: isText,
  set: Array.isArray,
  map: (json) => Array.isArray(json) && json.every(isPair),
  class: isPlain,
  'custom:bytes': isText,
  'custom:error': (json) =>
    isPlain(json) && isText(json['message']) && [json['name'], json['stack']].every(isTextOrMissing),
  'custom:properties': (json) => Array.isArray(json) && json.every((item) => isPair(item) && isText(item[0])),
};

/**
 * Makes the values that a tree of annotations tells of, within a value as JSON has it, and answers with that. A tree is what superjson
 * writes beside a value: `[type]`, `[type, trees of what is within]`, or these alone, each under its path. superjson itself would go
 * anywhere: to the four thousand millionth item of an empty list, or to an array of as many bytes as a number says. This goes only to
 * what is there, where each thing looks as its type is written, and once.
 *
 * @throws Error for whatever superjson does not write.
 */
export function applyAnnotations(json: unknown, tree: unknown, revive: Revive): unknown {
  if (!Array.isArray(tree)) {
    applyWithin(json, tree, revive);
    return json;
  }
  const type: unknown = tree[0];
  const within: unknown = tree[1];
  if (tree.length > 2 || !isType(type)) throw new Error('no type');
  if (within !== undefined) applyWithin(json, within, revive);
  const shape = shapeOf(type);
  if (!shape?.(json)) throw new Error('not as this type is written');
  return revive(type, json);
}

function applyWithin(json: unknown, trees: unknown, revive: Revive): void {
  if (!isPlain(trees)) throw new Error('no annotations');
  for (const path in trees) {
    let parent = json;
    let last = path;
    if (path.includes('.') || path.includes('\\')) {
      const names = namesOf(path);
      last = names.pop() ?? '';
      for (const name of names) parent = childOf(parent, name);
    }
    const child = childOf(parent, last);
    (parent as Json)[last] = applyAnnotations(child, trees[path], revive);
  }
}

function childOf(parent: unknown, name: string): unknown {
  if (Array.isArray(parent) ? !/^\d+$/.test(name) : !isPlain(parent)) throw new Error('no such path');
  if (!Object.hasOwn(parent as object, name)) throw new Error('no such path');
  return (parent as Json)[name];
}

function shapeOf(type: string | readonly string[]): ((json: unknown) => boolean) | undefined {
  if (isText(type)) return SHAPES[type];
  return SHAPES[type[0] === 'custom' ? type.join(':') : 'class'];
}

/** Whether it is an object of JSON's, not one that has been made of it already. */
function isPlain(json: unknown): json is Json {
  return typeof json === 'object' && json !== null && Object.getPrototypeOf(json) === Object.prototype;
}

function isType(type: unknown): type is string | readonly [kind: 'class' | 'custom', name: string] {
  if (isText(type)) return type !== 'class' && Object.hasOwn(SHAPES, type);
  return (
    Array.isArray(type) && type.length === 2 && type.every(isText) && (type[0] === 'class' || type[0] === 'custom')
  );
}

/** The names of a path, `a.b`, where a backslash stands before a dot or a backslash that is part of a name. */
function namesOf(path: string): string[] {
  if (!path.includes('\\')) return path.split('.');
  const names = [''];
  for (const [part] of path.matchAll(/\\[.\\]|[^.\\]+|[.\\]/g)) {
    if (part === '.') names.push('');
    else if (part === '\\') throw new Error('no path');
    else names[names.length - 1] += part.startsWith('\\') ? part.slice(1) : part;
  }
  return names;
}
