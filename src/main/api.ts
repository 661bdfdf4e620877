import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from '@hono/node-server';
import { collectDefaultMetrics, Registry } from '@prometheus-io/client';
import { createApp } from '../api/app.ts';
import { makeSetupLink } from '../api/auth/setup-link.ts';
import type { ApiDeps, ApiEnv, ReadyChecks } from '../api/deps.ts';
import { hashOfApiKey } from '../api/middleware/authenticate.ts';
import { createWaitingApp } from '../api/waiting-app.ts';
import type { Config } from '../config/config.ts';
import { isDatabaseAway } from '../db/database.ts';
import { openEventFeed } from '../db/event-feed.ts';
import { isSecuError, SecuError } from '../domain/errors.ts';
import type { GitlabClient } from '../gitlab/client.ts';
import { createGitlabClient } from '../gitlab/client.ts';
import { createPacer } from '../gitlab/pacer.ts';
import type { Log } from '../log/logger.ts';
import { createLogger } from '../log/logger.ts';
import type { HttpMetrics } from '../metrics/http.ts';
import { createHttpMetrics } from '../metrics/http.ts';
import { createPasswords } from '../vault/passwords.ts';
import { keyedHash } from '../vault/vault.ts';
import { aboutOf, readyOf } from './api-facts.ts';
import { createChannelOriginCheck } from './channel-origin.ts';
import { cliKeyOf } from './cli-key.ts';
import { openDataKey } from './keys.ts';
import { createLocator } from './locate.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { createGit } from './scan-tools.ts';
import { openSignOn } from './sign-on.ts';
import { createTokenProbe } from './token-probe.ts';
import { secuVersion } from './version.ts';
import type { World } from './world.ts';
import { channelPolicyOf, openWorld } from './world.ts';

const POOL_MAX = 20;

/**
 * Runs the API until it is told to stop. While the database or its migrations are missing it is alive and not ready;
 * once they are there it is.
 */
export async function runApi(config: Config): Promise<void> {
  const log = createLogger({ ...config.log, bindings: { role: 'api' } });
  const metrics = processMetrics();
  const stopping = new AbortController();
  let reason = reasonOf(new SecuError('database_unavailable', 'the database was not asked yet'));
  let answer: (request: Request, bindings?: ApiEnv['Bindings']) => Response | Promise<Response> =
    createWaitingApp({
      log,
      metrics,
      https: isHttps(config),
      reason: () => reason,
    }).fetch;
  const server = serve({
    fetch: (request, bindings) => answer(request, bindings),
    hostname: config.http.host,
    port: config.http.port,
  });
  const opening = openWhenPossible({
    config,
    log,
    signal: stopping.signal,
    onFailure: (err) => (reason = reasonOf(err)),
  });
  const opened = opening.then(async (world) => {
    if (world === null) return null;
    const deps = await apiDepsOf(world, metrics);
    await keepManagedKeys(world);
    // before anybody is answered: whoever waits for us may ask for a link of their own, which has to be the later one
    await offerSetup(world);
    answer = createApp(deps).fetch;
    log.info({ url: config.http.publicUrl }, 'API listens');
    await warnWhenNobodyIsTold(deps);
    return { world, deps };
  });
  const stopped = runUntilStopped(async () => {
    stopping.abort();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      if ('closeAllConnections' in server) server.closeAllConnections();
    });
    const running = await opened;
    await running?.deps.signOn?.close();
    await running?.deps.feed.close();
    await running?.world.close();
  });
  await Promise.race([stopped, opened.then(() => stopped)]);
}

/** Every start says so, until there is a channel. */
async function warnWhenNobodyIsTold({ database, settings, log }: ApiDeps): Promise<void> {
  const { allIntegrations, integrations } = await database.stores.channels.expiryAlertGaps(settings);
  if (!allIntegrations && integrations.length === 0) return;
  log.warn(
    { integrations: allIntegrations ? 'all' : integrations.map(({ id }) => id) },
    'nobody is told when a token nears its end: make a channel (docs/how-to/be-told.md)',
  );
}

const LOOK_AGAIN_MS = 1_000;

