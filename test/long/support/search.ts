import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import type { Secu } from '../../../harness/secu.ts';
import { processesOf, readProc } from '../../../harness/secu.ts';
import { homeLayout } from '../../../src/embedded/home.ts';
import { findPostgres } from '../../../src/embedded/postgres.ts';
import { findTemporal } from '../../../src/embedded/temporal-server.ts';

/** The encodings of a text to search for: plain, base64 at each of three offsets, hex, percent-encoded. */
export function formsOf(text: string): string[] {
  const base64 = [0, 1, 2].map((shift) => {
    const whole = Buffer.from(`${'x'.repeat(shift)}${text}`).toString('base64');
    // the first and last characters also carry bits of their neighbours
    return whole.slice(shift === 0 ? 0 : 4, -4);
  });
  return [
    text,
    ...base64,
    Buffer.from(text).toString('hex'),
    encodeURIComponent(text),
    JSON.stringify(text).slice(1, -1),
  ];
}

export function hitsIn(haystack: Buffer | string, needles: readonly string[]): number {
  return needles.filter((needle) => haystack.includes(needle)).length;
}

/** All files below a folder that contain one of the texts. */
export function filesHolding(folder: string, needles: readonly string[]): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => hitsIn(readIfThere(file), needles) > 0);
}

function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0); // a temporary file that was removed meanwhile
  }
}

/** Tables with a row that contains one of the texts, also as bytes. */
export async function tablesHolding(secu: Secu, needles: readonly string[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: findPostgres(homeLayout(secu.home))?.url });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public'`,
    );
    const holding: string[] = [];
    for (const { name } of tables) {
      const { rows } = await client.query(
        `select t::text as row, to_jsonb(t)::text as json from "${name}" t`,
      );
      const text = rows.map((row) => `${row.row}\n${row.json}`).join('\n');
      const bytes = [...text.matchAll(/\\\\?x([0-9a-f]{8,})/g)].map(([, hex]) =>
        Buffer.from(hex ?? '', 'hex').toString('latin1'),
      );
      if (hitsIn(text, needles) + hitsIn(bytes.join('\n'), needles) > 0) holding.push(name);
    }
    return holding;
  } finally {
    await client.end();
  }
}

/** Workflow histories that contain one of the texts, with decoded payloads. */
export async function historiesHolding(
  secu: Secu,
  needles: readonly string[],
): Promise<{ read: number; holding: string[] }> {
  const server = findTemporal(homeLayout(secu.home));
  if (server === null) throw new Error('this home has no Temporal server');
  const connection = await Connection.connect({ address: server.address });
  try {
    const client = new Client({ connection, namespace: server.namespace });
    const holding: string[] = [];
    let read = 0;
    for await (const { workflowId, runId } of client.workflow.list()) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      const text = JSON.stringify(history, (_key, value) =>
        isBytes(value) ? Buffer.from(value).toString('utf8') : value,
      );
      read += 1;
      if (hitsIn(text, needles) > 0) holding.push(workflowId);
    }
    return { read, holding };
  } finally {
    await connection.close();
  }
}

function isBytes(value: unknown): value is Uint8Array {
  return (
    value instanceof Uint8Array ||
    Buffer.isBuffer(value) ||
    Object.prototype.toString.call(value) === '[object Uint8Array]'
  );
}

/** Searches arguments and environments of all Secu processes repeatedly, until stopped. */
export function watchProcesses(secu: Secu, needles: () => readonly string[]) {
  const observed = new Set<string>();
  const hits = new Set<string>();
  const timer = setInterval(() => {
    for (const { pid, commandLine } of processesOf(secu.home)) {
      observed.add(commandLine.split('\0')[0] ?? '');
      if (hitsIn(`${commandLine}\n${readProc(pid, 'environ')}`, needles()) > 0) hits.add(commandLine);
    }
  }, 15);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      return { programs: [...observed], hits: [...hits] };
    },
  };
}
