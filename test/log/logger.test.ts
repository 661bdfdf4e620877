import { beforeEach, describe, expect, test } from '@jest/globals';
import { SecuError } from '../../src/domain/errors.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { Log, LogFormat } from '../../src/log/logger.ts';
import { createLogger } from '../../src/log/logger.ts';
import { createScrubber } from '../../src/log/scrubber.ts';
import { cpuMs } from '../support/cpu.ts';

// built at run time, so that scanners of this repository do not report them
const canary = ['Canary', 'of/the', 'mine+7', '"q\\'].join('~');
const shaped = ['gl', 'pat-', 'AbCdEfGhIjKlMnOpQrSt'].join('');

const FORMATS: LogFormat[] = ['json', 'pretty'];

function encodings(value: string): string[] {
  const bytes = Buffer.from(value);
  return [
    value,
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    encodeURIComponent(value),
    ...['', 'a', 'ab', 'oauth2'].map((user) => Buffer.from(`${user}:${value}:x`).toString('base64')),
  ];
}

/** Neither an encoding of the value nor its beginning may appear, wherever the text is cut. */
function mustNotShow(text: string, value: string): void {
  for (const form of encodings(value)) expect(text).not.toContain(form);
  expect(text).not.toContain(value.slice(0, 12));
}

describe.each(FORMATS)('a %s log', (format) => {
  let lines: string[];
  let log: Log;

  beforeEach(() => {
    lines = [];
    const scrubber = createScrubber();
    scrubber.registerSecret(new Secret(canary));
    log = createLogger({
      level: 'debug',
      format,
      scrubber,
      bindings: { service: 'test' },
      destination: { write: (text) => lines.push(text) },
    });
  });

  const ways: Array<[string, (log: Log, value: string) => void]> = [
    ['the message', (to, value) => to.info({}, `cloned with ${value}`)],
    ['a field', (to, value) => to.info({ anything: value }, 'x')],
    ['a field far down', (to, value) => to.info({ a: { b: [{ c: { d: { e: value } } }] } }, 'x')],
    ['the name of a field', (to, value) => to.info({ [value]: 1 }, 'x')],
    ['an error', (to, value) => to.error({ err: new Error(`refused ${value}`) }, 'x')],
    [
      'the cause of an error',
      (to, value) => to.error({ err: new Error('a', { cause: new Error(value) }) }, 'x'),
    ],
    [
      'a field of an error',
      (to, value) => to.error({ err: Object.assign(new Error('a'), { task: { commands: [value] } }) }, 'x'),
    ],
    [
      'details of our own error',
      (to, value) => to.error({ err: new SecuError('internal', 'a', { details: { value } }) }, 'x'),
    ],
    [
      'an error under another name',
      (to, value) => to.error({ failure: Object.assign(new Error('a'), { request: { value } }) }, 'x'),
    ],
    [
      'bindings of a child',
      (to, value) =>
        to
          .child({ url: value })
          .child({ more: [value] })
          .warn({}, 'x'),
    ],
    ['a url', (to, value) => to.info({ url: `https://oauth2:${encodeURIComponent(value)}@host/a.git` }, 'x')],
    [
      'a header',
      (to, value) =>
        to.info(
          { headers: { Authorization: `Basic ${Buffer.from(`oauth2:${value}`).toString('base64')}` } },
          'x',
        ),
    ],
    [
      'bytes',
      (to, value) =>
        to.info(
          {
            body: Buffer.from(value),
            list: [...Buffer.from(value)],
            typed: new Uint8Array(Buffer.from(value)),
          },
          'x',
        ),
    ],
    [
      'JSON inside a text',
      (to, value) => to.info({ body: JSON.stringify({ token: value, again: JSON.stringify(value) }) }, 'x'),
    ],
  ];

  test.each(ways)('does not show a registered secret in %s', (_name, write) => {
    write(log, canary);
    expect(lines).toHaveLength(1);
    mustNotShow(lines.join(''), canary);
    expect(lines.join('')).not.toContain(JSON.stringify([...Buffer.from(canary)]).slice(1, 20));
  });

  test.each(ways)('does not show an unregistered GitLab token in %s', (_name, write) => {
    write(log, shaped);
    expect(lines.join('')).not.toContain(shaped);
    expect(lines.join('')).not.toContain(Buffer.from(`oauth2:${shaped}`).toString('base64'));
  });

  test.each(encodings(canary))('does not show encoding %# of a secret', (form) => {
    log.info({ form }, `and ${form}`);
    mustNotShow(lines.join(''), canary);
  });

  test.each([
    ['an API key', ['sec', 'u_', 'q'.repeat(40)].join('')],
    ['a calendar key', ['sec', 'u_cal_', 'q'.repeat(40)].join('')],
    ['a webhook secret', ['whs', 'ec_', 'cQ'.repeat(16)].join('')],
    ['a deploy token', ['gl', 'dt-', 'q'.repeat(20)].join('')],
    ['a token with a word of the instance', ['acme-', 'gl', 'pat-', 'q'.repeat(20)].join('')],
    ['a routable token', ['gl', 'pat-', 'q'.repeat(30), '.01.', 'a'.repeat(9)].join('')],
    ['a bearer header', `Bearer ${'q'.repeat(30)}`],
    ['a basic header', `basic ${'cQ=='.repeat(8)}`],
    ['user info', `ssh://someone:${'q'.repeat(9)}@host/x`],
    ['a token in a query', `https://host/x?private_token=${'q'.repeat(9)}&y=1`],
    ['the token of a sign-in address', `https://host/groups/g/-/saml/sso?token=${'q'.repeat(9)}`],
    ['a raw header line', `PRIVATE-TOKEN: ${'q'.repeat(20)}`],
  ])('does not show %s, by its format', (_name, text) => {
    log.warn({ text, nested: { text } }, `remote said ${text}`);
    expect(lines.join('')).not.toMatch(/q{9}|cQ==cQ|(cQ){4}/);
  });

  test('hides values of fields with secret names, whatever they contain', () => {
    log.info({ password: 'hunter', headers: { cookie: 'a=b', Authorization: 'plain' }, apiKey: 'k' }, 'x');
    expect(lines.join('')).not.toMatch(/hunter|a=b|plain|"k"/);
  });

  test('makes control and direction characters visible, in fields, messages and errors', () => {
    const hostile = 'a\u001b[31m\nfake line\u202e\u0085';
    log.info({ path: hostile, [hostile]: 1 }, hostile);
    log.error({ err: new Error(hostile) }, 'x');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to escape
    expect(lines.join('')).not.toMatch(/[\u001b\u202e\u0085]/);
    expect(lines.join('')).not.toMatch(/^fake line/m);
    expect(lines.join('')).toContain('\\u202e');
  });

  test('writes one line per entry, in order, and nothing below its level', () => {
    const quiet = createLogger({ level: 'warn', format, destination: { write: (text) => lines.push(text) } });
    quiet.info({}, 'no');
    quiet.warn({}, 'one');
    quiet.error({}, 'two %s %d');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('one');
    expect(lines[1]).toContain('two %s %d');
    expect(lines.every((line) => line.endsWith('\n'))).toBe(true);
  });
});

