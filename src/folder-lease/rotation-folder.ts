import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { newId } from '../db/new-id.ts';
import { isIdOf } from '../domain/ids.ts';
import type { RotationEntry, RotationJournal } from '../domain/ports.ts';
import { isSystemError } from '../domain/system-error.ts';
import { expiryDate, expiryFrom } from '../domain/token-expiry.ts';
import { createOwnerNote } from './owner-note.ts';

/**
 * A worker on another host whose note is this old counts as gone. If it was only suspended, its later writes are
 * compare-and-swaps that change nothing.
 */
const GONE_AFTER_MS = 5 * 60_000;
const ENTRY_SUFFIX = '.entry';

const Entry = z.object({
  attemptId: z.string(),
  keyId: z.string(),
  record: z.string(),
  newTokenId: z.number().int(),
  expiresAt: z.string().nullish(),
  createdAt: z.string().nullable(),
});

/**
 * Opens a folder of this worker below `parent`, on a volume that outlives the process. The folder is not
 * removed when the worker stops: the next worker on this volume takes it over.
 */
export async function openRotationFolder({
  parent,
  goneAfterMs = GONE_AFTER_MS,
}: {
  parent: string;
  goneAfterMs?: number;
}): Promise<RotationJournal> {
  const workerId = newId('worker');
  const folder = join(parent, workerId);
  const owner = createOwnerNote(folder);
  await owner.renew();
  await syncFolder(parent);
  const fileOf = (attemptId: string) => join(folder, `${attemptId}${ENTRY_SUFFIX}`);

  return {
    workerId,
    async assertWritable() {
      const file = join(folder, 'try');
      await writeDurably({ folder, file, text: 'x'.repeat(2_048) });
      await rm(file, { force: true });
    },
    write: (entry) => writeDurably({ folder, file: fileOf(entry.attemptId), text: textOf(entry) }),
    read: (attemptId) => readEntry(fileOf(attemptId)),
    attemptIds: () => entriesOf(folder),
    async remove(attemptId) {
      await rm(fileOf(attemptId), { force: true });
      await syncFolder(folder);
    },
    async renewLease(onTakenOver) {
      await owner.renew();
      for (const name of await readdir(parent)) {
        const other = join(parent, name);
        if (name === workerId || !isIdOf('worker', name)) continue;
        if (await owner.isGone(other, goneAfterMs)) await takeOver({ other, name, folder, onTakenOver });
      }
    },
  };
}

/** Moves the entries first, then calls `onTakenOver`, and removes the abandoned folder last. */
async function takeOver(input: {
  other: string;
  name: string;
  folder: string;
  onTakenOver: (workerId: string) => Promise<void>;
}): Promise<void> {
  const { other, name, folder, onTakenOver } = input;
  for (const attemptId of await entriesOf(other)) {
    const file = `${attemptId}${ENTRY_SUFFIX}`;
    try {
      await rename(join(other, file), join(folder, file));
    } catch (err) {
      if (!isSystemError(err, 'ENOENT')) throw err; // another one was faster, and holds it
    }
  }
  await syncFolder(folder);
  await onTakenOver(name);
  await rm(other, { recursive: true, force: true });
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder))
      .filter((name) => name.endsWith(ENTRY_SUFFIX))
      .map((name) => name.slice(0, -ENTRY_SUFFIX.length));
  } catch (err) {
    if (isSystemError(err, 'ENOENT')) return [];
    throw err;
  }
}

/** Writes a file atomically and durably: temporary file, fsync, rename, fsync of the folder. @see fsync(2), rename(2) */
async function writeDurably(input: { folder: string; file: string; text: string }): Promise<void> {
  const { folder, file, text } = input;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  await syncFolder(folder);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function textOf({ attemptId, sealed, newTokenId, expiry, createdAt }: RotationEntry): string {
  const { keyId, record } = sealed;
  return JSON.stringify({
    attemptId,
    keyId,
    record: record.toString('base64'),
    newTokenId,
    ...(expiry.kind === 'unknown' ? {} : { expiresAt: expiryDate(expiry) }),
    createdAt,
  });
}

async function readEntry(file: string): Promise<RotationEntry | null> {
  try {
    const { keyId, record, expiresAt, ...entry } = Entry.parse(JSON.parse(await readFile(file, 'utf8')));
    return {
      ...entry,
      expiry: expiryFrom(expiresAt),
      sealed: { keyId, record: Buffer.from(record, 'base64') },
    };
  } catch (err) {
    if (isSystemError(err, 'ENOENT', 'SyntaxError', 'ZodError')) return null;
    throw err;
  }
}
