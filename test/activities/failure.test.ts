import { expect, test } from '@jest/globals';
import { Registry } from '@prometheus-io/client';
import {
  ApplicationFailure,
  CancelledFailure,
  defaultFailureConverter,
  defaultPayloadConverter,
} from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { SECU_ERROR_CODES, SecuError } from '../../src/domain/errors.ts';
import type { Log } from '../../src/log/logger.ts';
import { createLogger } from '../../src/log/logger.ts';
import { createActivityMetrics } from '../../src/metrics/activities.ts';
import { createFailureInterceptor, failureOf } from '../../src/temporal/activity-failure.ts';

const FOREIGN = 'acme/secret-plans';

function databaseError(code: string): Error {
  return Object.assign(new Error(FOREIGN), { code });
}

/** The failure as a workflow history stores it. */
function encoded(err: unknown): string {
  return JSON.stringify(defaultFailureConverter.errorToFailure(err, defaultPayloadConverter));
}

test.each(SECU_ERROR_CODES)('%s is stored as its code and a fixed text, without cause or stack', (code) => {
  const cause = new Error(`clone of ${FOREIGN} failed at /home/someone`);
  const failure = failureOf(new SecuError(code, `about ${FOREIGN}`, { cause, details: { path: FOREIGN } }));
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure.type).toBe(code);
  expect(failure.message).toBe(`failed with ${code}; the worker's log has the details`);
  const text = encoded(failure);
  expect(text).not.toContain(FOREIGN);
  expect(text).not.toMatch(/"stackTrace":"[^"]/);
  expect(text).not.toContain('"cause"');
});

test.each([
  ['token_revoked', true],
  ['repository_gone', true],
  ['secret_unreadable', true],
  ['gitlab_unreachable', false],
  ['clone_failed', false],
  ['database_unavailable', false],
  ['internal', false],
] as const)('%s is final: %s', (code, isFinal) => {
  expect(failureOf(new SecuError(code, 'x')).nonRetryable).toBe(isFinal);
});

test('a rate limit sets the delay of the next retry', () => {
  const err = new SecuError('gitlab_rate_limited', 'slow down', { details: { retryAfterMs: 42_000 } });
  expect(failureOf(err).nextRetryDelay).toBe(42_000);
});

test.each(['ECONNREFUSED', '57P01', '08006'])('an unavailable database (%s) has its own code', (code) => {
  expect(failureOf(databaseError(code)).type).toBe('database_unavailable');
});

test('an unknown error is internal and is retried', () => {
  expect(failureOf(new TypeError(FOREIGN))).toMatchObject({ type: 'internal', nonRetryable: false });
  expect(failureOf(FOREIGN)).toMatchObject({ type: 'internal' });
});

interface Intercepted {
  run: Promise<unknown>;
  logged: string[];
  counted: () => Promise<string>;
}

function intercepted(activity: (log: Log) => Promise<unknown>): Intercepted {
  const logged: string[] = [];
  const log = createLogger({
    level: 'info',
    format: 'json',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const registry = new Registry();
  const metrics = createActivityMetrics(registry);
  const environment = new MockActivityEnvironment(
    { activityType: 'tested', attempt: 2 },
    {
      logger: new DefaultLogger('ERROR'),
      interceptors: [(context) => ({ inbound: createFailureInterceptor({ log, metrics, context }) })],
    },
  );
  return { run: environment.run(() => activity(log)), logged, counted: () => registry.metrics() };
}

test('each outcome is logged once, with its details, and counted once', async () => {
  const good = intercepted(async () => 'fine');
  expect(await good.run).toBe('fine');
  expect(good.logged.map((line): unknown => JSON.parse(line))).toEqual([
    expect.objectContaining({
      activity: 'tested',
      workflowId: expect.any(String),
      attempt: 2,
      outcome: 'done',
      durationMs: expect.any(Number),
      msg: 'activity done',
    }),
  ]);
  expect(await good.counted()).toContain('secu_activities_total{activity="tested",outcome="done"} 1');

  const bad = intercepted(async () => {
    throw new SecuError('clone_failed', `about ${FOREIGN}`);
  });
  await expect(bad.run).rejects.toThrow('failed with clone_failed');
  expect(bad.logged).toHaveLength(1);
  expect(bad.logged[0]).toContain(FOREIGN);
  expect(JSON.parse(bad.logged[0] ?? '')).toMatchObject({ activity: 'tested', outcome: 'clone_failed' });
  const counted = await bad.counted();
  expect(counted).toContain('secu_activities_total{activity="tested",outcome="clone_failed"} 1');
  expect(counted).not.toContain(FOREIGN);
});

test('fields that an activity adds to its log are on all of its lines and its outcome line, and on no other', async () => {
  const { run, logged } = intercepted(async (log) => {
    log.addFields({ requestId: 'trace-7' });
    log.child({ part: 'git' }).warn({}, 'something');
  });
  await run;
  expect(logged.map((line): unknown => JSON.parse(line))).toEqual([
    expect.objectContaining({ msg: 'something', part: 'git', activity: 'tested', requestId: 'trace-7' }),
    expect.objectContaining({ msg: 'activity done', requestId: 'trace-7' }),
  ]);
  const other = intercepted(async () => null);
  await other.run;
  expect(other.logged.join()).not.toContain('trace-7');
});

test('a cancellation is passed on unchanged', async () => {
  const canceled = intercepted(async () => {
    throw new CancelledFailure('CANCELLED');
  });
  await expect(canceled.run).rejects.toThrow(CancelledFailure);
  expect(JSON.parse(canceled.logged[0] ?? '')).toMatchObject({ outcome: 'canceled' });
});
