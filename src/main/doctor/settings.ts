import type { Config } from '../../config/config.ts';
import { isLoopback } from '../../config/rules.ts';
import type { DoctorPart } from './part.ts';
import { part } from './part.ts';

/** Settings that work, and that somebody should know about. */
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
      what: `people reach Secu by plain http at ${publicUrl.host}`,
      advice: 'Put a proxy with TLS in front and set SECU_PUBLIC_URL to its https address.',
    };
  }
  const plain = gitlab.origins.filter(
    (origin) => origin.startsWith('http:') && !isLoopback(new URL(origin).hostname),
  );
  if (plain.length > 0) {
    yield {
      what: `tokens travel in clear to ${plain.join(', ')}`,
      advice: 'Write these origins as https:// in SECU_GITLAB_ORIGINS.',
    };
  }
  const databaseUrl = database.url === null ? null : new URL(database.url.value());
  if (databaseUrl !== null && isFar(databaseUrl.hostname) && !asksForTls(databaseUrl)) {
    yield {
      what: 'the connection to PostgreSQL may be in clear',
      advice: 'Add sslmode=verify-full to DATABASE_URL.',
    };
  }
  if (
    temporal.address !== null &&
    temporal.tls === null &&
    isFar(new URL(`tcp://${temporal.address}`).hostname)
  ) {
    yield {
      what: 'the connection to Temporal is in clear',
      advice: 'Set TEMPORAL_TLS=true, or keep that network to Secu and Temporal alone.',
    };
  }
  if (intervals.verifyMs === null) {
    yield {
      what: 'tokens are not verified in the background',
      advice: 'Set SECU_VERIFY_INTERVAL, or a token that is revoked is noticed by its use alone.',
    };
  }
  if (unknown.length > 0) {
    yield {
      what: `settings that Secu does not know: ${unknown.join(', ')}`,
      advice: 'Look their names up in docs/reference/settings.md.',
    };
  }
}

/** An empty host is a socket of this machine. */
function isFar(host: string): boolean {
  return host !== '' && !isLoopback(host);
}

function asksForTls(url: URL): boolean {
  return ['require', 'verify-ca', 'verify-full'].includes(url.searchParams.get('sslmode') ?? '');
}
