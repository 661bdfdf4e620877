import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { FaultAnswer, Simulator } from '../../simulator/index.ts';
import type { DryRunCause } from '../../src/domain/dry-run-causes.ts';
import { CHECK_NAMES, DRY_RUN_CAUSES } from '../../src/domain/dry-run-causes.ts';
import { causeOfRefusal } from '../../src/domain/dry-run-refusal.ts';
import { freePort } from '../../src/embedded/home.ts';
import { transportError } from '../../src/gitlab/transport-error.ts';
import { json, rawServer } from '../gitlab/support.ts';
import type { TestCa } from '../support/test-ca.ts';
import { createTestCa } from '../support/test-ca.ts';
import type { Probing } from './probing.ts';
import { openProbing } from './probing.ts';

let probing: Probing;
let simulator: Simulator;
let ca: TestCa;
const closing: Array<() => Promise<unknown>> = [];
const dryRun: Probing['dryRun'] = (requested) => probing.dryRun(requested);
const goodToken: Probing['goodToken'] = (...about) => probing.goodToken(...about);

beforeAll(async () => {
  [probing, ca] = await Promise.all([openProbing(), createTestCa()]);
  simulator = probing.simulator;
});
afterAll(async () => {
  await Promise.all([probing.close(), ca.remove()]);
});
beforeEach(() => {
  simulator.control.faults.clear();
  simulator.control.requests.reset();
});
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

const statuses = (run: { checks: { name: string; status: string }[] }) =>
  Object.fromEntries(run.checks.map(({ name, status }) => [name, status]));

test('a good token passes every check with nine API requests and two git requests', async () => {
  const run = await dryRun();
  expect(run).toMatchObject({
    verdict: 'usable',
    cause: null,
    reach: { groups: 2, projects: 3, archived: 1 },
  });
  expect(run.token).toMatchObject({ scopes: ['read_api', 'read_repository'] });
  expect(statuses(run)).toEqual({
    ...Object.fromEntries(CHECK_NAMES.map((name) => [name, 'ok'])),
    origin: 'warning', // the simulator uses plain http
    tls: 'skipped',
  });
  const requested = simulator.control.requests.list();
  expect(requested.filter(({ pathname }) => pathname.includes('.git/'))).toHaveLength(2);
  expect(requested.filter(({ pathname }) => pathname.startsWith('/api/'))).toHaveLength(7);
  expect(run.check('origin')?.cause).toBe('plain_http');
});

test('an address that is not allowed is not resolved', async () => {
  const lookup = async () => {
    throw new Error('nobody was to ask');
  };
  const run = await dryRun({ listed: 'https://gitlab.com', world: { lookup } });
  expect(run).toMatchObject({ verdict: 'unusable', cause: 'origin_not_allowed' });
  expect(run.checks.slice(1).every(({ status }) => status !== 'failed')).toBe(true);
});

