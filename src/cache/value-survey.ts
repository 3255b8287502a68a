import { isBytes } from './bytes.js';
import { isError } from './error-data.js';
import { NotSerializableError } from './serializer-errors.js';

/** How deep a value may be nested; a text that is read may be deeper, since a Map of Maps is written as lists of lists. */
const MAX_DEPTH = 100;

/** More digits than this take too long to read. */
export const MAX_DIGITS = 10_000;

const ERROR_PROPERTIES: ReadonlySet<string> = new Set(['name', 'message', 'stack', 'cause']);

/**
 * Looks through a value before it is written: refuses what would not come back as it is, and finds what JSON alone does not keep. A
 * Date becomes the same text in JSON as it does in superjson, so a value with Dates, JSON's own and nothing else is written by
 * JSON.stringify and a list of where its Dates are.
 */
export class ValueSurvey {
  /** The paths of the Dates, as superjson writes them. */
  readonly dates: string[] = [];
  readonly #isRegistered: (constructor: unknown) => boolean;
  readonly #path: string[] = [];
  readonly #above = new Set<object>();
  #isSimple = true;

  constructor(isRegistered: (constructor: unknown) => boolean) {
    this.#isRegistered = isRegistered;
  }

  /** Whether there was nothing but Dates and what JSON keeps. */
  get isSimple(): boolean {
    return this.#isSimple;
  }

  /** @throws NotSerializableError */
  visit(value: unknown): void {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return;
      case 'number':
        if (!Number.isFinite(value) || Object.is(value, -0)) this.#isSimple = false;
        return;
      case 'undefined':
        this.#isSimple = false;
        return;
      case 'bigint':
        this.#isSimple = false;
        if (value.toString().length > MAX_DIGITS) this.#refuse(`a bigint of more than ${String(MAX_DIGITS)} digits`);
        return;
      case 'object':
        if (value !== null) this.#visitObject(value);
        return;
      case 'function':
      case 'symbol':
        this.#refuse(`a ${typeof value}`);
    }
  }

  #visitObject(value: object): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Date.prototype) this.#visitDate(value as Date);
    else {
      if (this.#above.has(value)) this.#refuse('an object that holds itself');
      if (this.#above.size >= MAX_DEPTH) this.#refuse(`more than ${String(MAX_DEPTH)} levels deep`);
      this.#above.add(value);
      this.#visitContent(value, prototype as object | null);
      this.#above.delete(value);
    }
  }

  #visitDate(date: Date): void {
    if (Number.isNaN(date.getTime())) this.#refuse('a Date that is no time');
    if (Object.keys(date).length > 0) this.#refuse('a Date with properties of its own');
    this.dates.push(writtenPath(this.#path));
  }

  #visitContent(value: object, prototype: object | null): void {
    if (Object.getOwnPropertySymbols(value).length > 0) this.#refuse('an object with symbols among its properties');
    if (prototype === Object.prototype) this.#visitProperties(value);
    else if (prototype === Array.prototype) this.#visitItems(value as unknown[]);
    else {
      this.#isSimple = false;
      this.#visitOther(value, prototype);
    }
  }

  #visitProperties(value: object): void {
    for (const key of Object.keys(value)) {
      if (isAwkward(key)) this.#isSimple = false;
      this.#visitAt(key, (value as Record<string, unknown>)[key]);
    }
  }

  #visitItems(items: readonly unknown[]): void {
    if (Object.keys(items).length !== items.length) this.#refuse('an array with gaps or properties of its own');
    for (let index = 0; index < items.length; index += 1) this.#visitAt(String(index), items[index]);
  }

  #visitAt(name: string, value: unknown): void {
    this.#path.push(name);
    this.visit(value);
    this.#path.pop();
  }

  #visitOther(value: object, prototype: object | null): void {
    if (value instanceof Map && prototype === Map.prototype) {
      let index = 0;
      for (const [key, inner] of value) {
        this.#visitAt(`${String(index)}.key`, key);
        this.#visitAt(`${String(index)}.value`, inner);
        index += 1;
      }
      this.#requireNone(value, 'Map');
    } else if (value instanceof Set && prototype === Set.prototype) {
      this.#visitItems([...value]);
      this.#requireNone(value, 'Set');
    } else if (isError(value)) this.#visitError(value);
    else if (value instanceof RegExp && prototype === RegExp.prototype) {
      if (value.lastIndex !== 0) this.#refuse('a RegExp in the middle of a text');
      this.#requireNone(value, 'RegExp');
    } else if (value instanceof URL && prototype === URL.prototype) this.#requireNone(value, 'URL');
    else if (!isBytes(value)) this.#visitInstance(value, prototype);
  }

  #visitError(error: Error): void {
    const { name, message, stack } = error;
    if (typeof name !== 'string' || typeof message !== 'string' || (stack !== undefined && typeof stack !== 'string')) {
      this.#refuse('an Error without texts');
    }
    if (Object.keys(error).some((key) => !ERROR_PROPERTIES.has(key))) {
      this.#refuse('an Error with properties of its own');
    }
    this.#visitAt('cause', error.cause);
  }

  #visitInstance(value: object, prototype: object | null): void {
    const constructor: unknown = prototype?.constructor;
    if (typeof constructor !== 'function' || constructor.prototype !== prototype) {
      this.#refuse('an object without a class');
    }
    if (!this.#isRegistered(constructor) || value.constructor !== constructor) {
      this.#refuse(`of the class ${(constructor as { readonly name: string }).name}, which is not registered`);
    }
    for (const key of Object.keys(value)) {
      if (isAwkward(key)) this.#refuse(`an instance with a property named ${key}`);
    }
    this.#visitProperties(value);
  }

  #requireNone(value: object, kind: string): void {
    if (Object.keys(value).length > 0) this.#refuse(`a ${kind} with properties of its own`);
  }

  #refuse(kind: string): never {
    throw new NotSerializableError(this.#path, kind);
  }
}

function writtenPath(names: readonly string[]): string {
  return names.map((name) => (/[.\\]/.test(name) ? name.replace(/[.\\]/g, '\\$&') : name)).join('.');
}

/** Whether superjson refuses a property of this name, though data may well have it. */
function isAwkward(key: string): boolean {
  return key === 'constructor' || key === 'prototype' || key === '__proto__';
}

export function hasAwkwardKey(value: object): boolean {
  return Object.hasOwn(value, 'constructor') || Object.hasOwn(value, 'prototype') || Object.hasOwn(value, '__proto__');
}
