import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';

/** An object that git's own commands refuse to write. */
export type RawObject = { type: 'blob' | 'tree'; content: Buffer };

function encode(object: RawObject): Buffer {
  return Buffer.concat([Buffer.from(`${object.type} ${object.content.length}\0`), object.content]);
}

/** Its id in a SHA-1 repository. */
export function objectId(object: RawObject): string {
  return createHash('sha1').update(encode(object)).digest('hex');
}

/** A tree with exactly these names, valid or not, in this order. */
export function rawTree(
  entries: Array<{ name: string; mode: '40000' | '100644' | '120000'; object: RawObject }>,
): RawObject {
  const parts = entries.flatMap(({ name, mode, object }) => [
    Buffer.from(`${mode} ${name}\0`),
    Buffer.from(objectId(object), 'hex'),
  ]);
  return { type: 'tree', content: Buffer.concat(parts) };
}

/** Writes the object as a loose object of a bare repository. */
export async function writeRawObject(folder: string, object: RawObject): Promise<void> {
  const id = objectId(object);
  const directory = join(folder, 'objects', id.slice(0, 2));
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, id.slice(2)), deflateSync(encode(object)));
}
