import { SuperJSON } from 'superjson';
import { parseJson } from '../json.js';
import { applyAnnotations } from './annotations.js';
import { bytesOfText, isBytes, textOfBytes } from './bytes.js';
import { dataOfError, errorOfData, isError } from './error-data.js';
import { ForeignEntryError, NotSerializableError } from './serializer-errors.js';
import { hasAwkwardKey, ValueSurvey } from './value-survey.js';

/** How a text begins, and what stands between the value and the annotations. */
const HEAD = '{"json":';
const TAIL = ',"meta":';
/** How long a text's end may be to be remembered, in characters, and how many are. */
const LONGEST_TAIL = 500;
const TAILS_MAX = 200;

type Class = Parameters<SuperJSON['registerClass']>[0];

/** What a class of one's own cannot extend: the content of these is none of its properties. */
const CLOSED = [Error, Map, Set, Date, RegExp, URL, Array, ArrayBuffer, Promise, Object.getPrototypeOf(Uint8Array)] as {
  readonly prototype: object;
}[];

/** The version of superjson's way to write paths. */
const PATHS = 1;

/** How deep a text may be nested. What {@link ValueSurvey} lets through is less deep, with whatever is written around it. */
const MAX_DEPTH = 500;

/** A longer text is neither written nor read, in characters. */
const MAX_LENGTH = 2 ** 26;

/**
 * Values as texts of superjson's format, which come back as they went in: what JSON has, undefined, Date, Map, Set, bigint, NaN, the
 * infinities, -0, RegExp, URL, Error, arrays of bytes and numbers, Buffer, and instances of registered classes. Two references to one
 * object come back as two equal objects.
 */
export class Serializer {
  readonly #superjson = new SuperJSON();
  readonly #tails = new Map<string, readonly string[] | undefined>();

  constructor() {
    // superjson's own way makes 0 of a NaN in an array, and reads no Buffer.
    this.#superjson.registerCustom(
      { isApplicable: isBytes, serialize: textOfBytes, deserialize: bytesOfText },
      'bytes',
    );
    // superjson's own way drops the trace, and adds a name and a cause where there are none.
    this.#superjson.registerCustom<Error, never>(
      { isApplicable: isError, serialize: (error) => dataOfError(error) as never, deserialize: errorOfData },
      'error',
    );
    // superjson refuses these names, but what people keep as JSON may have them.
    this.#superjson.registerCustom<object, never>(
      {
        isApplicable: (value): value is object => isPlain(value) && hasAwkwardKey(value),
        serialize: (value) => Object.entries(value) as never,
        deserialize: (entries) => Object.fromEntries<unknown>(entries),
      },
      'properties',
    );
  }

  /**
   * Lets instances of a class come back. They do as an object of this class with copies of their own enumerable properties; the
   * constructor is not called, and private fields are lost.
   *
   * @param identifier Stands for the class in texts, and so is the same in every process and version.
   * @throws TypeError where the class or the identifier is registered otherwise, or the class is a built-in one or extends such.
   */
  registerClass(constructor: Class, identifier: string): void {
    const registry = this.#superjson.classRegistry;
    const known = registry.getValue(identifier) ?? constructor;
    if (known !== constructor || (registry.getIdentifier(constructor) ?? identifier) !== identifier) {
      throw new TypeError(
        `${identifier} or the class ${constructor.name} is registered already, and not for each other`,
      );
    }
    if (identifier === '' || isClosed(constructor))
      throw new TypeError(`The class ${constructor.name} cannot be registered`);
    this.#superjson.registerClass(constructor, identifier);
  }

  /** @throws NotSerializableError for what would not come back as it is; it names the path of the property, never the value. */
  serialize(value: unknown): string {
    const survey = new ValueSurvey((constructor) => this.#isRegistered(constructor));
    survey.visit(value);
    const text = survey.isSimple ? simpleText(value, survey.dates) : this.#text(value);
    if (text.length > MAX_LENGTH) throw new NotSerializableError([], `longer than ${String(MAX_LENGTH)} characters`);
    return text;
  }

  #text(value: unknown): string {
    const { json, meta } = this.#superjson.serialize(value);
    return JSON.stringify(meta?.values ? { json, meta: { values: meta.values, v: PATHS } } : { json });
  }

  /**
   * @param text What {@link serialize} gave, here or elsewhere.
   * @throws ForeignEntryError for any other text, or when it holds an instance of a class that is not registered.
   */
  deserialize(text: string): unknown {
    try {
      return this.#read(text);
    } catch {
      // What the parser says shows some of the text.
      throw new ForeignEntryError();
    }
  }

  #read(text: string): unknown {
    if (text.length > MAX_LENGTH) throw new Error('too long');
    const end = text.startsWith(HEAD) ? text.lastIndexOf(TAIL) : -1;
    const dates = end > 0 && text.length - end <= LONGEST_TAIL ? this.#datesIn(text.slice(end)) : undefined;
    return dates ? readDated(text.slice(HEAD.length, end), dates) : this.#readAny(text);
  }

  /**
   * The properties that are Dates by the end of a text, if that says nothing else; whatever stands before it, if it is JSON, is the value
   * then. Rows of one kind end alike.
   */
  #datesIn(tail: string): readonly string[] | undefined {
    if (this.#tails.has(tail)) return this.#tails.get(tail);
    if (this.#tails.size >= TAILS_MAX) this.#tails.clear();
    const dates = datesOf(tail);
    // A part of a text would keep all of it in memory.
    this.#tails.set(Buffer.from(tail).toString(), dates);
    return dates;
  }

  #readAny(text: string): unknown {
    const entry = parseJson(text) as Record<string, unknown>;
    const { json, meta } = entry;
    if (json === undefined || !hasOnly(entry, 'json', 'meta')) throw new Error('no entry');
    requireShallow(json, MAX_DEPTH);
    if (meta === undefined) return json;
    const { values, v } = meta as Record<string, unknown>;
    if (v !== PATHS || !hasOnly(meta as object, 'values', 'v')) throw new Error('of another version');
    return applyAnnotations(json, values, this.#revive);
  }

  readonly #revive = (type: string | readonly string[], json: unknown): unknown => {
    if (type === 'Date') return dateOf(json as string);
    const values = [type] as never;
    return this.#superjson.deserialize({ json: json as never, meta: { values, v: PATHS } }, { inPlace: true });
  };

  #isRegistered(constructor: unknown): boolean {
    return this.#superjson.classRegistry.getIdentifier(constructor as Class) !== undefined;
  }
}

