import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from '@hono/node-server';
import { collectDefaultMetrics, Registry } from '@prometheus-io/client';
import { createApp } from '../api/app.ts';
import { createSetupLink } from '../api/auth/setup-link.ts';
import { createBackgroundWork } from '../api/background-work.ts';
import type { ApiDeps, ApiEnv, ReadyChecks } from '../api/deps.ts';
import { hashOfApiKey } from '../api/middleware/authenticate.ts';
import { createWaitingApp } from '../api/waiting-app.ts';
import type { Config } from '../config/config.ts';
import { isDatabaseAway } from '../db/database.ts';
import { openEventFeed } from '../db/event-feed.ts';
import { isSecuError, SecuError } from '../domain/errors.ts';
import type { GitRemote } from '../domain/ports.ts';
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
import { prepareRunner } from './isolated-runner.ts';
import { openDataKey } from './keys.ts';
import { createLocator } from './locate.ts';
import type { ProcessContext } from './process-context.ts';
import { channelPolicyOf, openProcessContext } from './process-context.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { openSignOn } from './sign-on.ts';
import { createTokenProbe } from './token-probe.ts';
import { secuVersion } from './version.ts';

const POOL_MAX = 20;

/**
 * Runs the API until it receives a stop signal. While the database is unavailable or its migrations are missing, the API
 * responds to `/healthz` and reports "not ready".
 */
export async function runApi(config: Config): Promise<void> {
  const log = createLogger({ ...config.log, bindings: { role: 'api' } });
  const metrics = processMetrics();
  const stopping = new AbortController();
  let unreadyReason = unreadyReasonOf(
    new SecuError('database_unavailable', 'the connection to the database is being opened'),
  );
  let handleRequest: (request: Request, bindings?: ApiEnv['Bindings']) => Response | Promise<Response> =
    createWaitingApp({
      log,
      metrics,
      https: isHttps(config),
      reason: () => unreadyReason,
    }).fetch;
  const server = serve({
    fetch: (request, bindings) => handleRequest(request, bindings),
    hostname: config.http.host,
    port: config.http.port,
  });
  // folders of the process that runs git for token tests: in the temporary folder, because the API has no state on disk
  const probeFolder = await mkdtemp(join(tmpdir(), 'secu-probe-'));
  const opening = openWhenDatabaseIsReady({
    config,
    log,
    signal: stopping.signal,
    onFailure: (err) => (unreadyReason = unreadyReasonOf(err)),
  });
  const opened = opening.then(async (context) => {
    if (context === null) return null;
    const runner = (await prepareRunner({ ...context, home: probeFolder })).open();
    const deps = await apiDepsOf({ context, metrics, git: runner.git });
    await ensureManagedApiKeys(context);
    // before the first response: a caller that waits for readiness may create a link itself, which must be the newer one
    await logSetupLink(context);
    handleRequest = createApp(deps).fetch;
    log.info({ url: config.http.publicUrl }, 'API is listening');
    await warnAboutMissingChannels(deps);
    return { context, deps, runner };
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
    await running?.deps.background.settled();
    await running?.runner.close();
    await running?.context.close();
    await rm(probeFolder, { recursive: true, force: true });
  });
  await Promise.race([stopped, opened.then(() => stopped)]);
}

/** Logged at every start, until channels cover all integrations. */
async function warnAboutMissingChannels({ database, settings, log }: ApiDeps): Promise<void> {
  const { allIntegrations, integrations } = await database.stores.channels.expiryAlertGaps(settings);
  if (!allIntegrations && integrations.length === 0) return;
  log.warn(
    { integrations: allIntegrations ? 'all' : integrations.map(({ id }) => id) },
    'no channel sends expiry alerts for some tokens: create a channel (docs/how-to/set-up-alerts.md)',
  );
}

const RETRY_INTERVAL_MS = 1_000;

/**
 * Retries until the database is available and its schema matches. Other errors are thrown.
 * @returns `null` when the process is stopped before that
 */
async function openWhenDatabaseIsReady(input: {
  config: Config;
  log: Log;
  signal: AbortSignal;
  onFailure: (err: SecuError) => void;
}): Promise<ProcessContext | null> {
  for (let attempt = 1; !input.signal.aborted; attempt += 1) {
    try {
      return await openProcessContext({ config: input.config, role: 'api', poolMax: POOL_MAX });
    } catch (err) {
      const temporary = temporaryStartError(err);
      if (temporary === null) throw err;
      input.onFailure(temporary);
      if (attempt === 1) input.log.warn({ code: temporary.code }, temporary.message);
      await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL_MS));
    }
  }
  return null;
}

