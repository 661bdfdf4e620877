import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { cleanRecord } from './clean.ts';
import { describeError } from './describe-error.ts';
import type { Scrubber } from './scrubber.ts';
import { createScrubber } from './scrubber.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type LogFormat = 'pretty' | 'json';
/** Fields of a log line; an error goes into `err`. */
export type LogFields = Record<string, unknown>;

/** The logger of Secu. */
export interface Log {
  child(bindings: LogFields): Log;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** Runs `work` with these fields on every line that any logger of this process writes meanwhile. */
  within<T>(fields: LogFields, work: () => Promise<T>): Promise<T>;
  /** Adds fields to the innermost `within`; does nothing outside of one. */
  addFields(fields: LogFields): void;
}

export interface LogDestination {
  write(text: string): unknown;
}

/**
 * A logger that never shows a secret: each complete line is cleaned just before it is written, so it does not
 * matter in which field, error or message the value was. The default `destination` is standard output.
 */
export function createLogger(options: {
  level: LogLevel;
  format: LogFormat;
  destination?: LogDestination;
  bindings?: LogFields;
  scrubber?: Scrubber;
  color?: boolean;
}): Log {
  const { level, format, bindings = {}, scrubber = createScrubber(), color = false } = options;
  const destination = options.destination ?? pino.destination({ fd: 1, sync: true });
  const scope = new AsyncLocalStorage<LogFields>();
  const render = format === 'pretty' ? prettyRenderer(color) : jsonRenderer;
  const logger = pino(
    {
      level,
      base: bindings,
      // a copy, because pino modifies its argument
      mixin: () => ({ ...scope.getStore() }),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (err: unknown) => describeError(err) },
    },
    { write: (line: string) => void destination.write(cleanLine({ line, render, scrubber })) },
  );
  return wrap(logger, scope);
}

function wrap(logger: Logger, scope: AsyncLocalStorage<LogFields>): Log {
  return {
    child: (bindings) => wrap(logger.child(bindings), scope),
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    within: (fields, work) => scope.run({ ...scope.getStore(), ...fields }, work),
    addFields: (fields) => void Object.assign(scope.getStore() ?? {}, fields),
  };
}

type Render = (record: Record<string, unknown>) => string;

const jsonRenderer: Render = (record) => `${JSON.stringify(record)}\n`;

function prettyRenderer(color: boolean): Render {
  return prettyFactory({
    colorize: color,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
    errorLikeObjectKeys: ['err'],
  });
}

function cleanLine({ line, render, scrubber }: { line: string; render: Render; scrubber: Scrubber }): string {
  return render(cleanRecord(JSON.parse(line) as Record<string, unknown>, scrubber));
}
