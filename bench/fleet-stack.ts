import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import type { Secu } from '../harness/secu.ts';
import { homeLayout } from '../src/embedded/home.ts';
import { findTemporal } from '../src/embedded/temporal-server.ts';

const PROCESSES = ['temporal', 'api', 'orchestration-worker', 'scan-worker'] as const;

/** PIDs of the processes of `secu up`, by name. */
export function pidsOf(home: string): Record<string, number> {
  return Object.fromEntries(
    PROCESSES.map((name) => {
      const record = JSON.parse(readFileSync(join(home, 'run', `${name}.json`), 'utf8')) as { pid: number };
      return [name, record.pid];
    }),
  );
}

/** Number of statements that PostgreSQL has run, without those on its own counters. */
export async function statements(databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ calls: string }>(
      'select coalesce(sum(calls), 0) as calls from pg_stat_statements',
    );
    return Number(rows[0]?.calls ?? 0);
  } finally {
    await client.end();
  }
}

/** Number of events in the histories of scans and of all other workflows, and number of scans. */
export async function historyEvents(
  home: string,
): Promise<{ scans: number; ofScans: number; others: number }> {
  const server = findTemporal(homeLayout(home));
  if (server === null) throw new Error('no Temporal server');
  const connection = await Connection.connect({ address: server.address });
  try {
    const client = new Client({ connection, namespace: server.namespace });
    const observed = { scans: 0, ofScans: 0, others: 0 };
    for await (const { type, historyLength } of client.workflow.list()) {
      if (type === 'repositoryScanWorkflow') {
        observed.scans += 1;
        observed.ofScans += historyLength;
      } else observed.others += historyLength;
    }
    return observed;
  } finally {
    await connection.close();
  }
}

/** Waits until every repository of the integration is scanned and no scan is waiting. */
export async function awaitScanned(secu: Secu, id: string, count: number): Promise<void> {
  await lookUntil(LOOK_EVERY_MS.scans, async () => {
    const { body } = await secu.call('GET', `/integrations/${id}`);
    return (
      body.counts.scanned >= count &&
      body.scans.queued + body.scans.running === 0 &&
      body.sync.state === 'idle'
    );
  });
}

/**
 * One poll costs as much as a few scans: poll rarely for a thousand scans, often for a sync that takes a second.
 */
const LOOK_EVERY_MS = { scans: 1_000, sync: 250 };
const GIVE_UP_MS = 1_800_000;

async function lookUntil(everyMs: number, condition: () => Promise<boolean>): Promise<void> {
  for (const untilMs = performance.now() + GIVE_UP_MS; !(await condition()); await wait(everyMs))
    if (performance.now() > untilMs) throw new Error('the fleet does not come to its end');
}

/** Runs one sync and waits for it and for the scans that it causes. @returns ms */
export async function syncOnce(secu: Secu, id: string): Promise<number> {
  const before = (await secu.call('GET', `/integrations/${id}`)).body.sync.lastCompletedAt;
  const startedMs = performance.now();
  await secu.call('POST', `/integrations/${id}/sync`, {});
  await lookUntil(LOOK_EVERY_MS.sync, async () => {
    const { body } = await secu.call('GET', `/integrations/${id}`);
    return body.sync.lastCompletedAt !== before && body.scans.queued + body.scans.running === 0;
  });
  return performance.now() - startedMs;
}
