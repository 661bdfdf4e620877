import { randomBytes } from 'node:crypto';
import { serve } from '@hono/node-server';
import { Registry } from '@prometheus-io/client';
import type { App } from '../../src/api/app.ts';
import { createApp } from '../../src/api/app.ts';
import { createBackgroundWork } from '../../src/api/background-work.ts';
import type { ApiDeps, ApiSettings } from '../../src/api/deps.ts';
import { hashOfApiKey } from '../../src/api/middleware/authenticate.ts';
import { newSessionToken } from '../../src/api/middleware/session-cookie.ts';
import { openEventFeed } from '../../src/db/event-feed.ts';
import type { ApiKeyRole, UserRole } from '../../src/domain/user.ts';
import { USER_ROLES } from '../../src/domain/user.ts';
import { freePort } from '../../src/embedded/home.ts';
import { createChannelOriginCheck } from '../../src/main/channel-origin.ts';
import { createLocator } from '../../src/main/locate.ts';
import { createTokenProbe } from '../../src/main/token-probe.ts';
import { createHttpMetrics } from '../../src/metrics/http.ts';
import { createPasswords } from '../../src/vault/passwords.ts';
import { keyedHash } from '../../src/vault/vault.ts';
import type { TestWorld } from './world.ts';

const ROLES = ['viewer', 'operator', 'admin', 'calendar', 'metrics'] as const satisfies readonly ApiKeyRole[];

/** Tests sign in a hundred times, so hashing is cheap here; another test checks the real cost. */
const CHEAP = { logN: 4, r: 8, p: 1 };

/** A response that was read completely. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON; `null` if it is not JSON. The caller knows its shape. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read the fields that they expect, and fail if they are missing
  body: any;
}

export interface CallOptions {
  /** The role of the API key; default admin; `null` for none. */
  as?: ApiKeyRole | null;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent unchanged. */
  raw?: string;
  headers?: Record<string, string>;
}

export interface TestApi {
  /** Without a trailing slash. */
  url: string;
  app: App;
  deps: ApiDeps;
  /** API keys, one per role. */
  keys: Record<ApiKeyRole, string>;
  /** Session cookies of new users, one per role. */
  cookies: Record<UserRole, string>;
  /** Calls `/api/v1/…`, or any path that begins with `/`: `GET integrations`, `POST /healthz`. */
  call(request: `${string} ${string}`, options?: CallOptions): Promise<Answer>;
  /** All responses so far, with headers, as text, to check what they must not contain. */
  answers: string[];
}

/** Starts the API of this world on its own port, until the world is closed. */
export async function startApi(
  world: TestWorld,
  overrides: Partial<Omit<ApiDeps, 'settings'>> & { settings?: Partial<ApiSettings> } = {},
): Promise<TestApi> {
  const port = await freePort();
  const base = apiDepsOf(world);
  const own = { hosts: [`127.0.0.1:${port}`], publicUrl: `http://127.0.0.1:${port}` };
  const deps: ApiDeps = {
    ...base,
    ...overrides,
    settings: { ...base.settings, ...own, ...overrides.settings },
  };
  world.onClose(() => deps.feed.close());
  world.onClose(() => deps.background.settled());
  const app = createApp(deps);
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port });
  await new Promise((resolve) => server.once('listening', resolve));
  world.onClose(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  );
  const url = `http://127.0.0.1:${port}`;
  const answers: string[] = [];
  const keys = await addKeys(world);
  const cookies = await addSessions(world, deps);
  return { url, app, deps, keys, cookies, answers, call: callerOf({ url, keys, answers }) };
}

export function apiDepsOf(world: TestWorld): ApiDeps {
  const { database, vault, starters, log, dataKeys, policy, simulator } = world;
  const hashWith = (name: 'token' | 'body') => (text: Parameters<typeof keyedHash>[0]['text']) =>
    keyedHash({ dataKey: dataKeys[name], purpose: name, text });
  return {
    database,
    vault,
    starters,
    background: createBackgroundWork(),
    feed: openEventFeed({ url: world.databaseUrl, log }),
    log,
    metrics: createHttpMetrics(new Registry()),
    settings: {
      publicUrl: 'http://127.0.0.1',
      hosts: [],
      defaultBaseUrl: simulator.url,
      expiryThresholds: world.settings.expiryThresholds,
      history: world.settings.history,
      mail: true,
      version: '0.0.0-test',
      trustedProxies: [],
      dashboardFolder: '',
    },
    hashToken: hashWith('token'),
    hashBody: hashWith('body'),
    hashName: hashWith('body'),
    passwords: createPasswords({ cost: CHEAP }),
    signOn: null,
    locate: createLocator({ database, vault, gitlab: world.gitlab }),
    probe: createTokenProbe({ policy, gitlab: world.gitlab, git: world.git }),
    checkOrigin: (baseUrl) => void policy.check(baseUrl),
    checkChannelOrigin: createChannelOriginCheck({ policy }),
    about: async () => ({
      version: '0.0.0-test',
      commit: null,
      temporalUi: null,
      namespace: world.temporal.namespace,
      database: 'PostgreSQL',
      tools: [],
      keys: [{ id: vault.sealingKeyId, state: 'seals', uses: 1 }],
      isolation: [],
    }),
    ready: async () => ({ database: true, temporal: true, migrations: true, workers: true }),
    now: () => new Date(),
  };
}

async function addKeys({ database }: TestWorld): Promise<Record<ApiKeyRole, string>> {
  const entries = ROLES.map((role) => [role, `secu_${randomBytes(32).toString('base64url')}`] as const);
  for (const [role, value] of entries) {
    await database.stores.apiKeys.add({
      name: `the ${role}`,
      role,
      hash: hashOfApiKey(value),
      lastFour: value.slice(-4),
      source: 'api',
      expiresAt: null,
      now: new Date(),
    });
  }
  return Object.fromEntries(entries) as Record<ApiKeyRole, string>;
}

/** Creates sessions without passwords; other tests check the sign-in. */
async function addSessions({ database }: TestWorld, { now }: ApiDeps): Promise<Record<UserRole, string>> {
  const cookies: Partial<Record<UserRole, string>> = {};
  for (const role of USER_ROLES) {
    const person = {
      username: `the-${role}-${randomBytes(4).toString('hex')}`,
      role,
      source: 'local',
      passwordHash: 'none',
    } as const;
    const userId = `${await database.stores.users.add({ ...person, now: now() })}`;
    const { token, hash } = newSessionToken();
    await database.stores.sessions.add({ userId, hash, address: '127.0.0.1', now: now() });
    cookies[role] = `secu=${token}`;
  }
  return cookies as Record<UserRole, string>;
}

function callerOf(parts: Pick<TestApi, 'url' | 'keys' | 'answers'>): TestApi['call'] {
  return async (request, { as = 'admin', json, raw, headers = {} } = {}) => {
    const [method = 'GET', path = ''] = request.split(' ', 2);
    const body = json === undefined ? raw : JSON.stringify(json);
    const response = await fetch(path.startsWith('/') ? parts.url + path : `${parts.url}/api/v1/${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(as === null ? {} : { Authorization: `Bearer ${parts.keys[as]}` }),
        ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    parts.answers.push(`${JSON.stringify([...response.headers])}\n${text}`);
    return { status: response.status, headers: response.headers, text, body: jsonOf(response, text) };
  };
}

function jsonOf(response: Response, text: string): unknown {
  return /json/.test(response.headers.get('Content-Type') ?? '') && text !== '' ? JSON.parse(text) : null;
}
