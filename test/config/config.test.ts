import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readClientConfig, readConfig } from '../../src/config/config.ts';
import type { Environment } from '../../src/config/environment.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { settingsTable } from '../../src/config/settings.ts';
import { isSecuError } from '../../src/domain/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'secu-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const context = { isRoot: false, home: '/home/ada', cores: 2, isTerminal: false };
const keyLine = (id: string, bytes = 32) => `${id}:${Buffer.alloc(bytes, 7).toString('base64')}`;

function problemsOf(env: Environment): string[] {
  try {
    readConfig(env, context);
    return [];
  } catch (err) {
    if (!isSecuError(err, 'invalid_settings')) throw err;
    return err.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
}

const namesOf = (env: Environment) => problemsOf(env).map((line) => line.split(' ')[0]);

describe('without settings', () => {
  test('the defaults are those of the contract', () => {
    const config = readConfig({}, context);
    expect(config.home).toBe('/home/ada/.local/share/secu');
    expect(config.http).toEqual({
      host: '127.0.0.1',
      port: 8080,
      publicUrl: 'http://127.0.0.1:8080',
      trustedProxies: [],
    });
    expect(config.database.url).toBeNull();
    expect(config.temporal).toMatchObject({ address: null, namespace: 'secu', tls: null });
    expect(config.gitlab).toEqual({ origins: ['https://gitlab.com'], requestsPerSecond: 10, clones: 8 });
    expect(config.limits).toEqual({
      scanSlots: 2,
      cloneMaxBytes: 2 * 2 ** 30,
      cloneTimeoutMs: 900_000,
      scanTimeoutMs: 900_000,
      blobMaxBytes: 10 * 2 ** 20,
      diskReserveBytes: 5 * 2 ** 30,
    });
    expect(config.intervals).toEqual({
      verifyMs: 21_600_000,
      syncMs: 3_600_000,
      fullSyncMs: 86_400_000,
      scanMs: 86_400_000,
    });
    expect([config.history, config.quietHours]).toEqual(['full', null]);
    expect(config.expiryThresholds).toEqual([60, 30, 14, 7, 3, 1]);
    expect(config.retentionMs).toBe(180 * 86_400_000);
    expect(config.log).toEqual({ level: 'info', format: 'json' });
  });

  test('the home of root is under /var/lib', () => {
    expect(readConfig({}, { ...context, isRoot: true }).home).toBe('/var/lib/secu');
  });

  test('an empty value counts as not set', () => {
    expect(readConfig({ SECU_PORT: '', DATABASE_URL: '' }, context).http.port).toBe(8080);
  });
});

describe('with wrong values', () => {
  test('the error lists all problems, each with name, problem and example', () => {
    const problems = problemsOf({
      SECU_PORT: 'eighty',
      SECU_CLONE_MAX_BYTES: '2 gigs',
      SECU_SYNC_INTERVAL: '1 hour',
    });
    expect(problems).toEqual([
      'SECU_PORT is not a port from 1 to 65535. Example: SECU_PORT=8080',
      'SECU_CLONE_MAX_BYTES is not a size (B, KiB, MiB, GiB, TiB). Example: SECU_CLONE_MAX_BYTES=2GiB',
      'SECU_SYNC_INTERVAL is not a duration (ms, s, m, h, d). Example: SECU_SYNC_INTERVAL=1h',
    ]);
  });

  test('the error does not contain the value of a secret', () => {
    const value = ['short', 'secret'].join('-');
    expect(problemsOf({ SECU_BOOTSTRAP_API_KEY: value, SECU_KEYS: value }).join('\n')).not.toContain(value);
  });

  test.each([
    ['SECU_EXPIRY_THRESHOLDS', '30,30'],
    ['SECU_HISTORY', 'all'],
    ['SECU_QUIET_HOURS', '22-6'],
    ['SECU_QUIET_HOURS', '22:00-24:30'],
    ['SECU_QUIET_HOURS', '22:00-22:00'],
    ['SECU_EXPIRY_THRESHOLDS', '0,7'],
    ['SECU_EXPIRY_THRESHOLDS', '366'],
    ['SECU_GITLAB_ORIGINS', 'gitlab.example.com'],
    ['SECU_GITLAB_ORIGINS', 'https://gitlab.example.com?x=1'],
    ['SECU_GITLAB_ORIGINS', 'https://ada:pw@gitlab.example.com'],
    ['SECU_GITLAB_RATE', '10'],
    ['SECU_GITLAB_CLONES', '0'],
    ['SECU_CLONE_TIMEOUT', '0'],
    ['SECU_ALLOWED_NETWORKS', '10.0.0.0/40'],
    ['SECU_KEYS', keyLine('k1', 16)],
    ['SECU_KEYS', `${keyLine('k1')}\n${keyLine('k1')}`],
    ['SECU_CA_FILE', '/does/not/exist.pem'],
    ['SECU_LOG_LEVEL', 'loud'],
    ['SECU_PUBLIC_URL', 'https://secu.example.com/path'],
    ['SECU_OIDC_ISSUER', 'https://login.example.com/?tenant=1'],
    ['SECU_OIDC_ROLE_MAP', 'security=owner'],
    ['DATABASE_URL', 'mysql://db'],
    ['TEMPORAL_ADDRESS', 'temporal.example.com'],
  ])('refuses %s=%s', (name, value) => {
    expect(namesOf({ [name]: value })).toEqual([name]);
  });

  test('the error names required settings that are missing', () => {
    expect(() => readConfig({}, { ...context, required: ['DATABASE_URL', 'SECU_KEYS'] })).toThrow(
      /DATABASE_URL is missing[\s\S]*SECU_KEYS is missing/,
    );
  });
});

describe('the public URL', () => {
  test('a non-loopback host requires an https URL', () => {
    expect(namesOf({ SECU_HOST: '0.0.0.0' })).toEqual(['SECU_PUBLIC_URL']);
    expect(namesOf({ SECU_HOST: '0.0.0.0', SECU_PUBLIC_URL: 'http://secu.example.com' })).toEqual([
      'SECU_PUBLIC_URL',
    ]);
  });

  test('a non-loopback host is accepted with an https URL or SECU_INSECURE_HTTP', () => {
    expect(namesOf({ SECU_HOST: '0.0.0.0', SECU_PUBLIC_URL: 'https://secu.example.com' })).toEqual([]);
    expect(namesOf({ SECU_HOST: '192.0.2.7', SECU_INSECURE_HTTP: '1' })).toEqual([]);
  });

  test.each(['0.0.0.0', '::', '[::]', '0:0::0'])(
    '%s alone is refused, because it is not an address that users can open',
    (host) => {
      const env = { SECU_HOST: host, SECU_INSECURE_HTTP: '1', SECU_PORT: '9090' };
      expect(problemsOf(env)).toEqual([
        expect.stringMatching(
          /^SECU_PUBLIC_URL is missing: .*SECU_PUBLIC_URL=http:\/\/secu\.example\.com:9090/,
        ),
      ]);
      const named = { ...env, SECU_PUBLIC_URL: 'http://secu.example.com:9090' };
      expect(readConfig(named, context).http.publicUrl).toBe('http://secu.example.com:9090');
    },
  );

  test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('%s counts as loopback', (host) => {
    expect(namesOf({ SECU_HOST: host })).toEqual([]);
  });
});

describe('values', () => {
  test('an interval of 0 disables the activity', () => {
    const { intervals } = readConfig({ SECU_VERIFY_INTERVAL: '0', SECU_SYNC_INTERVAL: '90s' }, context);
    expect(intervals).toMatchObject({ verifyMs: null, syncMs: 90_000 });
  });

  test('a trailing slash and /api/v4 are removed from GitLab base URLs; a sub-path is kept', () => {
    const origins = 'https://gitlab.example.com/, http://127.0.0.1:9000/gitlab/api/v4/';
    expect(readConfig({ SECU_GITLAB_ORIGINS: origins }, context).gitlab.origins).toEqual([
      'https://gitlab.example.com',
      'http://127.0.0.1:9000/gitlab',
    ]);
  });

  test('an issuer is kept exactly as written, and groups map to roles', () => {
    const env = {
      SECU_OIDC_ISSUER: 'https://login.example.com/o/secu/',
      SECU_OIDC_CLIENT_ID: 'secu',
      SECU_OIDC_ROLE_MAP: 'ou=security;dc=x=admin, developers=viewer',
    };
    expect(readConfig(env, context).oidc).toMatchObject({
      issuer: 'https://login.example.com/o/secu/',
      roleClaim: 'groups',
      roleMap: { 'ou=security;dc=x': 'admin', developers: 'viewer' },
    });
  });

  test('thresholds are sorted in descending order', () => {
    expect(readConfig({ SECU_EXPIRY_THRESHOLDS: '1, 90,7' }, context).expiryThresholds).toEqual([90, 7, 1]);
  });

  test('the mail server URL accepts no options, so its checks cannot be disabled', () => {
    const mail = { SECU_SMTP_FROM: 'secu@example.com' };
    expect(namesOf({ ...mail, SECU_SMTP_URL: 'smtps://mail.example.com' })).toEqual([]);
    expect(
      namesOf({ ...mail, SECU_SMTP_URL: 'smtps://mail.example.com?tls.rejectUnauthorized=false' }),
    ).toEqual(['SECU_SMTP_URL']);
  });

  test('mail and single sign-on require their related settings', () => {
    expect(namesOf({ SECU_SMTP_URL: 'smtp://mail', SECU_OIDC_ISSUER: 'https://login.example.com' })).toEqual([
      'SECU_SMTP_FROM',
      'SECU_OIDC_CLIENT_ID',
      'SECU_OIDC_ROLE_MAP',
    ]);
  });

  test('an API key for Temporal enables TLS and is refused without it', () => {
    const env = { TEMPORAL_ADDRESS: 'temporal.example.com:7233', TEMPORAL_API_KEY: 'k' };
    expect(readConfig(env, context).temporal.tls).not.toBeNull();
    expect(namesOf({ ...env, TEMPORAL_TLS: 'false' })).toEqual(['TEMPORAL_TLS']);
    expect(namesOf({ TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: 'true' })).toHaveLength(1);
  });

  test('unknown SECU_ names are reported', () => {
    expect(readConfig({ SECU_PROT: '1', PATH: '/bin' }, context).unknown).toEqual(['SECU_PROT']);
  });
});

test.each([31, 201, 4_000])(
  'an API key of %d characters is refused, because no request could send it',
  (length) => {
    const env = { SECU_BOOTSTRAP_API_KEY: 'x'.repeat(length) };
    expect(() => readConfig(env, { isRoot: false })).toThrow(/SECU_BOOTSTRAP_API_KEY/);
  },
);

describe('secrets', () => {
  test('are read from the file in NAME_FILE, without the last line end', () => {
    const file = join(folder, 'key');
    writeFileSync(file, `${'k'.repeat(32)}\n`);
    const config = readConfig({ SECU_BOOTSTRAP_API_KEY_FILE: file }, context);
    expect(config.bootstrapApiKey?.value()).toBe('k'.repeat(32));
  });

  test('are refused when set twice or when the file is unreadable', () => {
    expect(namesOf({ SECU_KEYS: keyLine('k1'), SECU_KEYS_FILE: '/x' })).toEqual(['SECU_KEYS']);
    expect(namesOf({ SECU_KEYS_FILE: join(folder, 'absent') })).toEqual(['SECU_KEYS']);
  });

  test('are hidden when the whole configuration is printed', () => {
    const value = 'v'.repeat(40);
    const url = `postgresql://secu:${value}@db/secu`;
    const config = readConfig(
      { SECU_BOOTSTRAP_API_KEY: value, DATABASE_URL: url, SECU_PROXY_URL: `http://a:${value}@p` },
      context,
    );
    expect(`${inspect(config, { depth: 9 })}${JSON.stringify(config)}`).not.toContain(value);
  });
});

test('a line of .env applies only if the environment does not set the variable', () => {
  writeFileSync(join(folder, '.env'), 'SECU_PORT=9000\nSECU_HOST=localhost\n');
  const env = readEnvironment({ folder, env: { SECU_PORT: '9001' } });
  expect(readConfig(env, context).http).toMatchObject({ host: 'localhost', port: 9001 });
});

test('the command line ignores wrong settings of the server', () => {
  const client = readClientConfig({ SECU_PORT: 'x', SECU_URL: 'https://secu.example.com/' }, context);
  expect(client.url).toBe('https://secu.example.com');
});

test('the reference table lists every setting of the contract with its default', () => {
  const table = settingsTable();
  expect(table).toContainEqual({
    name: 'SECU_GITLAB_RATE',
    default: '10/s',
    meaning: 'maximum request rate per GitLab origin',
  });
  expect(table.map(({ name }) => name)).toContain('SECU_KEYS, SECU_KEYS_FILE');
});