function isClosed({ prototype: own }: { readonly prototype: object }): boolean {
  return own === Object.prototype || CLOSED.some(({ prototype }) => own === prototype || prototype.isPrototypeOf(own));
}

/** What superjson would write. */
function simpleText(value: unknown, dates: readonly string[]): string {
  const json = JSON.stringify(value);
  if (dates.length === 0) return `{"json":${json}}`;
  const values =
    dates[0] === '' && value instanceof Date ? ['Date'] : Object.fromEntries(dates.map((path) => [path, ['Date']]));
  return `{"json":${json},"meta":${JSON.stringify({ values, v: PATHS })}}`;
}

/** Whether an object of JSON's has no other properties. */
function hasOnly(json: object, one: string, other: string): boolean {
  for (const key in json) if (key !== one && key !== other) return false;
  return true;
}

/** @throws Error also for a name that no text of ours has as a property, and that careless readers take for the prototype. */
function requireShallow(json: unknown, depth: number): void {
  if (typeof json !== 'object' || json === null) return;
  if (depth === 0) throw new Error('too deep');
  if (Array.isArray(json)) {
    for (let index = 0; index < json.length; index += 1) requireShallow(json[index], depth - 1);
    return;
  }
  for (const key in json) {
    if (key === '__proto__') throw new Error('a prototype');
    const inner = (json as Record<string, unknown>)[key];
    if (typeof inner === 'object') requireShallow(inner, depth - 1);
  }
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** The names of properties that are Dates, where the annotations of a text's end, `,"meta":{…}}`, are of such alone. */
function datesOf(tail: string): readonly string[] | undefined {
  try {
    const { json, meta } = parseJson(`${HEAD}0${tail}`) as { readonly json: unknown; readonly meta: unknown };
    const { values, v } = meta as { readonly values: object; readonly v: unknown };
    const isOurs = json === 0 && v === PATHS && hasOnly(meta as object, 'values', 'v') && isPlain(values);
    const names = isOurs ? Object.entries(values) : [];
    const areDates = names.every(
      ([name, tree]) => !/[.\\]|^\d+$/.test(name) && Array.isArray(tree) && tree.length === 1 && tree[0] === 'Date',
    );
    return isOurs && areDates ? names.map(([name]) => name) : undefined;
  } catch {
    return undefined;
  }
}

function readDated(text: string, dates: readonly string[]): unknown {
  const json = parseJson(text) as Record<string, unknown>;
  requireShallow(json, MAX_DEPTH);
  if (!isPlain(json)) throw new Error('no properties');
  for (const name of dates) {
    const date = json[name];
    if (typeof date !== 'string' || !Object.hasOwn(json, name)) throw new Error('no such text');
    json[name] = dateOf(date);
  }
  return json;
}

function dateOf(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new Error('no time');
  return date;
}
