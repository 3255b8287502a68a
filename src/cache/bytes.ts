const TYPES = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

const BY_NAME = new Map(TYPES.map((type) => [type.name, type]));
const PROTOTYPES: ReadonlySet<unknown> = new Set([Buffer.prototype, ...TYPES.map(({ prototype }) => prototype)]);

/** Whether it is an array of bytes or numbers of one of JavaScript's own types, or a Buffer. */
export function isBytes(value: unknown): value is NodeJS.TypedArray {
  return ArrayBuffer.isView(value) && PROTOTYPES.has(Object.getPrototypeOf(value));
}

/** The name of the type and the bytes in base64. */
export function textOfBytes(bytes: NodeJS.TypedArray): string {
  return `${bytes.constructor.name}:${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`;
}

/** @throws Error when it is no such text, or not so many bytes as a number of the type takes. */
export function bytesOfText(text: string): NodeJS.TypedArray {
  const end = text.indexOf(':');
  const name = text.slice(0, end);
  const bytes = Buffer.from(text.slice(end + 1), 'base64');
  if (name === 'Buffer') return bytes;
  const type = BY_NAME.get(name);
  if (!type) throw new Error('no type of bytes');
  return new type(Uint8Array.from(bytes).buffer);
}
