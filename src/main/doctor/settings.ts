import { existsSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { isLoopback } from '../../config/rules.ts';
import type { DoctorPart } from './part.ts';
import { part } from './part.ts';

/** Settings that work but are insecure or unknown. */
export function examineSettings(config: Config): DoctorPart {
  const found = [...weaknesses(config)];
  if (found.length === 0) return part('settings', { detail: 'nothing insecure or unknown' });
  return part('settings', {
    status: 'warning',
    detail: found.map(({ what }) => what).join('; '),
    advice: found.map(({ advice }) => advice).join(' '),
  });
}

function* weaknesses(config: Config): Generator<{ what: string; advice: string }> {
  const { http, gitlab, database, temporal, intervals, unknown } = config;
  const publicUrl = new URL(http.publicUrl);
  if (publicUrl.protocol === 'http:' && !isLoopback(publicUrl.hostname)) {
    yield {
      what: `users reach Secu over plain http at ${publicUrl.host}`,
      advice: 'Put a TLS proxy in front of Secu and set SECU_PUBLIC_URL to its https address.',
    };
  }
  const plain = gitlab.origins.filter(
    (origin) => origin.startsWith('http:') && !isLoopback(new URL(origin).hostname),
  );
  if (plain.length > 0) {
    yield {
      what: `tokens are sent unencrypted to ${plain.join(', ')}`,
      advice: 'Write these origins as https:// in SECU_GITLAB_ORIGINS.',
    };
  }
  const databaseUrl = database.url === null ? null : new URL(database.url.value());
  if (databaseUrl !== null && isRemote(databaseUrl.hostname) && !requiresTls(databaseUrl)) {
    yield {
      what: 'the connection to PostgreSQL may be unencrypted',
      advice: 'Add sslmode=verify-full to DATABASE_URL.',
    };
  }
  if (
    temporal.address !== null &&
    temporal.tls === null &&
    isRemote(new URL(`tcp://${temporal.address}`).hostname)
  ) {
    yield {
      what: 'the connection to Temporal is unencrypted',
      advice: 'Set TEMPORAL_TLS=true, or restrict that network to Secu and Temporal.',
    };
  }
  if (intervals.verifyMs === null) {
    yield {
      what: 'tokens are not verified in the background',
      advice:
        'Set SECU_VERIFY_INTERVAL. Without it, Secu notices a revoked token only when it uses the token.',
    };
  }
  if (unknown.length > 0) {
    yield {
      what: `unknown settings: ${unknown.join(', ')}`,
      advice: 'Check their names in docs/reference/settings.md.',
    };
  }
}

/** An empty host means a local socket. In a container, a name without a dot is a container of the same network. */
function isRemote(host: string): boolean {
  const isBesideUs = !host.includes('.') && CONTAINER_FILES.some((file) => existsSync(file));
  return host !== '' && !isLoopback(host) && !isBesideUs;
}

/** Docker and Podman create one of them. */
const CONTAINER_FILES = ['/.dockerenv', '/run/.containerenv'];

function requiresTls(url: URL): boolean {
  return ['require', 'verify-ca', 'verify-full'].includes(url.searchParams.get('sslmode') ?? '');
}
