import { readFileSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { SecuError } from '../domain/errors.ts';
import type { Environment } from './environment.ts';
import type { Hidden } from './hidden.ts';
import type { Problem } from './rules.ts';
import { checkRulesBetweenSettings } from './rules.ts';
import type { SettingName } from './settings.ts';
import { aboutSetting, SETTING_NAMES, Settings } from './settings.ts';

/** The settings as the rest of Secu gets them: grouped by use, with defaults. Secrets print as `[hidden]`. */
export type Config = ReturnType<typeof groupSettings>;

export interface ConfigFacts {
  readonly isRoot: boolean;
  /** Settings that this process requires, for example DATABASE_URL without an embedded PostgreSQL. */
  readonly required?: readonly SettingName[];
  readonly home?: string;
  readonly cores?: number;
  readonly isTerminal?: boolean;
}

/**
 * Reads every setting once. An empty value counts as not set.
 * @param env see `readEnvironment`
 * @throws SecuError `invalid_settings`, with the name of each wrong setting, the problem and an example
 */
export function readConfig(env: Environment, facts: ConfigFacts): Config {
  const { raw, problems } = withSecretFiles(env);
  const parsed: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) {
    const result = Settings.shape[name].safeParse(raw[name]);
    if (result.success) parsed[name] = result.data;
    else problems.push({ name, problem: result.error.issues.map(({ message }) => message).join(', ') });
  }
  // Each value comes from its own schema above; only failed ones are missing.
  const settings = parsed as Partial<Settings>;
  const failed = new Set(problems.map(({ name }) => name));
  problems.push(...checkRulesBetweenSettings(settings).filter(({ name }) => !failed.has(name)));
  for (const name of facts.required ?? []) {
    if (raw[name] === undefined && !failed.has(name)) problems.push({ name, problem: 'is missing' });
  }
  if (problems.length > 0) throw invalidSettings(problems);
  return groupSettings(settings as Settings, unknownNames(env), facts);
}

/** The settings of the command line. Wrong settings of the server do not affect it. */
export function readClientConfig(
  env: Environment,
  facts: ConfigFacts,
): { home: string; url: string | null; apiKey: Hidden | null } {
  const names: readonly SettingName[] = [
    'SECU_HOME',
    'SECU_URL',
    'SECU_API_KEY',
    'SECU_API_KEY_FILE' as SettingName,
  ];
  const { home, client } = readConfig(Object.fromEntries(names.map((name) => [name, env[name]])), facts);
  return { home, ...client };
}

function groupSettings(s: Settings, unknown: string[], facts: ConfigFacts) {
  return {
    home: s.SECU_HOME ?? defaultHome(facts),
    http: httpSettings(s),
    /** `url` is null for the embedded PostgreSQL. */
    database: { url: s.DATABASE_URL ?? null },
    /** `address` is null for the embedded server. */
    temporal: temporalSettings(s),
    vault: { keyRing: s.SECU_KEYS ?? null },
    bootstrapApiKey: s.SECU_BOOTSTRAP_API_KEY ?? null,
    gitlab: {
      /** Base URLs without a trailing slash. */
      origins: s.SECU_GITLAB_ORIGINS,
      requestsPerSecond: s.SECU_GITLAB_RATE,
      clones: s.SECU_GITLAB_CLONES,
    },
    network: networkSettings(s),
    requireIsolation: s.SECU_REQUIRE_ISOLATION,
    limits: limitSettings(s, facts),
    /** Null when switched off. */
    intervals: {
      verifyMs: s.SECU_VERIFY_INTERVAL,
      syncMs: s.SECU_SYNC_INTERVAL,
      fullSyncMs: s.SECU_FULL_SYNC_INTERVAL,
      scanMs: s.SECU_SCAN_INTERVAL,
    },
    history: s.SECU_HISTORY,
    quietHours: s.SECU_QUIET_HOURS ?? null,
    /** Days, in descending order. */
    expiryThresholds: s.SECU_EXPIRY_THRESHOLDS,
    retentionMs: s.SECU_RETENTION,
    smtp: s.SECU_SMTP_URL === undefined ? null : { url: s.SECU_SMTP_URL, from: s.SECU_SMTP_FROM ?? '' },
    oidc: oidcSettings(s),
    log: { level: s.SECU_LOG_LEVEL, format: s.SECU_LOG_FORMAT ?? (isTerminal(facts) ? 'pretty' : 'json') },
    /** Paths that the operator configured, by tool name. */
    toolPaths: {
      temporal: s.SECU_TEMPORAL_PATH,
      gitleaks: s.SECU_GITLEAKS_PATH,
      'osv-scanner': s.SECU_OSV_SCANNER_PATH,
    },
    client: { url: s.SECU_URL ?? null, apiKey: s.SECU_API_KEY ?? null },
    /** Unknown names that begin with SECU_: logged as a warning, because they are often typing errors. */
    unknown,
  };
}

function httpSettings(s: Settings) {
  return {
    host: s.SECU_HOST,
    port: s.SECU_PORT,
    /** Scheme, host and port, without a trailing slash. */
    publicUrl: s.SECU_PUBLIC_URL ?? `http://${hostInUrl(s.SECU_HOST)}:${s.SECU_PORT}`,
    /** CIDRs. */
    trustedProxies: s.SECU_TRUSTED_PROXIES ?? [],
  };
}

