import { BlockList, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { SettingName, Settings } from './settings.ts';

/** The problem of one setting, as the rest of a sentence that begins with its name. */
export interface Problem {
  readonly name: SettingName;
  readonly problem: string;
}

/** Checks rules between settings. Ignores settings that could not be read. */
export function checkRulesBetweenSettings(s: Partial<Settings>): Problem[] {
  return [...checkPublicUrl(s), ...checkTemporalTls(s), ...checkMail(s), ...checkSignOn(s)];
}

function* checkPublicUrl(s: Partial<Settings>): Generator<Problem> {
  const { SECU_HOST: host, SECU_PUBLIC_URL: publicUrl, SECU_INSECURE_HTTP: insecure } = s;
  if (host === undefined || insecure === undefined) return;
  if (insecure) {
    if (publicUrl === undefined && isWildcard(host)) {
      yield {
        name: 'SECU_PUBLIC_URL',
        problem: `is missing: SECU_HOST ${host} means every address of this machine, but users reach Secu at one URL, and requests with another Host get 421. With plain http: SECU_PUBLIC_URL=http://secu.example.com:${s.SECU_PORT ?? 8080}`,
      };
    }
    return;
  }
  if (!isLoopback(host) && !publicUrl?.startsWith('https:')) {
    yield {
      name: 'SECU_PUBLIC_URL',
      problem: `must begin with https:// because SECU_HOST ${host} is not loopback (or set SECU_INSECURE_HTTP=1)`,
    };
    return;
  }
  if (publicUrl?.startsWith('http:') === true && !isLoopback(new URL(publicUrl).hostname)) {
    yield {
      name: 'SECU_PUBLIC_URL',
      problem: 'is plain http for a host other than loopback (or set SECU_INSECURE_HTTP=1)',
    };
  }
}

function* checkTemporalTls(s: Partial<Settings>): Generator<Problem> {
  if (s.TEMPORAL_TLS_DISABLE_HOST_VERIFICATION === true) {
    yield {
      name: 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION',
      problem: 'cannot be true: set TEMPORAL_TLS_SERVER_CA_CERT_PATH to the root certificates of the server',
    };
  }
  if (s.TEMPORAL_TLS === false && s.TEMPORAL_API_KEY !== undefined) {
    yield {
      name: 'TEMPORAL_TLS',
      problem: 'cannot be off with TEMPORAL_API_KEY, which would be sent unencrypted',
    };
  }
  const cert = s.TEMPORAL_TLS_CLIENT_CERT_PATH ?? s.TEMPORAL_TLS_CLIENT_CERT_DATA;
  const key = s.TEMPORAL_TLS_CLIENT_KEY_PATH ?? s.TEMPORAL_TLS_CLIENT_KEY_DATA;
  if (cert !== undefined && key === undefined) {
    yield { name: 'TEMPORAL_TLS_CLIENT_KEY_PATH', problem: 'is missing, the client certificate needs it' };
  }
  if (cert === undefined && key !== undefined) {
    yield { name: 'TEMPORAL_TLS_CLIENT_CERT_PATH', problem: 'is missing, the client key needs it' };
  }
  for (const part of ['SERVER_CA_CERT', 'CLIENT_CERT', 'CLIENT_KEY'] as const) {
    if (s[`TEMPORAL_TLS_${part}_PATH`] === undefined || s[`TEMPORAL_TLS_${part}_DATA`] === undefined)
      continue;
    yield { name: `TEMPORAL_TLS_${part}_DATA`, problem: `is set twice, also as TEMPORAL_TLS_${part}_PATH` };
  }
}

function* checkMail(s: Partial<Settings>): Generator<Problem> {
  if (s.SECU_SMTP_URL !== undefined && s.SECU_SMTP_FROM === undefined) {
    yield { name: 'SECU_SMTP_FROM', problem: 'is missing, SECU_SMTP_URL needs it' };
  }
  const url = s.SECU_SMTP_URL === undefined ? null : new URL(s.SECU_SMTP_URL.value());
  if (url !== null && (url.search !== '' || url.hash !== '')) {
    yield { name: 'SECU_SMTP_URL', problem: 'has a query or fragment, which has no effect' };
  }
}

function* checkSignOn(s: Partial<Settings>): Generator<Problem> {
  if (s.SECU_OIDC_ISSUER === undefined) return;
  for (const name of ['SECU_OIDC_CLIENT_ID', 'SECU_OIDC_ROLE_MAP'] as const) {
    if (s[name] === undefined) yield { name, problem: 'is missing, SECU_OIDC_ISSUER needs it' };
  }
  if (s.SECU_OIDC_ISSUER.startsWith('http:') && !isLoopback(new URL(s.SECU_OIDC_ISSUER).hostname)) {
    yield { name: 'SECU_OIDC_ISSUER', problem: 'must start with https://' };
  }
}

/** Whether an address means all addresses of the machine: `0.0.0.0`, `::`. */
function isWildcard(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) !== 0 && ipaddr.parse(bare).range() === 'unspecified';
}

/** Whether a host or address is loopback. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare === 'localhost') return true;
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  const family = isIP(bare);
  return family !== 0 && loopback.check(bare, family === 4 ? 'ipv4' : 'ipv6');
}