/** The world, once the database is there and fits; `null` when told to stop before. Any other trouble is an error. */
async function openWhenPossible(input: {
  config: Config;
  log: Log;
  signal: AbortSignal;
  onFailure: (err: SecuError) => void;
}): Promise<World | null> {
  for (let tries = 1; !input.signal.aborted; tries += 1) {
    try {
      return await openWorld({ config: input.config, role: 'api', poolMax: POOL_MAX });
    } catch (err) {
      const waits = asWaiting(err);
      if (waits === null) throw err;
      input.onFailure(waits);
      if (tries === 1) input.log.warn({ code: waits.code }, waits.message);
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }
  return null;
}

/** What may pass by itself: the database is away, or somebody has yet to migrate it. */
function asWaiting(err: unknown): SecuError | null {
  if (isDatabaseAway(err))
    return new SecuError('database_unavailable', 'the database does not answer', { cause: err });
  return isSecuError(err, 'schema_mismatch') && err.details['newer'] !== true ? err : null;
}

function reasonOf(err: SecuError): { err: SecuError; checks: ReadyChecks } {
  return {
    err,
    checks: { database: err.code === 'schema_mismatch', migrations: false, temporal: false, workers: false },
  };
}

function processMetrics(): HttpMetrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  return createHttpMetrics(register);
}

function isHttps({ http }: Config): boolean {
  return http.publicUrl.startsWith('https:');
}

async function apiDepsOf(world: World, metrics: HttpMetrics): Promise<ApiDeps> {
  const { config, database, vault } = world;
  const gitlab = gitlabOf(world);
  const tokenKey = await openDataKey({ vault, database, name: 'token' });
  const bodyKey = await openDataKey({ vault, database, name: 'body' });
  return {
    database,
    vault,
    starters: world.starters,
    feed: openEventFeed({ url: world.databaseUrl, log: world.log }),
    log: world.log,
    metrics,
    settings: {
      publicUrl: config.http.publicUrl,
      hosts: hostsOf(config),
      defaultBaseUrl: config.gitlab.origins[0] ?? 'https://gitlab.com',
      expiryThresholds: config.expiryThresholds,
      mail: config.smtp !== null,
      version: secuVersion(),
      trustedProxies: config.http.trustedProxies,
      dashboardFolder: fileURLToPath(new URL('../../dist/dashboard', import.meta.url)),
    },
    hashToken(token) {
      // the first that is done with a token that arrives, sealed or refused
      world.scrubber.registerSecret(token);
      return keyedHash({ dataKey: tokenKey, purpose: 'token', text: token });
    },
    hashName: (name) => keyedHash({ dataKey: bodyKey, purpose: 'name', text: name }),
    passwords: createPasswords(),
    signOn: openSignOn(world),
    hashBody: (body) => keyedHash({ dataKey: bodyKey, purpose: 'body', text: body }),
    probe: createTokenProbe({
      policy: world.policy,
      gitlab,
      git: createGit({ ...world, workFolder: probeFolder() }),
    }),
    locate: createLocator({ database, vault, gitlab }),
    checkOrigin: (baseUrl) => void world.policy.check(baseUrl),
    checkChannelOrigin: createChannelOriginCheck({ policy: channelPolicyOf(config) }),
    about: () => aboutOf(world),
    ready: () => readyOf(world),
    now: () => new Date(),
  };
}

/** For git's configuration during a token test. Below the temporary folder: the API has no state of its own on disk. */
function probeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'secu-probe-'));
}

function gitlabOf({ config, policy }: World): GitlabClient {
  const pacer = createPacer({ perSecond: config.gitlab.requestsPerSecond });
  return createGitlabClient({ policy, pacer, userAgent: `Secu/${secuVersion()}` });
}

/** The host of the public address, and on loopback its usual names. */
function hostsOf({ http }: Config): string[] {
  const port = http.port;
  return [new URL(http.publicUrl).host, `127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];
}

/** While nobody can let others in, the log has a link by which the first administrator is made. */
async function offerSetup({ config, database, log }: World): Promise<void> {
  const { publicUrl } = config.http;
  const link = await makeSetupLink({ database, publicUrl, now: new Date(), actor: 'system' });
  if (link === null) return;
  log.warn(
    { url: link.url, expiresAt: link.expiresAt.toISOString() },
    'there is no administrator yet: open this link to make the first one',
  );
}

/** Keys that settings and the home own: each is there, and no other of its kind. */
async function keepManagedKeys({ config, database }: World): Promise<void> {
  const now = new Date();
  const given = { environment: config.bootstrapApiKey?.value() ?? null, cli: cliKeyOf(config.home) };
  for (const source of ['environment', 'cli'] as const) {
    const value = given[source];
    const key = value === null ? null : { hash: hashOfApiKey(value), lastFour: value.slice(-4) };
    const name = source === 'cli' ? 'command line' : 'bootstrap';
    await database.transaction((tx) => tx.apiKeys.replaceManaged({ source, name, key, now }));
  }
}
