import { z } from 'zod';
import * as v from './values.ts';

/** The description of a setting in the reference table and in error messages. */
interface About {
  readonly meaning: string;
  /** As text; absent if there is none. */
  readonly default?: string;
  readonly example: string;
  /** May also be set as `NAME_FILE`; never shown. */
  readonly secret?: true;
}

const about = z.registry<About>();

function setting<S extends z.ZodType>(schema: S, facts: About): S {
  about.add(schema, facts);
  return schema;
}

/** A setting with a default. The default is text, as a user would write it. */
function withDefault<T>(schema: z.ZodType<T, string>, facts: About & { default: string }) {
  return setting(schema.prefault(facts.default), facts);
}

/** Every setting, by its name in the environment. */
export const Settings = z.object({
  SECU_HOME: setting(v.path.optional(), {
    meaning: 'data folder of an embedded installation; used by one installation at a time',
    default: '~/.local/share/secu (root: /var/lib/secu)',
    example: '/srv/secu',
  }),
  SECU_HOST: withDefault(v.text, {
    meaning: 'address on which the API and the dashboard listen',
    default: '127.0.0.1',
    example: '127.0.0.1',
  }),
  SECU_PORT: withDefault(v.port, {
    meaning: 'port of the API and the dashboard',
    default: '8080',
    example: '8080',
  }),
  SECU_PUBLIC_URL: setting(v.origin.optional(), {
    meaning: 'public URL of Secu; requests with another Host get 421',
    default: 'from host and port',
    example: 'https://secu.example.com',
  }),
  SECU_INSECURE_HTTP: withDefault(v.flag, {
    meaning: 'allows plain http for hosts other than loopback',
    default: '0',
    example: '1',
  }),
  SECU_TRUSTED_PROXIES: setting(v.networks.optional(), {
    meaning:
      'proxies whose X-Forwarded-For is trusted, for throttling and audit events; by default the address of the connection is used',
    example: '10.0.0.0/8,192.0.2.7',
  }),
  DATABASE_URL: setting(v.hiddenUrl('postgres:', 'postgresql:').optional(), {
    meaning: 'your own PostgreSQL >= 15',
    default: 'embedded PostgreSQL',
    example: 'postgresql://secu@db.example.com/secu',
    secret: true,
  }),
  TEMPORAL_ADDRESS: setting(v.address.optional(), {
    meaning: 'address of the frontend of your Temporal server',
    default: 'embedded server',
    example: 'temporal.example.com:7233',
  }),
  TEMPORAL_NAMESPACE: setting(v.text.optional(), {
    meaning: 'namespace on that server',
    default: 'default (embedded server: secu)',
    example: 'secu',
  }),
  TEMPORAL_API_KEY: setting(v.hidden.optional(), {
    meaning: 'API key of that server; enables TLS',
    example: 'a key from your Temporal account',
    secret: true,
  }),
  TEMPORAL_TLS: setting(v.flag.optional(), { meaning: 'TLS to that server', example: 'true' }),
  TEMPORAL_TLS_SERVER_NAME: setting(v.text.optional(), {
    meaning: 'host name that the certificate of the server must have',
    example: 'temporal.example.com',
  }),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: setting(v.certificateFile.optional(), {
    meaning: 'file with the root certificates of the server',
    example: '/etc/secu/temporal-ca.pem',
  }),
  TEMPORAL_TLS_SERVER_CA_CERT_DATA: setting(v.certificates.optional(), {
    meaning: 'the same, as text',
    example: '-----BEGIN CERTIFICATE-----…',
  }),
  TEMPORAL_TLS_CLIENT_CERT_PATH: setting(v.certificateFile.optional(), {
    meaning: 'file with the client certificate',
    example: '/etc/secu/temporal.pem',
  }),
  TEMPORAL_TLS_CLIENT_CERT_DATA: setting(v.certificates.optional(), {
    meaning: 'the same, as text',
    example: '-----BEGIN CERTIFICATE-----…',
  }),
  TEMPORAL_TLS_CLIENT_KEY_PATH: setting(v.hiddenFileText.optional(), {
    meaning: 'file with the client key',
    example: '/etc/secu/temporal.key',
  }),
  TEMPORAL_TLS_CLIENT_KEY_DATA: setting(v.hidden.optional(), {
    meaning: 'the same, as text',
    example: 'the PEM text of the key',
    secret: true,
  }),
  TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: setting(v.flag.optional(), {
    meaning: 'not supported; set the root certificates of the server instead',
    example: 'false',
  }),
  SECU_TEMPORAL_UI_URL: setting(v.webAddress.optional(), {
    meaning: 'URL of the Temporal web UI, for links',
    default: 'the embedded server’s',
    example: 'https://temporal.example.com',
  }),
  SECU_KEYS: setting(v.keyLines.optional(), {
    meaning: 'key ring: one id:base64(32 bytes) per line; the first key seals, all keys open',
    default: 'a key file that the first start creates in SECU_HOME/keys',
    example: 'k1:<the output of "openssl rand -base64 32">',
    secret: true,
  }),
  SECU_BOOTSTRAP_API_KEY: setting(v.longSecret.optional(), {
    meaning: 'an API key with the role admin, managed by this setting; 32 to 200 characters',
    example: 'the output of "openssl rand -hex 32"',
    secret: true,
  }),
  SECU_GITLAB_ORIGINS: withDefault(v.baseUrls, {
    meaning: 'GitLab base URLs that integrations may use; plain http only if written as http://',
    default: 'https://gitlab.com',
    example: 'https://gitlab.com,https://gitlab.example.com',
  }),
  SECU_ALLOWED_NETWORKS: setting(v.networks.optional(), {
    meaning: 'private or loopback networks that those origins may resolve to',
    example: '10.20.0.0/16',
  }),
  SECU_WEBHOOK_NETWORKS: setting(v.networks.optional(), {
    meaning: 'private or loopback networks that channel URLs may resolve to',
    example: '10.20.0.0/16',
  }),
  SECU_CA_FILE: setting(v.certificateFile.optional(), {
    meaning:
      'file with additional PEM root certificates for the GitLab API, git, webhooks, mail and single sign-on',
    example: '/etc/ssl/certs/company-root.pem',
  }),
  SECU_PROXY_URL: setting(v.hiddenUrl('http:', 'https:').optional(), {
    meaning: 'outbound proxy',
    example: 'http://egress.example.com:3128',
    secret: true,
  }),
  SECU_NO_PROXY: setting(v.list.optional(), {
    meaning: 'hosts that are contacted without the proxy',
    example: 'gitlab.example.com,.internal',
  }),
  SECU_GITLAB_RATE: withDefault(v.rate, {
    meaning: 'maximum request rate per GitLab origin',
    default: '10/s',
    example: '10/s',
  }),
  SECU_GITLAB_CLONES: withDefault(v.count, {
    meaning: 'maximum concurrent clones of a scan worker per GitLab origin',
    default: '8',
    example: '8',
  }),
  SECU_SCAN_SLOTS: setting(v.count.optional(), {
    meaning:
      'concurrent scanners per scan worker; up to twelve times as many repositories are cloned or wait for a scanner',
    default: 'number of cores',
    example: '4',
  }),
  SECU_REQUIRE_ISOLATION: withDefault(v.flag, {
    meaning:
      '1: scan workers do not start if a scanner could reach keys, other processes, other scans or the network',
    default: '0',
    example: '1',
  }),
  SECU_CLONE_MAX_BYTES: withDefault(v.size, {
    meaning: 'maximum size of a clone',
    default: '2GiB',
    example: '2GiB',
  }),
  SECU_CLONE_TIMEOUT: withDefault(v.duration, {
    meaning: 'time limit of a clone',
    default: '15m',
    example: '15m',
  }),
  SECU_SCAN_TIMEOUT: withDefault(v.duration, {
    meaning: 'time limit of a scan',
    default: '15m',
    example: '15m',
  }),
  SECU_BLOB_MAX_BYTES: withDefault(v.size, {
    meaning: 'maximum size of a scanned file',
    default: '10MiB',
    example: '10MiB',
  }),
  SECU_DISK_RESERVE: withDefault(v.size, {
    meaning: 'free disk space below which no clone starts',
    default: '5GiB',
    example: '5GiB',
  }),
  SECU_VERIFY_INTERVAL: withDefault(v.interval, {
    meaning: 'interval of background verification of tokens; 0 disables it',
    default: '6h',
    example: '6h',
  }),
  SECU_SYNC_INTERVAL: withDefault(v.interval, {
    meaning: 'interval of background syncs; 0 disables them',
    default: '1h',
    example: '1h',
  }),
  SECU_FULL_SYNC_INTERVAL: withDefault(v.duration, {
    meaning:
      'time between complete listings, which alone take repositories away; the syncs between them list only active projects',
    default: '24h',
    example: '24h',
  }),
  SECU_SCAN_INTERVAL: withDefault(v.interval, {
    meaning: 'a repository is scanned again after this time; 0 disables it',
    default: '24h',
    example: '24h',
  }),
  SECU_QUIET_HOURS: setting(v.quietHours.optional(), {
    meaning:
      'daily period in UTC in which background syncs and scans wait; verification, flags and requests of people do not',
    example: '22:00-06:00',
  }),
  SECU_HISTORY: withDefault(v.historyMode, {
    meaning:
      'how much of the history is searched for secrets: full, since (what is new since the first scan) or off (only the newest commit)',
    default: 'full',
    example: 'since',
  }),
  SECU_EXPIRY_THRESHOLDS: withDefault(v.thresholds, {
    meaning: 'days before expiry at which a token is flagged (1 to 365, without duplicates)',
    default: '60,30,14,7,3,1',
    example: '60,30,14,7,3,1',
  }),
  SECU_RETENTION: withDefault(v.duration, {
    meaning: 'retention of superseded scans, syncs, deliveries and events (audit events: 400 days)',
    default: '180d',
    example: '180d',
  }),
  SECU_SMTP_URL: setting(v.hiddenUrl('smtp:', 'smtps:').optional(), {
    meaning: 'URL of the mail server',
    example: 'smtps://mail.example.com',
    secret: true,
  }),
  SECU_SMTP_FROM: setting(v.text.optional(), {
    meaning: 'sender of mail; required with SECU_SMTP_URL',
    example: 'secu@example.com',
  }),
  SECU_OIDC_ISSUER: setting(v.issuer.optional(), {
    meaning: 'single sign-on: issuer URL',
    example: 'https://login.example.com',
  }),
  SECU_OIDC_CLIENT_ID: setting(v.text.optional(), {
    meaning: 'single sign-on: client ID of Secu',
    example: 'secu',
  }),
  SECU_OIDC_CLIENT_SECRET: setting(v.hidden.optional(), {
    meaning: 'single sign-on: client secret of Secu',
    example: 'the secret from the issuer',
    secret: true,
  }),
  SECU_OIDC_ROLE_CLAIM: setting(v.text.optional(), {
    meaning: 'single sign-on: claim with the groups of a user; dots select nested claims',
    default: 'groups',
    example: 'groups',
  }),
  SECU_OIDC_ROLE_MAP: setting(v.roleMap.optional(), {
    meaning: 'single sign-on: comma-separated list of group=role; a user without a mapped group is refused',
    example: 'security=admin,developers=viewer',
  }),
  SECU_LOG_LEVEL: withDefault(v.text.pipe(z.enum(['debug', 'info', 'warn', 'error', 'silent'])), {
    meaning: 'debug, info, warn, error or silent',
    default: 'info',
    example: 'info',
  }),
  SECU_LOG_FORMAT: setting(v.text.pipe(z.enum(['pretty', 'json'])).optional(), {
    meaning: 'pretty or json',
    default: 'pretty on a terminal, else json',
    example: 'json',
  }),
  SECU_TEMPORAL_PATH: setting(v.path.optional(), {
    meaning: 'path of a Temporal CLI (Server >= 1.32) to use instead of the pinned one',
    example: '/usr/local/bin/temporal',
  }),
  SECU_GITLEAKS_PATH: setting(v.path.optional(), {
    meaning: 'path of a gitleaks to use instead of the pinned one',
    example: '/usr/local/bin/gitleaks',
  }),
  SECU_OSV_SCANNER_PATH: setting(v.path.optional(), {
    meaning: 'path of an osv-scanner to use instead of the pinned one',
    example: '/usr/local/bin/osv-scanner',
  }),
  SECU_URL: setting(v.webAddress.optional(), {
    meaning: 'URL of the Secu that the command line uses',
    default: 'the URL in SECU_HOME',
    example: 'https://secu.example.com',
  }),
  SECU_API_KEY: setting(v.hidden.optional(), {
    meaning: 'API key of the command line',
    default: 'SECU_HOME/keys/cli.key',
    example: 'secu_…',
    secret: true,
  }),
});
export type Settings = z.infer<typeof Settings>;
export type SettingName = keyof Settings;

/** Every setting's name, in the order of the reference table. */
export const SETTING_NAMES = Object.keys(Settings.shape) as SettingName[];

/** The description of a setting. */
export function aboutSetting(name: SettingName): About {
  const facts = about.get(Settings.shape[name]);
  if (facts === undefined) throw new Error(`setting ${name} is not described`);
  return facts;
}

/** The reference table of the docs. `default` is empty where there is none. */
export function settingsTable(): { name: string; default: string; meaning: string }[] {
  return SETTING_NAMES.map((name) => {
    const { meaning, default: byDefault = '', secret } = aboutSetting(name);
    return { name: secret === true ? `${name}, ${name}_FILE` : name, default: byDefault, meaning };
  });
}
