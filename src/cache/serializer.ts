import { SuperJSON } from 'superjson';
import { applyAnnotations } from './annotations.js';
import { bytesOfText, isBytes, textOfBytes } from './bytes.js';
import { dataOfError, errorOfData, isError } from './error-data.js';
import { ForeignEntryError, NotSerializableError } from './serializer-errors.js';
import { hasAwkwardKey, ValueSurvey } from './value-survey.js';

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
      // What JSON.parse says shows some of the text.
      throw new ForeignEntryError();
    }
  }

  #read(text: string): unknown {
    if (text.length > MAX_LENGTH) throw new Error('too long');
    const entry = JSON.parse(text) as Record<string, unknown>;
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

function dateOf(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new Error('no time');
  return date;
}
