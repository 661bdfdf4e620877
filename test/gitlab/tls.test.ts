import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { isSecuError } from '../../src/domain/errors.ts';
import type { TestCa } from '../support/test-ca.ts';
import { createTestCa } from '../support/test-ca.ts';
import type { RawServer } from './support.ts';
import { json, rawServer, worldOf } from './support.ts';

const project = { id: 1, path_with_namespace: 'acme/shop' };
const closing: Array<() => Promise<void>> = [];
let ca: TestCa;
let otherCa: TestCa;

beforeAll(async () => {
  [ca, otherCa] = await Promise.all([createTestCa(), createTestCa()]);
});

afterAll(() => Promise.all([ca.remove(), otherCa.remove()]));

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function server(
  certificate: Parameters<TestCa['issue']>[0] = { names: ['localhost', '127.0.0.1'] },
): Promise<RawServer> {
  const opened = await rawServer(json(200, project), { tls: await ca.issue(certificate) });
  closing.push(() => opened.close());
  return opened;
}

async function askAt(url: string, options: Parameters<typeof worldOf>[1] = {}) {
  const world = worldOf(url, options);
  closing.push(() => world.policy.close());
  try {
    return await world.api().readProject(1);
  } catch (err) {
    if (isSecuError(err)) return { code: err.code, problem: err.details['problem'] };
    throw err;
  }
}

test('a private root is trusted only if it is configured', async () => {
  const { url, requests } = await server();
  expect(await askAt(url, { caPem: ca.caPem })).toMatchObject({ fullPath: 'acme/shop' });
  expect(requests).toHaveLength(1);
  const untrusted = { code: 'gitlab_tls_failed', problem: 'tls_certificate_untrusted' };
  expect(await askAt(url)).toEqual(untrusted);
  expect(await askAt(url, { caPem: otherCa.caPem })).toEqual(untrusted);
  expect(requests).toHaveLength(1);
});

test('all roots in one file are trusted', async () => {
  const { url } = await server();
  expect(await askAt(url, { caPem: `${otherCa.caPem}\n${ca.caPem}` })).toMatchObject({
    fullPath: 'acme/shop',
  });
});

test('a certificate is checked against the host name, although the connection is pinned to an address', async () => {
  const { port } = await server({ names: ['gitlab.example.com'] });
  const lookup = () => Promise.resolve(['127.0.0.1']);
  expect(await askAt(`https://gitlab.example.com:${port}`, { caPem: ca.caPem, lookup })).toMatchObject({
    fullPath: 'acme/shop',
  });
  expect(await askAt(`https://other.example.com:${port}`, { caPem: ca.caPem, lookup })).toEqual({
    code: 'gitlab_tls_failed',
    problem: 'tls_certificate_wrong_host',
  });
});

test.each([
  ['past', 'tls_certificate_expired'],
  ['future', 'tls_certificate_not_yet_valid'],
] as const)('a certificate of the %s has its own problem code', async (validity, problem) => {
  const { url } = await server({ names: ['127.0.0.1'], validity });
  expect(await askAt(url, { caPem: ca.caPem })).toEqual({ code: 'gitlab_tls_failed', problem });
});

test('https to a server without TLS is a TLS failure, not a token failure', async () => {
  const plain = await rawServer(json(200, project));
  closing.push(() => plain.close());
  expect(await askAt(`https://127.0.0.1:${plain.port}`)).toMatchObject({ code: 'gitlab_tls_failed' });
  const world = worldOf(`https://127.0.0.1:${plain.port}`);
  closing.push(() => world.policy.close());
  expect(await world.api().observeSelf()).toEqual({ kind: 'no_answer', cause: 'gitlab_tls_failed' });
});

test('no environment variable disables verification', async () => {
  const { url } = await server();
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  try {
    expect(await askAt(url)).toMatchObject({ code: 'gitlab_tls_failed' });
  } finally {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
  }
});
