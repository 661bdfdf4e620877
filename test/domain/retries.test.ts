import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { decideRequeue } from '../../src/domain/scan-retry.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Row {
  what: string;
  limit: string;
  constant: string;
  file: string;
}

const rows: Row[] = read('docs/reference/retries.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (---|what is retried)/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, what = '', limit = '', , , constant = '', file = '']) => ({
    what,
    limit,
    constant: constant.replaceAll('`', ''),
    file: file.replaceAll('`', ''),
  }));

test.each(rows.map((row) => [row.what, row] as const))('%s ends at the limit in the table', (_what, row) => {
  expect(row.limit).not.toBe('');
  expect(read(row.file)).toContain(row.constant);
});

const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name));

/** Constants whose name says that they limit a retry. */
const LIMIT =
  /^(?:export )?const ((?:MAX_)?[A-Z_]*(?:ATTEMPTS|TRIES|REQUEUE_LIMITS|RETRY_DELAYS_MS)[A-Z_]*) =/gm;
/** They limit something other than a retry, or a part of a row of the table. */
const NO_RETRY = new Set([
  'MAX_TREE_ENTRIES',
  'STEADY_RETRIES',
  'BOUNDED_RETRIES_STATEMENTS',
  'REQUEUE_LIMITS',
]);

test('every constant that limits a retry is in the table', () => {
  const limits = sources.flatMap((file) =>
    [...read(file).matchAll(LIMIT)].map(([, name = '']) => ({ file, name })),
  );
  expect(limits.length).toBeGreaterThan(5);
  const missing = limits.filter(
    ({ file, name }) =>
      !NO_RETRY.has(name) && !rows.some((row) => row.file === file && row.constant.startsWith(`${name} `)),
  );
  expect(missing).toEqual([]);
});

test('every activity that a workflow calls has a limit of attempts or of time', () => {
  const calls = read('src/workflows/proxies.ts')
    .split(/proxy(?:Local)?Activities</)
    .slice(2);
  expect(calls.length).toBeGreaterThan(8);
  for (const call of calls) expect(call).toMatch(/maximumAttempts|scheduleToCloseTimeout/);
});

test.each(['gateway_failed', 'repository_redirected', 'disk_low'] as const)(
  'a scan that waits because of %s is requeued with growing pauses and then fails with that cause',
  (reason) => {
    const pauses: number[] = [];
    for (let requeues = 0; ; requeues += 1) {
      const decision = decideRequeue(reason, requeues);
      if (decision.kind === 'give_up') {
        expect(decision.cause).toBe(reason);
        break;
      }
      expect(decision.counts).toBe(true);
      pauses.push(decision.delayMs);
      expect(requeues).toBeLessThan(1_000);
    }
    expect(pauses.length).toBeGreaterThan(1);
    expect(pauses).toEqual(pauses.toSorted((one, other) => one - other));
  },
);

test('waiting for the integration has no limit, because the event that ends the wait wakes the fleet', () => {
  expect(decideRequeue('integration_not_ready', 1_000)).toEqual({
    kind: 'requeue',
    cause: null,
    delayMs: 0,
    counts: false,
  });
});
