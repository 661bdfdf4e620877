import type { Readable } from 'node:stream';

import type { JsonObject } from './data.ts';
import { entryOf } from './data.ts';
import type { World } from './world.ts';

/** An answer before it is sent; faults may still change or drop it. */
export type Reply = {
  status: number;
  headers: Record<string, string>;
  body: Buffer | Readable;
};

export function jsonReply(status: number, value: unknown, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

export function textReply(status: number, text: string, headers: Record<string, string> = {}): Reply {
  return { status, headers: { 'Content-Type': 'text/plain', ...headers }, body: Buffer.from(text) };
}

export function htmlReply(status: number, title: string, headers: Record<string, string> = {}): Reply {
  const page = `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
  return { status, headers: { 'Content-Type': 'text/html', ...headers }, body: Buffer.from(page) };
}

/**
 * Returns an entry of `api_errors.json`.
 * @param options.fill replacements for placeholders such as `<max date>`
 * @throws Error when there is no such entry
 */
export function apiError(
  world: World,
  id: string,
  options: { fill?: Record<string, string>; headers?: Record<string, string> } = {},
): Reply {
  return caseReply({ entry: entryOf(world.data.apiErrors, id), world, ...options });
}

/** Returns an entry of `git_http_cases.json`. @throws Error when there is no such entry */
export function gitError(world: World, id: string, options: { fill?: Record<string, string> } = {}): Reply {
  return caseReply({ entry: entryOf(world.data.gitCases, id), world, ...options });
}

function caseReply(options: {
  entry: { status: number; headers: Readonly<Record<string, string>>; body: string | Readonly<JsonObject> };
  world: World;
  fill?: Record<string, string>;
  headers?: Record<string, string>;
}): Reply {
  const { entry, world } = options;
  const resetAt = new Date(world.clock.now().getTime() + 60_000);
  const fill = {
    'https://gitlab.example.com': world.settings.externalUrl,
    '<seconds>': '60',
    '<unix seconds>': String(Math.floor(resetAt.getTime() / 1000)),
    '<HTTP date>': resetAt.toUTCString(),
    '<id>': '8e1f2a3b4c5d6e7f-FRA',
    ...options.fill,
  };
  const filled = (text: string) =>
    Object.entries(fill).reduce((result, [from, to]) => result.replaceAll(from, to), text);
  const headers = Object.fromEntries(
    Object.entries(entry.headers).map(([name, value]) => [name, filled(value)]),
  );
  const body = typeof entry.body === 'string' ? entry.body : JSON.stringify(entry.body);
  return {
    status: entry.status,
    headers: { ...headers, ...options.headers },
    body: Buffer.from(filled(body)),
  };
}
