import { escapeForeignText } from '../domain/finding.ts';
import type { Scrubber } from './scrubber.ts';
import { MASK } from './scrubber.ts';

const SECRET_NAME =
  /^(authorization|proxy-authorization|(private|job|deploy)-token|(set-)?cookie|password|passwd|secret|token|api[-_]?key)$/i;
const STACK_LINE = /\n(?=\s+at |\s*caused by: )/i;
const DEEPEST = 12;

/** Cleans a parsed log line: removes secrets, makes control and direction characters visible. */
export function cleanRecord(record: Record<string, unknown>, scrubber: Scrubber): Record<string, unknown> {
  return cleanObject(record, { scrubber, depth: 0 });
}

interface Walk {
  scrubber: Scrubber;
  depth: number;
}

function cleanObject(value: object, { scrubber, depth }: Walk): Record<string, unknown> {
  const entries = Object.entries(value).map(([name, held]) => [
    cleanText(name, scrubber),
    SECRET_NAME.test(name) && typeof held === 'string'
      ? MASK
      : cleanValue(held, { scrubber, depth: depth + 1, name }),
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function cleanValue(value: unknown, walk: Walk & { name: string }): unknown {
  const { scrubber, depth, name } = walk;
  if (typeof value === 'string')
    return name === 'stack' ? cleanStack(value, scrubber) : cleanText(value, scrubber);
  if (value === null || typeof value !== 'object') return value;
  if (depth > DEEPEST) return '[deep]';
  if (isBytes(value)) return '[bytes]';
  return Array.isArray(value)
    ? value.map((item) => cleanValue(item, { ...walk, depth: depth + 1 }))
    : cleanObject(value, walk);
}

function cleanText(text: string, scrubber: Scrubber): string {
  return escapeForeignText(scrubber.scrub(text));
}

/** Keeps only the line breaks that Node itself writes into a stack. */
function cleanStack(stack: string, scrubber: Scrubber): string {
  return scrubber.scrub(stack).split(STACK_LINE).map(escapeForeignText).join('\n');
}

/** Bytes as JSON writes them (Buffer, typed array, list of numbers): they could contain a secret. */
function isBytes(value: object): boolean {
  const items = Object.values(value);
  if ('type' in value && value.type === 'Buffer') return true;
  const areSmall = items.every((item) => Number.isInteger(item) && item >= 0 && item < 256);
  return items.length >= 8 && areSmall && Object.keys(value).every((key, index) => key === String(index));
}
