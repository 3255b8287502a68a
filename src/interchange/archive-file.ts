import { type FileHandle, open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ArchiveUnreadableError } from '../errors.js';
import type { ReadOptions } from './archive.js';

const CHUNK_BYTES = 256 * 1024;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

type FileOptions = Pick<ReadOptions, 'signal' | 'onProgress'>;

/**
 * Makes sure that the whole file can be read: it is there, is a regular file, is not empty, and, if it is compressed, decompresses
 * to its end. Memory does not grow with the file.
 *
 * @throws ArchiveUnreadableError with what is wrong with the file; the signal's reason when it is aborted.
 */
export async function verifyArchive(path: string, options: Pick<ReadOptions, 'signal'> = {}): Promise<void> {
  for await (const chunk of openArchive(path, options)) void chunk;
}

/**
 * The bytes of an archive, decompressed if it begins like gzip (whatever its name), without a byte order mark. The file is read as
 * fast as the chunks are taken, and is closed when the generator ends or is left.
 *
 * @throws ArchiveUnreadableError if the file cannot be opened or read, is empty, or is damaged or cut off gzip data.
 */
export async function* openArchive(path: string, options: FileOptions = {}): AsyncGenerator<Buffer, void, undefined> {
  let isEmpty = true;
  try {
    await refuseUnlessRegularFile(path);
    const file = await open(path);
    try {
      const bytes = (await isGzip(file)) ? decompress(path, file, options) : readChunks(file, options);
      for await (const chunk of withoutByteOrderMark(bytes)) {
        isEmpty = false;
        yield chunk;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error === options.signal?.reason ? error : translate(path, error);
  }
  if (isEmpty) throw new ArchiveUnreadableError(path, 'it is empty');
}

/** Asked before opening, because opening a pipe waits for its writer. */
async function refuseUnlessRegularFile(path: string): Promise<void> {
  const status = await stat(path);
  if (status.isDirectory()) throw new ArchiveUnreadableError(path, 'it is a directory, not a file');
  if (!status.isFile()) throw new ArchiveUnreadableError(path, 'it is not a regular file');
}

async function isGzip(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
}

async function* readChunks(file: FileHandle, { signal, onProgress }: FileOptions): AsyncGenerator<Buffer> {
  let position = 0;
  for (;;) {
    signal?.throwIfAborted();
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    onProgress?.(position);
    yield buffer.subarray(0, bytesRead);
  }
}

async function* decompress(path: string, file: FileHandle, options: FileOptions): AsyncGenerator<Buffer> {
  const { size } = await file.stat();
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // An error of the source destroys `gunzip`, which is where it is met.
  pipeline(readChunks(file, options), gunzip, () => {});
  const chunks: AsyncIterable<Buffer> = gunzip;
  yield* chunks;
  // zlib takes zeros after a member for the end, whatever follows them.
  if (gunzip.bytesWritten < size) {
    throw new ArchiveUnreadableError(path, `its gzip data ends at byte ${gunzip.bytesWritten} of ${size}`);
  }
}

async function* withoutByteOrderMark(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < BYTE_ORDER_MARK.length) continue;
    yield head.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
      ? head.subarray(BYTE_ORDER_MARK.length)
      : head;
    head = undefined;
  }
  if (head !== undefined && head.length > 0) yield head;
}

function translate(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || error instanceof ArchiveUnreadableError) return error;
  const reason = REASONS.get(code) ?? `it cannot be read (${code})`;
  return new ArchiveUnreadableError(path, reason, { cause: error });
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['ENOTDIR', 'there is no such file'],
  ['EACCES', 'its permissions do not allow reading it'],
  ['EPERM', 'its permissions do not allow reading it'],
  ['Z_BUF_ERROR', 'its gzip data is cut off'],
  ['Z_DATA_ERROR', 'its gzip data is damaged'],
]);
