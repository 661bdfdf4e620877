import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defaultPayloadConverter } from '@temporalio/common';
import proto from '@temporalio/proto';

export type History = proto.temporal.api.history.v1.IHistory;

const { EventType } = proto.temporal.api.enums.v1;

/** The kinds of events of a history, in order, with the names of Temporal's tools. */
export function eventNamesOf(history: History): string[] {
  return (history.events ?? []).map(({ eventType }) =>
    (EventType[eventType ?? 0] ?? 'UNKNOWN').replace(/^EVENT_TYPE_/, ''),
  );
}

/**
 * Tasks and executions that failed or timed out. A task that a signal interrupted (`UnhandledCommand`) does not
 * count: the server repeats it so that the signal is handled.
 */
export function breakagesIn(history: History): string[] {
  return (history.events ?? []).flatMap((event) => {
    const failure = event.workflowTaskFailedEventAttributes?.failure?.message ?? null;
    if (failure !== null) return failure === 'UnhandledCommand' ? [] : [`WORKFLOW_TASK_FAILED: ${failure}`];
    return eventNamesOf({ events: [event] }).filter((name) =>
      /^WORKFLOW_(TASK_TIMED_OUT|EXECUTION_(FAILED|TIMED_OUT))$/.test(name),
    );
  });
}

/** Allowed texts of a history: IDs, dates, codes, and our few fixed sentences with an ID. */
const ID = '[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}';
const ALLOWED = [
  ID,
  String.raw`\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{3})?Z)?`,
  '[a-z]{2,20}(_[a-z]{2,20}){0,4}',
  '([0-9a-f]{8}-)?reconcile', // the Schedule that started a sweep; test suites add a prefix
  `Scan ${ID}`,
  `(Lists what ${ID} can read|(?:Looks after|Manages) ${ID}|Scans of ${ID})`,
].map((shape) => new RegExp(`^${shape}$`));

const ALLOWED_MESSAGES =
  /^(failed with [a-z_]+; the worker's log has the details|Activity task (failed|cancelled|timedout)|Workflow execution (failed|cancelled)|Child Workflow execution (failed|cancelled|terminated|already exists)|another attempt or a cancel came in between|UnhandledCommand|CANCELLED|TIMED_OUT|WORKER_SHUTDOWN|activity (StartToClose|ScheduleToClose|Heartbeat) timeout|)$/;

/**
 * Every text in the payloads and failures of a history that is not an ID, date or code; empty if all is well.
 * Payloads are found at any place, also in fields of later server versions.
 */
export function foreignTextIn(history: History): string[] {
  const foreign: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
    if (isPayload(value)) {
      foreign.push(
        ...stringsIn(defaultPayloadConverter.fromPayload(value)).filter((text) => !isAllowed(text)),
      );
      return;
    }
    if (isFailure(value)) {
      if ((value.stackTrace ?? '') !== '') foreign.push(`stack: ${value.stackTrace}`);
      if (!ALLOWED_MESSAGES.test(value.message ?? '')) foreign.push(`message: ${value.message}`);
    }
    Object.values(value).forEach(walk);
  };
  walk(history);
  return foreign;
}

const isAllowed = (text: string) => ALLOWED.some((shape) => shape.test(text));

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Date) return [value.toISOString()];
  if (Array.isArray(value)) return value.flatMap(stringsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(/^[a-zA-Z]{1,30}$/.test(key) ? [] : [key]),
    ...stringsIn(inner),
  ]);
}

function isPayload(value: object): value is proto.temporal.api.common.v1.IPayload {
  return 'metadata' in value && 'data' in value && value.data instanceof Uint8Array;
}

function isFailure(value: object): value is proto.temporal.api.failure.v1.IFailure {
  return 'stackTrace' in value || ('message' in value && 'source' in value);
}

export const HISTORIES = fileURLToPath(new URL('../histories', import.meta.url));

export function historyNames(): string[] {
  return readdirSync(HISTORIES)
    .filter((name) => name.endsWith('.json'))
    .toSorted();
}

/** With `SECU_RECORD_HISTORIES=1`, the live story replaces the recorded histories. */
export function isRecording(): boolean {
  return process.env['SECU_RECORD_HISTORIES'] === '1';
}