/** Errors that can end without a restart: the database is unavailable, or not migrated yet. */
function temporaryStartError(err: unknown): SecuError | null {
  if (isDatabaseAway(err))
    return new SecuError('database_unavailable', 'the database does not respond', { cause: err });
  return isSecuError(err, 'schema_mismatch') && err.details['newer'] !== true ? err : null;
}

function unreadyReasonOf(err: SecuError): { err: SecuError; checks: ReadyChecks } {
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

async function apiDepsOf(input: {
  context: ProcessContext;
  metrics: HttpMetrics;
  git: GitRemote;
}): Promise<ApiDeps> {
  const { context, metrics, git } = input;
  const { config, database, vault } = context;
  const gitlab = gitlabOf(context);
  const tokenKey = await openDataKey({ vault, database, name: 'token' });
  const bodyKey = await openDataKey({ vault, database, name: 'body' });
  return {
    database,
    vault,
    starters: context.starters,
    background: createBackgroundWork(),
    feed: openEventFeed({ url: context.databaseUrl, log: context.log }),
    log: context.log,
    metrics,
    settings: {
      publicUrl: config.http.publicUrl,
      hosts: hostsOf(config),
      defaultBaseUrl: config.gitlab.origins[0] ?? 'https://gitlab.com',
      expiryThresholds: config.expiryThresholds,
      history: config.history,
      mail: config.smtp !== null,
      version: secuVersion(),
      trustedProxies: config.http.trustedProxies,
      dashboardFolder: fileURLToPath(new URL('../../dist/dashboard', import.meta.url)),
    },
    hashToken(token) {
      // every token of a request is hashed first, so it is registered even if it is refused later
      context.scrubber.registerSecret(token);
      return keyedHash({ dataKey: tokenKey, purpose: 'token', text: token });
    },
    hashName: (name) => keyedHash({ dataKey: bodyKey, purpose: 'name', text: name }),
    passwords: createPasswords(),
    signOn: openSignOn(context),
    hashBody: (body) => keyedHash({ dataKey: bodyKey, purpose: 'body', text: body }),
    probe: createTokenProbe({ policy: context.policy, gitlab, git }),
    locate: createLocator({ database, vault, gitlab }),
    checkOrigin: (baseUrl) => void context.policy.check(baseUrl),
    checkChannelOrigin: createChannelOriginCheck({ policy: channelPolicyOf(config) }),
    about: () => aboutOf(context),
    ready: () => readyOf(context),
    now: () => new Date(),
  };
}

function gitlabOf({ config, policy }: ProcessContext): GitlabClient {
  const pacer = createPacer({ perSecond: config.gitlab.requestsPerSecond });
  return createGitlabClient({ policy, pacer, userAgent: `Secu/${secuVersion()}` });
}

/** The host of the public URL, and the loopback addresses. */
function hostsOf({ http }: Config): string[] {
  const port = http.port;
  return [new URL(http.publicUrl).host, `127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];
}

/** While there is no administrator, the log contains a one-time link that creates the first one. */
async function logSetupLink({ config, database, log }: ProcessContext): Promise<void> {
  const { publicUrl } = config.http;
  const link = await createSetupLink({ database, publicUrl, now: new Date(), actor: 'system' });
  if (link === null) return;
  log.warn(
    { url: link.url, expiresAt: link.expiresAt.toISOString() },
    'there is no administrator yet: open this link to create the first one',
  );
}

/** Stores the API keys that come from SECU_BOOTSTRAP_API_KEY and from the home folder, and removes earlier values. */
async function ensureManagedApiKeys({ config, database }: ProcessContext): Promise<void> {
  const now = new Date();
  const managed = { environment: config.bootstrapApiKey?.value() ?? null, cli: cliKeyOf(config.home) };
  for (const source of ['environment', 'cli'] as const) {
    const value = managed[source];
    const key = value === null ? null : { hash: hashOfApiKey(value), lastFour: value.slice(-4) };
    const name = source === 'cli' ? 'command line' : 'bootstrap';
    await database.transaction((tx) => tx.apiKeys.replaceManaged({ source, name, key, now }));
  }
}
