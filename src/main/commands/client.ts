import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readClientConfig } from '../../config/config.ts';
import { readProcessEnvironment } from '../../config/environment.ts';
import { SecuError } from '../../domain/errors.ts';
import { cliKeyOf } from '../cli-key.ts';

/** The file in which a running installation writes its URL. */
export function addressFileOf(home: string): string {
  return join(home, 'run', 'url');
}

export interface ApiAnswer {
  status: number;
  body: unknown;
}

/** Calls the API. @throws SecuError `invalid_request` with the code and detail of the problem response */
export interface SecuClient {
  call(method: string, path: string, body?: unknown): Promise<ApiAnswer>;
  /** All items of a list, over all pages, at most `limit`. */
  list(path: string, query: Record<string, string | undefined>, limit: number): Promise<unknown[]>;
}

/**
 * Uses SECU_URL and SECU_API_KEY, or the URL and key in the home folder of an embedded installation. It does not read `.env`
 * of the current folder: in a clone of a foreign repository, that file could name another server or home. The key of the
 * home folder is sent only to the URL in that folder.
 */
export function createClient(): SecuClient {
  const { home, url, apiKey } = readClientConfig(readProcessEnvironment(), {
    isRoot: process.getuid?.() === 0,
  });
  const base = url ?? embeddedUrl(home);
  const isOfHome = url === null || url === embeddedUrl(home);
  const key = apiKey?.value() ?? (isOfHome ? cliKeyOf(home) : null);
  if (base !== null && key === null && !isOfHome)
    throw new SecuError(
      'invalid_settings',
      `set SECU_API_KEY for ${base}; the key in ${home} is for its own server only`,
    );
  if (base === null || key === null) {
    throw new SecuError(
      'invalid_settings',
      `set SECU_URL and SECU_API_KEY, or SECU_HOME to the home of a running Secu (checked ${home})`,
    );
  }
  const call: SecuClient['call'] = async (method, path, body) =>
    sendRequest({ base, key, method, path, body });
  return {
    call,
    async list(path, query, limit) {
      const items: unknown[] = [];
      let cursor: string | null = null;
      do {
        const params = new URLSearchParams({ limit: String(Math.min(200, limit - items.length)) });
        for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, value);
        if (cursor !== null) params.set('cursor', cursor);
        const page = pageOf((await call('GET', `${path}?${params.toString()}`)).body);
        items.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== null && items.length < limit);
      return items;
    },
  };
}

function embeddedUrl(home: string): string | null {
  const file = addressFileOf(home);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
}

async function sendRequest(input: {
  base: string;
  key: string;
  method: string;
  path: string;
  body: unknown;
}): Promise<ApiAnswer> {
  const response = await fetchApi(input);
  const text = await response.text();
  const body: unknown = text === '' ? null : JSON.parse(text);
  if (response.ok) return { status: response.status, body };
  const detail = fieldOf(body, 'detail') ?? response.statusText;
  throw new SecuError(
    'invalid_request',
    `${response.status} ${fieldOf(body, 'code') ?? ''}: ${detail} (request ${fieldOf(body, 'requestId') ?? 'unknown'})`,
  );
}

async function fetchApi({
  base,
  key,
  method,
  path,
  body,
}: Parameters<typeof sendRequest>[0]): Promise<Response> {
  try {
    return await fetch(`${base}/api/v1${path}`, {
      method,
      redirect: 'error',
      headers: {
        Authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (err) {
    throw new SecuError('internal', `Secu does not respond at ${base}; is it running?`, { cause: err });
  }
}

function fieldOf(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const field: unknown = Object.entries(value).find(([key]) => key === name)?.[1];
  return typeof field === 'string' ? field : undefined;
}

function pageOf(body: unknown): { items: unknown[]; nextCursor: string | null } {
  if (typeof body !== 'object' || body === null || !('items' in body) || !Array.isArray(body.items)) {
    throw new SecuError('internal', 'the response is not a list; is SECU_URL the address of Secu?');
  }
  const next = fieldOf(body, 'nextCursor');
  return { items: body.items, nextCursor: next ?? null };
}