function temporalSettings(s: Settings) {
  return {
    address: s.TEMPORAL_ADDRESS ?? null,
    namespace: s.TEMPORAL_ADDRESS === undefined ? 'secu' : (s.TEMPORAL_NAMESPACE ?? 'default'),
    apiKey: s.TEMPORAL_API_KEY ?? null,
    tls: temporalTls(s),
    uiUrl: s.SECU_TEMPORAL_UI_URL ?? null,
  };
}

function networkSettings(s: Settings) {
  return {
    /** CIDRs that GitLab origins may resolve to. */
    allowed: s.SECU_ALLOWED_NETWORKS ?? [],
    /** CIDRs that channel URLs may resolve to. */
    webhooks: s.SECU_WEBHOOK_NETWORKS ?? [],
    /** Root certificates in addition to Node's own. */
    caPem: s.SECU_CA_FILE ?? null,
    proxyUrl: s.SECU_PROXY_URL ?? null,
    noProxy: s.SECU_NO_PROXY ?? [],
  };
}

function limitSettings(s: Settings, facts: ConfigFacts) {
  return {
    scanSlots: s.SECU_SCAN_SLOTS ?? facts.cores ?? availableParallelism(),
    cloneMaxBytes: s.SECU_CLONE_MAX_BYTES,
    cloneTimeoutMs: s.SECU_CLONE_TIMEOUT,
    scanTimeoutMs: s.SECU_SCAN_TIMEOUT,
    blobMaxBytes: s.SECU_BLOB_MAX_BYTES,
    diskReserveBytes: s.SECU_DISK_RESERVE,
  };
}

function temporalTls(s: Settings) {
  const serverCaPem = s.TEMPORAL_TLS_SERVER_CA_CERT_PATH ?? s.TEMPORAL_TLS_SERVER_CA_CERT_DATA ?? null;
  const clientCertPem = s.TEMPORAL_TLS_CLIENT_CERT_PATH ?? s.TEMPORAL_TLS_CLIENT_CERT_DATA ?? null;
  const clientKeyPem = s.TEMPORAL_TLS_CLIENT_KEY_PATH ?? s.TEMPORAL_TLS_CLIENT_KEY_DATA ?? null;
  const serverName = s.TEMPORAL_TLS_SERVER_NAME ?? null;
  const anyTlsSetting = s.TEMPORAL_API_KEY ?? serverCaPem ?? clientCertPem ?? serverName;
  const isEnabled = s.TEMPORAL_TLS ?? anyTlsSetting !== null;
  return isEnabled ? { serverName, serverCaPem, clientCertPem, clientKeyPem } : null;
}

function oidcSettings(s: Settings) {
  if (s.SECU_OIDC_ISSUER === undefined) return null;
  return {
    issuer: s.SECU_OIDC_ISSUER,
    clientId: s.SECU_OIDC_CLIENT_ID ?? '',
    clientSecret: s.SECU_OIDC_CLIENT_SECRET ?? null,
    roleClaim: s.SECU_OIDC_ROLE_CLAIM ?? 'groups',
    roleMap: s.SECU_OIDC_ROLE_MAP ?? {},
  };
}

function defaultHome({ isRoot, home = homedir() }: ConfigFacts): string {
  return isRoot ? '/var/lib/secu' : join(home, '.local', 'share', 'secu');
}

function isTerminal({ isTerminal: known }: ConfigFacts): boolean {
  return known ?? process.stdout.isTTY === true;
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Reads secrets from the files in `NAME_FILE` settings, and drops empty values. */
function withSecretFiles(env: Environment): { raw: Environment; problems: Problem[] } {
  const raw: Record<string, string | undefined> = {};
  const problems: Problem[] = [];
  for (const name of SETTING_NAMES) {
    if (env[name] !== undefined && env[name] !== '') raw[name] = env[name];
    const file = env[`${name}_FILE`];
    if (aboutSetting(name).secret !== true || file === undefined || file === '') continue;
    if (raw[name] !== undefined) {
      problems.push({ name, problem: `is set twice, also as ${name}_FILE` });
      continue;
    }
    try {
      raw[name] = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    } catch (err) {
      problems.push({ name, problem: `cannot be read from ${name}_FILE: ${String(err)}` });
    }
  }
  return { raw, problems };
}

function unknownNames(env: Environment): string[] {
  const known = new Set(SETTING_NAMES.flatMap((name) => [name, `${name}_FILE`]));
  // set by the launcher and the supervisor for their child processes
  const internal = new Set(['SECU_LAUNCH_TIMES', 'SECU_PART_OF']);
  return Object.keys(env).filter(
    (name) => name.startsWith('SECU_') && !known.has(name) && !internal.has(name),
  );
}

function invalidSettings(problems: readonly Problem[]): SecuError {
  const ordered = SETTING_NAMES.flatMap((name) => problems.filter((problem) => problem.name === name));
  const listed = ordered.map(({ name, problem }) => ({ name, problem, example: aboutSetting(name).example }));
  const lines = listed.map(
    ({ name, problem, example }) => `  ${name} ${problem}. Example: ${name}=${example}`,
  );
  const title = lines.length === 1 ? '1 setting is invalid:' : `${lines.length} settings are invalid:`;
  return new SecuError('invalid_settings', [title, ...lines].join('\n'), { details: { problems: listed } });
}
