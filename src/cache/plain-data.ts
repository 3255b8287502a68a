type Properties = Record<string, unknown>;
type Bytes = ArrayBufferView<ArrayBuffer>;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/**
 * Freezes a value and all that it holds, and answers with it. What is inside of a Date, a Map, a Set, an array of bytes, a RegExp, a
 * URL or an Error cannot be frozen, nor what a class keeps in private fields: such a value is protected only as long as nobody but its
 * owner has it, so whoever might change it gets a {@link copyOf} it.
 */
export function freezeDeep<Value>(value: Value): Value {
  if (isObject(value)) freezeObject(value, { frozen: undefined });
  return value;
}

/** The objects that were frozen before, as those of a circle are when one comes round. Most values have none. */
interface Known {
  frozen: Set<object> | undefined;
}

function freezeObject(value: object, known: Known): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Date.prototype) return;
  const isPlain = prototype === Object.prototype;
  if (!isPlain && prototype !== Array.prototype && isClosed(value)) return;
  if (!isPlain && (value instanceof Map || value instanceof Set)) {
    if (!isNew(value, known)) return;
    for (const [key, inner] of value.entries()) {
      if (isObject(key)) freezeObject(key, known);
      if (isObject(inner)) freezeObject(inner, known);
    }
    return;
  }
  if (Object.isFrozen(value) && !isNew(value, known)) return;
  Object.freeze(value);
  if (isPlain) {
    for (const key in value) {
      const inner = (value as Properties)[key];
      if (isObject(inner)) freezeObject(inner, known);
    }
    return;
  }
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    if (isObject(inner)) freezeObject(inner, known);
  }
}

/** Whether its content is none of its properties. */
function isClosed(value: object): boolean {
  return (
    value instanceof Date ||
    value instanceof RegExp ||
    value instanceof URL ||
    value instanceof Error ||
    ArrayBuffer.isView(value)
  );
}

function isNew(value: object, known: Known): boolean {
  known.frozen ??= new Set();
  if (known.frozen.has(value)) return false;
  known.frozen.add(value);
  return true;
}

/**
 * A copy that shares nothing with the value that could be changed, frozen or not. An instance of a class becomes another of it with
 * copies of its own enumerable properties; what it keeps in private fields is lost.
 *
 * @throws TypeError for what is no data, such as a Promise; RangeError for a value that holds itself.
 */
export function copyOf<Value>(value: Value): Value {
  return isObject(value) ? (copyOfObject(value) as Value) : value;
}

function copyOfObject(value: object): object {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return copyOfProperties({ ...value });
  if (prototype === Date.prototype) return new Date((value as Date).getTime());
  if (prototype === Array.prototype) return copyOfItems(value as unknown[]);
  return copyOfOther(value, prototype as object | null);
}

/** Puts copies in place of the objects that a fresh object holds. A spread and this are faster than any loop that builds the object. */
function copyOfProperties<Fresh extends object>(fresh: Fresh): Fresh {
  const properties = fresh as Properties;
  for (const key in properties) {
    const inner = properties[key];
    if (isObject(inner) && Object.hasOwn(properties, key)) properties[key] = copyOfObject(inner);
  }
  return fresh;
}

function copyOfItems(items: readonly unknown[]): unknown[] {
  const copy = items.slice();
  for (let index = 0; index < copy.length; index += 1) {
    const item = copy[index];
    if (isObject(item)) copy[index] = copyOfObject(item);
  }
  return copy;
}

function copyOfOther(value: object, prototype: object | null): object {
  if (prototype === Map.prototype) {
    return new Map([...(value as Map<unknown, unknown>)].map(([key, inner]) => [copyOf(key), copyOf(inner)]));
  }
  if (prototype === Set.prototype) return new Set([...(value as Set<unknown>)].map((item) => copyOf(item)));
  // Every array of bytes has this method, and it copies; a Buffer's own does not.
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Uint8Array.prototype.slice.call(value);
  if (prototype === URL.prototype) return new URL((value as URL).href);
  if (Object.prototype.toString.call(value) === '[object Object]') {
    return copyOfProperties(Object.assign(Object.create(prototype) as object, value));
  }
  if (value instanceof Error) return copyOfError(value);
  if (prototype === RegExp.prototype || prototype === ArrayBuffer.prototype || prototype === DataView.prototype) {
    return structuredClone(value);
  }
  throw new TypeError(`${Object.prototype.toString.call(value)} is no data that can be copied`);
}

/** Of whatever class it is. Its text and its trace are properties that no spread copies. */
function copyOfError(error: Error): Error {
  const copy = new Error(error.message);
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error) as object);
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
    if ('value' in descriptor)
      Object.defineProperty(copy, key, { ...descriptor, value: copyOf<unknown>(descriptor.value) });
  }
  // It has a getter of its own.
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}

/** Bytes of V8's objects on a machine of 64 bits, rounded up to what an average one takes. */
const OBJECT = 48;
const SLOT = 8;
const DATE = 104;
const ENTRY = 40;
const COLLECTION = 200;
const STRING = 24;
const BIGINT = 24;

/** Below this it is not worth a look whether the characters of a text take one byte each or two. */
const SHORT_TEXT = 64;

/**
 * About how many bytes of memory a value takes, what it holds included and what it holds twice counted once; a circle ends. A class's
 * private fields are not seen.
 */
export function sizeOf(value: unknown): number {
  const counted = new Set<object>();
  const waiting = [value];
  let bytes = 0;
  while (waiting.length > 0) bytes += ownSizeOf(waiting.pop(), waiting, counted);
  return bytes;
}

/** @param waiting Takes what the value holds. */
function ownSizeOf(value: unknown, waiting: unknown[], counted: Set<object>): number {
  if (typeof value === 'string') return sizeOfText(value);
  if (typeof value === 'bigint')
    return BIGINT + (BigInt.asIntN(64, value) === value ? 0 : value.toString(16).length / 2);
  if (!isObject(value)) return SLOT;
  if (value instanceof Date) return DATE;
  if (counted.has(value)) return SLOT;
  counted.add(value);
  if (Array.isArray(value)) {
    for (const item of value) waiting.push(item);
    return OBJECT;
  }
  if (ArrayBuffer.isView(value)) return COLLECTION + (value as Bytes).byteLength;
  if (value instanceof Map) {
    for (const [key, inner] of value) waiting.push(key, inner);
    return COLLECTION + ENTRY * value.size;
  }
  if (value instanceof Set) {
    for (const item of value) waiting.push(item);
    return COLLECTION + ENTRY * value.size;
  }
  if (value instanceof Error) waiting.push(value.message, value.stack, value.cause);
  if (value instanceof URL) waiting.push(value.href);
  for (const key in value) waiting.push((value as Properties)[key]);
  return OBJECT;
}

function sizeOfText(text: string): number {
  const { length } = text;
  const isNarrow = length < SHORT_TEXT || Buffer.byteLength(text) === length;
  return STRING + SLOT + (isNarrow ? length : 2 * length);
}
