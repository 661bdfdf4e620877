import type { Response } from 'undici';
import { fetch } from 'undici';
import { CAUSE_TEXTS } from '../../domain/causes.ts';
import { transportError } from '../../gitlab/transport-error.ts';
import type { OutboundPolicy } from '../../outbound/policy.ts';
import type { DoctorPart } from './part.ts';
import { part } from './part.ts';

const TIMEOUT_MS = 10_000;
/** A `Date` header has whole seconds and arrives late, so a smaller difference proves nothing. */
const SKEW_MS = 30_000;
const ENDPOINT = '/api/v4/version';

interface OriginCheck {
  part: DoctorPart;
  /** How far this machine's clock is ahead, in ms; `null` if unknown. */
  aheadMs: number | null;
}

/** Sends each GitLab a request without a token, and compares the clocks. */
export async function examineOrigins(input: {
  origins: readonly string[];
  policy: OutboundPolicy;
  now: () => Date;
}): Promise<DoctorPart[]> {
  const checks = await Promise.all(input.origins.map((origin) => examineOrigin({ ...input, origin })));
  return [...checks.map((check) => check.part), clockPart(checks)];
}

async function examineOrigin(input: {
  origin: string;
  policy: OutboundPolicy;
  now: () => Date;
}): Promise<OriginCheck> {
  const { origin, policy, now } = input;
  const url = new URL(`${origin}${ENDPOINT}`);
  const name = `gitlab ${url.host}`;
  try {
    const response = await fetch(url, {
      dispatcher: policy.dispatcherFor(url),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { Accept: 'application/json' },
    });
    await response.body?.cancel();
    const dateMs = Date.parse(response.headers.get('Date') ?? '');
    const aheadMs = Number.isNaN(dateMs) ? null : now().getTime() - dateMs;
    return { part: partForResponse({ name, origin, response }), aheadMs };
  } catch (err) {
    const { code, message } = transportError(err, { method: 'GET', endpoint: ENDPOINT, host: url.host });
    const advice = CAUSE_TEXTS[code === 'gitlab_tls_failed' ? code : 'gitlab_unreachable'].advice;
    return { part: part(name, { source: origin, status: 'failed', detail: message, advice }), aheadMs: null };
  }
}

/** Without a token, GitLab responds with 401 in JSON. @see GitLab docs, "Version API": authentication is required */
function partForResponse(input: { name: string; origin: string; response: Response }): DoctorPart {
  const { name, origin, response } = input;
  const isJson = /^application\/json\b/i.test(response.headers.get('Content-Type') ?? '');
  if (isJson && (response.status === 401 || response.ok))
    return part(name, { source: origin, detail: 'responds like GitLab' });
  return part(name, {
    source: origin,
    status: 'warning',
    detail: `responds with ${response.status}, not like GitLab`,
    advice: CAUSE_TEXTS[response.status >= 500 ? 'gitlab_unreachable' : 'not_gitlab'].advice,
  });
}

function clockPart(checks: readonly OriginCheck[]): DoctorPart {
  const [aheadMs] = checks
    .map((check) => check.aheadMs)
    .filter((each) => each !== null)
    .sort((one, other) => Math.abs(one) - Math.abs(other));
  if (aheadMs === undefined) return part('clock', { detail: 'not compared: no GitLab responded' });
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  if (Math.abs(aheadMs) < SKEW_MS) return part('clock', { detail: 'agrees with GitLab' });
  return part('clock', {
    status: 'warning',
    detail: `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} GitLab`,
    advice: 'Synchronize the clock with NTP: expiry dates depend on it, and TLS fails if it is far off.',
  });
}