/** A server below HTTP; its port. */
async function listening(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer(onSocket);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

describe('the connection to GitLab', () => {
  const failing = (code: string) => async () => {
    throw Object.assign(new Error(code), { code });
  };

  test.each([
    ['dns', 'dns_name_not_found', { lookup: failing('ENOTFOUND') }],
    ['dns', 'dns_no_answer', { lookup: failing('EAI_AGAIN') }],
    ['dns', 'address_not_allowed', { lookup: async () => ['169.254.169.254'] }],
  ] as const)('%s fails with %s', async (name, cause, world) => {
    const run = await dryRun({ baseUrl: 'https://gitlab.example.com', world });
    expect(run.verdict).toBe('unknown');
    expect(run.check(name)).toMatchObject({ status: 'failed', cause });
  });

  test('a closed port fails, and later checks are skipped', async () => {
    const run = await dryRun({ baseUrl: `http://127.0.0.1:${await freePort()}` });
    expect(run.check('tcp')).toMatchObject({ status: 'failed', cause: 'connection_refused' });
    expect(run.check('gitlab')?.status).toBe('skipped');
  });

  test.each([
    ['tls_certificate_expired', 'past', ['localhost'], true],
    ['tls_certificate_not_yet_valid', 'future', ['localhost'], true],
    ['tls_certificate_wrong_host', 'now', ['gitlab.example.com'], true],
    ['tls_certificate_untrusted', 'now', ['localhost'], false],
  ] as const)('a certificate problem is named: %s', async (cause, validity, names, trusted) => {
    const server = await rawServer(json(200, {}), { tls: await ca.issue({ names: [...names], validity }) });
    closing.push(() => server.close());
    const world = trusted ? { caPem: ca.caPem } : {};
    const run = await dryRun({ baseUrl: `https://localhost:${server.port}`, world });
    expect(run).toMatchObject({ verdict: 'unknown', cause: 'gitlab_tls_failed' });
    expect(run.check('tls')).toMatchObject({ status: 'failed', cause });
    expect(server.requests).toEqual([]);
  });

  test('a self-signed certificate is named, and one that expires soon is a warning', async () => {
    const own = await rawServer(json(200, {}), { tls: await ca.selfSigned('localhost') });
    const ending = await rawServer(json(200, {}), {
      tls: await ca.issue({ names: ['localhost'], validity: 'ending' }),
    });
    closing.push(
      () => own.close(),
      () => ending.close(),
    );
    const refused = await dryRun({ baseUrl: `https://localhost:${own.port}` });
    expect(refused.check('tls')).toMatchObject({ status: 'failed', cause: 'tls_certificate_self_signed' });
    const warned = await dryRun({ baseUrl: `https://localhost:${ending.port}`, world: { caPem: ca.caPem } });
    expect(warned.check('tls')).toMatchObject({
      status: 'warning',
      cause: 'tls_certificate_expires_soon',
      detail: '4 days left',
    });
  });

  test('a port without TLS and one that closes the connection are distinguished', async () => {
    const plain = await dryRun({ baseUrl: simulator.url.replace('http:', 'https:') });
    expect(plain.check('tls')).toMatchObject({ status: 'failed', cause: 'tls_not_spoken' });
    const port = await listening((socket) => socket.destroy());
    const cut = await dryRun({ baseUrl: `https://127.0.0.1:${port}` });
    expect(cut.check('tls')).toMatchObject({ status: 'failed', cause: 'connection_reset' });
  });

  test('a proxy that refuses is named, and the checks behind it are skipped', async () => {
    const port = await listening((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')),
    );
    const run = await dryRun({
      baseUrl: 'https://gitlab.example.com',
      world: { proxyUrl: `http://127.0.0.1:${port}` },
    });
    expect(run.check('tcp')).toMatchObject({ status: 'skipped', detail: 'through the proxy' });
    expect(run.check('gitlab')).toMatchObject({ status: 'failed', cause: 'proxy_refused' });
  });
});

describe('the server', () => {
  const html = { kind: 'html', status: 200 } as const;
  const redirect = (location: string): FaultAnswer => ({ kind: 'redirect', location });
  const of = (id: string): FaultAnswer => ({ kind: 'case', of: 'api', id });

  test.each<[DryRunCause, FaultAnswer]>([
    ['redirected_to_sign_in', redirect('https://sso.example.com/saml/login')],
    ['redirected_elsewhere', redirect('https://other.example.com/api/v4/version')],
    ['page_instead_of_api', html],
    ['basic_sign_in_in_front', { kind: 'reply', status: 401, body: 'Sign in' }],
    ['wrong_path', of('unknown_route')],
    ['bot_challenge', of('cloudflare_challenge')],
    ['address_blocked', { kind: 'reply', status: 403, body: 'no' }],
    ['gitlab_maintenance', of('deploy_in_progress_html')],
    ['gitlab_gateway_error', of('bad_gateway_html')],
    ['gitlab_server_error', of('server_error')],
    ['gitlab_rate_limited', { kind: 'rate_limit', limiter: 'rack_attack' }],
    ['gitlab_reply_unreadable', { kind: 'reply', status: 418, body: {} }],
  ])('%s', async (cause, answer) => {
    simulator.control.faults.add({ match: { path: '/api/v4/version' }, answer });
    const run = await dryRun();
    expect(run.check('gitlab')).toMatchObject({ status: 'failed', cause });
    expect(run.check('alive')?.status).toBe('skipped');
    // the token was not sent
    expect(simulator.control.requests.list()).toHaveLength(1);
  });

  test('a redirect to https and one to a www host are distinguished', async () => {
    const server = await rawServer((request, response) => {
      const host = request.headers.host ?? '';
      const location = host.startsWith('www') ? `https://${host}/` : `http://www.${host}/`;
      response.writeHead(301, { location }).end();
    });
    closing.push(() => server.close());
    const world = { lookup: async () => ['127.0.0.1'] };
    const at = (host: string) => dryRun({ baseUrl: `http://${host}:${server.port}`, world });
    expect((await at('www.example.com')).check('gitlab')?.cause).toBe('redirected_to_https');
    expect((await at('example.com')).check('gitlab')?.cause).toBe('redirected_to_www');
  });

  test('a GitLab before 15.5 without the self route is named', async () => {
    simulator.control.faults.add({
      match: { path: '/api/v4/personal_access_tokens/self' },
      answer: { kind: 'reply', status: 400, body: { error: 'id is invalid' } },
    });
    const run = await dryRun();
    expect(run).toMatchObject({ verdict: 'unusable', cause: 'not_gitlab' });
    expect(run.check('alive')).toMatchObject({ status: 'failed', cause: 'gitlab_too_old' });
  });

  test('a timeout is reported, and the dry run ends in time', async () => {
    simulator.control.faults.add({ match: { path: '/api/v4/version' }, answer: { kind: 'hang' } });
    const startedMs = performance.now();
    const run = await dryRun({ deadlineMs: 700 });
    expect(run.check('gitlab')).toMatchObject({ status: 'failed', cause: 'no_answer_in_time' });
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

describe('the token', () => {
  const SELF = '/api/v4/personal_access_tokens/self';
  const of = (id: string): FaultAnswer => ({ kind: 'case', of: 'api', id });
  const forbidden = (why: string): FaultAnswer => ({
    kind: 'reply',
    status: 403,
    body: { message: `403 Forbidden - ${why}` },
  });

  test.each<[DryRunCause, string]>([
    ['token_is_deploy_token', 'dt-'],
    ['token_is_job_token', 'cbt-'],
    ['token_is_runner_token', 'rt-'],
    ['token_is_trigger_token', 'ptt-'],
    ['token_is_feed_token', 'ft-'],
    ['token_is_incoming_mail_token', 'imt-'],
    ['token_is_agent_token', 'agent-'],
    ['token_is_workspace_token', 'wt-'],
    ['token_is_scim_token', 'soat-'],
    ['token_is_feature_flags_token', 'ffct-'],
    ['token_is_oauth_secret', 'oas-'],
  ])('%s is recognised by its prefix after a refusal', async (cause, prefix) => {
    const run = await dryRun({ token: ['gl', prefix, 'x'.repeat(20)].join('') });
    expect(run).toMatchObject({ verdict: 'unusable', cause: 'token_wrong_kind' });
    expect(run.check('token_shape')).toMatchObject({ status: 'failed', cause });
    expect(run.check('alive')?.status).toBe('skipped');
  });

  test.each<[DryRunCause, FaultAnswer]>([
    ['token_expired', of('expired')],
    ['token_revoked', of('revoked')],
    ['token_rejected', of('unknown_token')],
    ['token_wrong_kind', of('self_with_oauth_token')],
    ['impersonation_switched_off', of('impersonation_disabled')],
    ['dpop_required', of('dpop_required')],
    ['account_blocked', of('user_blocked')],
    ['account_must_accept_terms', of('user_terms')],
    ['account_not_confirmed', forbidden('Your primary email address is not confirmed.')],
    [
      'account_password_expired',
      forbidden('Your password expired. Please access GitLab from a web browser.'),
    ],
  ])('is refused: %s', async (cause, answer) => {
    simulator.control.faults.add({ match: { path: SELF }, answer });
    const run = await dryRun();
    expect(run).toMatchObject({ verdict: 'unusable', token: null });
    expect(run.check('alive')).toMatchObject({ status: 'failed', cause });
  });

  test('excess scopes and a personal owner are warnings, and the token stays usable', async () => {
    const run = await dryRun({
      token: goodToken(
        { scopes: ['api', 'read_repository', 'write_repository'], expiresAt: null },
        { kind: 'human' },
      ),
    });
    expect(run.verdict).toBe('usable');
    expect(run.check('owner')).toMatchObject({ status: 'warning', cause: 'token_of_a_person' });
    expect(run.check('scopes')).toMatchObject({
      cause: 'token_overprivileged',
      detail: 'not needed: api, write_repository',
    });
    expect(run.check('expiry')).toMatchObject({ status: 'ok', detail: 'never' });
  });

  test('needs the scope to rotate; a near expiry is a warning', async () => {
    const tomorrow = new Date(simulator.control.now().getTime() + 86_400_000).toISOString().slice(0, 10);
    const run = await dryRun({ token: goodToken({ expiresAt: tomorrow }), wantsRotation: true });
    expect(run.verdict).toBe('usable');
    expect(run.check('scopes')?.cause).toBe('scope_missing_rotate');
    expect(run.check('expiry')?.cause).toBe('expires_soon');
    const able = await dryRun({
      token: goodToken({ scopes: ['read_api', 'self_rotate'] }),
      wantsRotation: true,
    });
    expect(able.check('scopes')).toMatchObject({ status: 'ok', cause: null });
  });

  test('that cannot list is recognised by its scopes and by the response', async () => {
    const run = await dryRun({ token: goodToken({ scopes: ['read_repository'] }) });
    expect(run).toMatchObject({ verdict: 'unusable', cause: 'token_scope_missing' });
    expect(run.check('owner')?.cause).toBe('owner_unknown');
    expect(run.check('scopes')?.cause).toBe('scope_missing_list');
    expect(run.check('list')?.cause).toBe('scope_missing_list');
  });

  test('fine-grained: a missing permission is named; a token that cannot read itself is usable', async () => {
    const granular = (...permissions: string[]) =>
      goodToken({ granular: [{ access: 'all_memberships', permissions }] });
    const blind = await dryRun({ token: granular('read_project', 'download_code') });
    expect(blind.verdict).toBe('usable');
    expect(blind.check('alive')?.cause).toBe('token_may_not_read_itself');
    expect(blind.check('expiry')?.cause).toBe('expiry_unknown');
    const deaf = await dryRun({ token: granular('read_personal_access_token', 'download_code') });
    expect(deaf).toMatchObject({ verdict: 'unusable', cause: 'token_scope_missing' });
    expect(deaf.check('list')?.cause).toBe('permission_missing_list');
    const idle = await dryRun({ token: granular('read_personal_access_token', 'read_project') });
    expect(idle.check('clone')?.cause).toBe('permission_missing_clone');
  });

  test('classic, under a policy for fine-grained tokens, is named', async () => {
    simulator.control.faults.add({
      match: { path: '/api/v4/projects' },
      answer: of('granular_permission_missing'),
    });
    expect((await dryRun()).check('list')).toMatchObject({
      status: 'failed',
      cause: 'fine_grained_required',
    });
  });
});

describe('cloning', () => {
  const git = (id: string): FaultAnswer => ({ kind: 'case', of: 'git', id });

  test.each<[DryRunCause, FaultAnswer, string]>([
    ['scope_missing_clone', git('scope_without_code'), 'failed'],
    ['sso_session_required', git('sso_session'), 'failed'],
    ['git_unreachable', git('html_gateway'), 'failed'],
    ['git_rate_limited', git('ip_banned'), 'failed'],
    ['git_redirected', { kind: 'redirect', location: 'https://other.example.com/x.git/info/refs' }, 'failed'],
    ['clone_not_proven', git('role_without_code_or_repository_off'), 'warning'],
    ['git_over_http_off', git('http_disabled'), 'warning'],
  ])('%s', async (cause, answer, status) => {
    simulator.control.faults.add({ match: { path: /\.git\// }, answer });
    const run = await dryRun();
    expect(run.check('clone')).toMatchObject({ status, cause });
    expect(run.verdict).not.toBe(status === 'failed' ? 'usable' : 'unknown');
  });
});

describe('reach', () => {
  test('a user without projects, a service account without memberships and a Guest are distinguished', async () => {
    const nobody = await dryRun({ token: goodToken({}, { kind: 'human', member: false }) });
    expect(nobody.check('reach')).toMatchObject({ status: 'warning', cause: 'no_repositories' });
    const account = await dryRun({ token: goodToken({}, { kind: 'service_account', member: false }) });
    expect(account.check('reach')?.cause).toBe('service_account_not_invited');
    expect(account.check('clone')?.status).toBe('skipped');

    const { id: userId } = simulator.control.createUser({ kind: 'human', member: false });
    simulator.control.setRole({ project: 'acme/shop', userId, level: 10, via: 'project' });
    const { token } = simulator.control.createToken({ userId });
    expect((await dryRun({ token })).check('reach')?.cause).toBe('role_too_low');
  });

  test('a rate limit that is nearly used up is a warning', async () => {
    const limits = { 'RateLimit-Limit': '2000', 'RateLimit-Remaining': '12', 'X-Total': '3' };
    simulator.control.faults.add({
      match: { path: /archived=true/ },
      answer: { kind: 'reply', status: 200, headers: limits, body: [] },
    });
    simulator.control.faults.add({
      match: { path: /\/(groups|projects)\?.*per_page=1$/ },
      answer: { kind: 'reply', status: 200, headers: limits, body: [] },
    });
    const run = await dryRun();
    expect(run.check('rate_limit')).toMatchObject({
      status: 'warning',
      cause: 'rate_limit_low',
      detail: '12 of 2000 requests left',
    });
  });
});

/** Causes that a test cannot produce on every machine: dropped packets, no route, a TLS version that OpenSSL removed. */
const NOT_PRODUCED = [
  ['connection_timed_out', 'ETIMEDOUT'],
  ['no_route', 'EHOSTUNREACH'],
  ['tls_handshake_failed', 'ERR_SSL_UNSUPPORTED_PROTOCOL'],
] as const;

test.each(NOT_PRODUCED)('%s is recognised by the system error %s', (cause, code) => {
  const requested = { method: 'CONNECT', endpoint: 'the port', host: 'gitlab.example.com' };
  const named = causeOfRefusal(transportError(Object.assign(new Error(code), { code }), requested), 'api');
  expect(named).toBe(cause === 'connection_timed_out' ? 'no_answer_in_time' : cause);
});

test('probes return every other cause of the table', () => {
  const unmade: DryRunCause[] = NOT_PRODUCED.map(([cause]) => cause);
  const missing = (Object.keys(DRY_RUN_CAUSES) as DryRunCause[]).filter(
    (cause) => !probing.seenCauses.has(cause),
  );
  expect(missing.toSorted()).toEqual(unmade.toSorted());
  expect(probing.seenCauses.size).toBeGreaterThan(35);
});