test('a json log is one object per line, with level, ISO time, bindings, fields and message', () => {
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    format: 'json',
    bindings: { service: 's' },
    destination: { write: (text) => lines.push(text) },
  });
  const failure = new SecuError('disk_low', 'no room', {
    details: { freeBytes: 3 },
    cause: new Error('inner'),
  });
  log.child({ integrationId: 'int_1' }).error({ err: failure, count: 2 }, 'said');
  const record = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  expect(record).toMatchObject({
    level: 'error',
    service: 's',
    integrationId: 'int_1',
    count: 2,
    msg: 'said',
  });
  expect(record['err']).toMatchObject({
    type: 'SecuError',
    code: 'disk_low',
    message: 'no room',
    details: { freeBytes: 3 },
    cause: { message: 'inner' },
  });
  expect(String(record['time'])).toMatch(/^\d{4}-\d{2}-\d{2}T.*Z$/);
});

test('a log accepts values that cannot be serialised: cycles, big integers, deep nesting', () => {
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    format: 'json',
    destination: { write: (text) => lines.push(text) },
  });
  const circle: Record<string, unknown> = { name: 'c' };
  circle['self'] = circle;
  let deep: unknown = 'end';
  for (let depth = 0; depth < 40; depth += 1) deep = { deep };
  log.info({ circle, big: 10n, deep, nothing: undefined, fn: () => 1 }, 'x');
  log.info({ err: 'only a text' }, 'x');
  log.info({ err: undefined }, 'x');
  expect(lines).toHaveLength(3);
});

test('a scrubber ignores short secrets, which would remove ordinary words', () => {
  const scrubber = createScrubber();
  scrubber.registerSecret('main');
  expect(scrubber.scrub('the main branch')).toBe('the main branch');
});

test('a scrubber leaves ordinary text unchanged', () => {
  const text =
    'GET personal_access_tokens/self at gitlab.com answered 401 (unauthorized); see https://gitlab.com/acme/shop/-/tree/main?ref=x and int_01ARZ3NDEKTSV4RRFFQ69G5FAV';
  expect(createScrubber().scrub(text)).toBe(text);
});

test('a scrubber remembers the last thousand secrets and stays fast with them', async () => {
  const scrubber = createScrubber();
  const secretOf = (index: number): string => `secret-number-${String(index).padStart(5, '0')}`;
  for (let index = 0; index < 1_001; index += 1) scrubber.registerSecret(secretOf(index));
  expect(scrubber.scrub(secretOf(0))).toBe(secretOf(0));
  expect(scrubber.scrub(secretOf(1))).toBe('[secret]');
  expect(scrubber.scrub(secretOf(1_000))).toBe('[secret]');
  const line = 'an ordinary line of a log that holds nothing at all '.repeat(4);
  const scrubAll = () => {
    for (let count = 0; count < 100; count += 1) scrubber.scrub(line);
  };
  expect(await cpuMs(scrubAll)).toBeLessThan(2_000);
});
