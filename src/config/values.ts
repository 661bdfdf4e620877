import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { HistoryMode } from '../domain/integration.ts';
import { HISTORY_MODES } from '../domain/integration.ts';
import type { QuietHours } from '../domain/quiet-hours.ts';
import type { UserRole } from '../domain/user.ts';
import { USER_ROLES } from '../domain/user.ts';
import { Hidden } from './hidden.ts';

const DURATION_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_BYTES = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/** Parses the text of a setting. `read` throws an Error that describes the problem without the value. */
function value<T>(read: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return read(text.trim());
    } catch (err) {
      context.issues.push({ code: 'custom', message: messageOf(err), input: text });
      return z.NEVER;
    }
  });
}

export const text = value((raw) => raw);
export const hidden = value((raw) => new Hidden(raw));
export const flag = value(readFlag);
export const port = value((raw) => readInteger(raw, { from: 1, to: 65_535, what: 'a port' }));
export const count = value((raw) => readInteger(raw, { from: 1, to: 10_000, what: 'a number' }));
/** Milliseconds. */
export const duration = value(readDuration);
/** Milliseconds, or null for `0` (disabled). */
export const interval = value((raw) => (raw === '0' ? null : readDuration(raw)));
/** Bytes. */
export const size = value(readSize);
/** Requests per second. */
export const rate = value(readRate);
/** An absolute path; `~/` is the home folder of the user that starts Secu. */
export const path = value((raw) => resolve(raw.replace(/^~(?=\/|$)/, homedir())));
export const historyMode = value(readHistoryMode);
export const quietHours = value(readQuietHours);
export const list = value(readList);
export const networks = value((raw) => readList(raw).map(readNetwork));
export const thresholds = value(readThresholds);
/** Base URLs without trailing slash and `/api/v4`. */
export const baseUrls = value((raw) => readList(raw).map(readBaseUrl));
/** Scheme, host and port only. */
export const origin = value((raw) => {
  const url = readUrl(raw, ['http:', 'https:']);
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new Error('has a path, query or fragment');
  return url.origin;
});
export const webAddress = value((raw) => readUrl(raw, ['http:', 'https:']).href.replace(/\/$/, ''));
/** Exactly as the provider writes it, including a trailing slash, because issuers are compared exactly. */
export const issuer = value((raw) => {
  const url = readUrl(raw, ['http:', 'https:']);
  if (url.search !== '' || url.hash !== '') throw new Error('has a query or fragment');
  return raw;
});
export const address = value(readAddress);
export const hiddenUrl = (...protocols: string[]) =>
  value((raw) => {
    readUrl(raw, protocols, { userInfo: true });
    return new Hidden(raw);
  });
/** The content of a file of PEM certificates. */
export const certificateFile = value((raw) => readCertificates(readFileText(raw)));
export const certificates = value(readCertificates);
export const hiddenFileText = value((raw) => new Hidden(readFileText(raw)));
export const roleMap = value(readRoleMap);
export const keyLines = value((raw) => {
  checkKeyLines(raw);
  return new Hidden(raw);
});
/** The API accepts no longer keys in requests. */
const MAX_API_KEY_CHARACTERS = 200;

export const longSecret = value((raw) => {
  if (raw.length < 32) throw new Error('is shorter than 32 characters');
  if (raw.length > MAX_API_KEY_CHARACTERS)
    throw new Error(`is longer than ${MAX_API_KEY_CHARACTERS} characters`);
  return new Hidden(raw);
});

function readFlag(raw: string): boolean {
  if (/^(1|true|yes|on)$/i.test(raw)) return true;
  if (/^(0|false|no|off)$/i.test(raw)) return false;
  throw new Error('is neither 1 nor 0');
}

function readInteger(raw: string, { from, to, what }: { from: number; to: number; what: string }): number {
  const number = /^\d+$/.test(raw) ? Number(raw) : Number.NaN;
  if (!(number >= from && number <= to)) throw new Error(`is not ${what} from ${from} to ${to}`);
  return number;
}

function readDuration(raw: string): number {
  const [, number, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(raw) ?? [];
  if (number === undefined || unit === undefined) throw new Error('is not a duration (ms, s, m, h, d)');
  const ms = Number(number) * DURATION_MS[unit as keyof typeof DURATION_MS];
  if (ms === 0) throw new Error('must be more than 0');
  return ms;
}

function readSize(raw: string): number {
  const [, number, unit] = /^(\d+)(B|KiB|MiB|GiB|TiB)$/.exec(raw) ?? [];
  if (number === undefined || unit === undefined) throw new Error('is not a size (B, KiB, MiB, GiB, TiB)');
  return Number(number) * SIZE_BYTES[unit as keyof typeof SIZE_BYTES];
}

function readRate(raw: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\/(s|m)$/.exec(raw) ?? [];
  const perSecond = Number(number) / (unit === 'm' ? 60 : 1);
  if (!(perSecond > 0)) throw new Error('is not a rate per second or minute');
  return perSecond;
}

function readQuietHours(raw: string): QuietHours {
  const [, fromHour, fromMinute, toHour, toMinute] = /^(\d{2}):(\d{2})-(\d{2}):(\d{2})$/.exec(raw) ?? [];
  const minuteOf = (hour: string | undefined, minute: string | undefined) =>
    Number(hour) * 60 + Number(minute);
  const isTime = (hour: string | undefined, minute: string | undefined) =>
    Number(hour) < 24 && Number(minute) < 60;
  if (!isTime(fromHour, fromMinute) || !isTime(toHour, toMinute))
    throw new Error('is not a period such as 22:00-06:00');
  const quiet = { fromMinute: minuteOf(fromHour, fromMinute), toMinute: minuteOf(toHour, toMinute) };
  if (quiet.fromMinute === quiet.toMinute) throw new Error('begins and ends at the same time');
  return quiet;
}

function readHistoryMode(raw: string): HistoryMode {
  const mode = HISTORY_MODES.find((known) => known === raw);
  if (mode === undefined) throw new Error(`is none of ${HISTORY_MODES.join(', ')}`);
  return mode;
}

function readList(raw: string): string[] {
  return raw
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function readNetwork(raw: string): string {
  if (isIP(raw) !== 0) return `${raw}/${isIP(raw) === 4 ? 32 : 128}`;
  if (!ipaddr.isValidCIDR(raw)) throw new Error(`names "${raw}", which is neither an address nor a CIDR`);
  return raw;
}

function readThresholds(raw: string): number[] {
  const days = readList(raw).map((each) =>
    readInteger(each, { from: 1, to: 365, what: 'a list of days, each' }),
  );
  if (days.length === 0) throw new Error('contains no day');
  if (new Set(days).size !== days.length) throw new Error('contains a day twice');
  return days.sort((a, b) => b - a);
}

function readUrl(raw: string, protocols: readonly string[], { userInfo = false } = {}): URL {
  const url = URL.parse(raw);
  const expected = protocols.map((protocol) => `${protocol}//`).join(' or ');
  if (url === null || !protocols.includes(url.protocol) || url.hostname === '') {
    throw new Error(`is not a URL that begins with ${expected}`);
  }
  if (!userInfo && (url.username !== '' || url.password !== ''))
    throw new Error('contains a user name or password');
  return url;
}

function readBaseUrl(raw: string): string {
  const url = readUrl(raw, ['http:', 'https:']);
  if (url.search !== '' || url.hash !== '') throw new Error(`names ${url.host} with a query or fragment`);
  const folder = url.pathname.replace(/\/+$/, '').replace(/\/api\/v4$/, '');
  return `${url.origin}${folder}`;
}

function readAddress(raw: string): string {
  const url = URL.parse(`tcp://${raw}`);
  if (url === null || url.port === '' || url.pathname !== '' || url.hostname === '') {
    throw new Error('is not host:port');
  }
  return raw;
}

function readFileText(raw: string): string {
  try {
    return readFileSync(raw, 'utf8');
  } catch (err) {
    throw new Error(`is a file that cannot be read (${messageOf(err)})`, { cause: err });
  }
}

function readCertificates(pem: string): string {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('contains no PEM certificate');
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (err) {
      throw new Error('contains a certificate that cannot be read', { cause: err });
    }
  }
  return pem;
}

function readRoleMap(raw: string): Record<string, UserRole> {
  return Object.fromEntries(
    readList(raw).map((each) => {
      const [group = '', name = ''] = each.split(/=(?=[^=]*$)/);
      const role = USER_ROLES.find((known) => known === name);
      if (group === '' || role === undefined) {
        throw new Error('is not a list of name=viewer, name=operator or name=admin');
      }
      return [group, role];
    }),
  );
}

function checkKeyLines(raw: string): void {
  const lines = raw.split(/\r?\n/).map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0) throw new Error('contains no key');
  for (const line of keys) {
    const [, base64 = ''] = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}:([A-Za-z0-9+/]{43}=)$/.exec(line) ?? [];
    const at = lines.indexOf(line) + 1;
    if (Buffer.from(base64, 'base64').length !== 32)
      throw new Error(`line ${at} is not id:base64 of 32 bytes`);
  }
  const ids = keys.map((line) => line.split(':')[0]);
  if (new Set(ids).size !== ids.length) throw new Error('contains an ID twice');
}

function messageOf(err: unknown): string {
  return typeof err === 'object' && err !== null && 'message' in err ? String(err.message) : String(err);
}
