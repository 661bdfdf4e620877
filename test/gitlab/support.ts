import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SecuError } from '../../src/domain/errors.ts';
import { isSecuError } from '../../src/domain/errors.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { GitlabApi, GitlabClient } from '../../src/gitlab/client.ts';
import { createGitlabClient } from '../../src/gitlab/client.ts';
import type { Pacer } from '../../src/gitlab/pacer.ts';
import { createPacer } from '../../src/gitlab/pacer.ts';
import type { OutboundOptions, OutboundPolicy } from '../../src/outbound/policy.ts';
import { createOutboundPolicy } from '../../src/outbound/policy.ts';

export const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/** Looks like a token but is none; in parts, so that scanners do not report this file. */
export function canaryToken(): string {
  return ['gl', 'pat-', 'Canary', 'x'.repeat(14)].join('');
}

export interface SeenRequest {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

export interface RawServer {
  url: string;
  port: number;
  requests: SeenRequest[];
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that sends answers that no GitLab sends. */
export async function rawServer(
  handler: Handler,
  { tls, host = '127.0.0.1' }: { tls?: { key: string; cert: string }; host?: string } = {},
): Promise<RawServer> {
  const requests: SeenRequest[] = [];
  const onRequest: Handler = (request, response) => {
    requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    handler(request, response);
  };
  const server = tls === undefined ? createHttpServer(onRequest) : createHttpsServer(tls, onRequest);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Gives every request the same answer. */
export function answering(
  status: number,
  headers: Record<string, string>,
  body: string | Buffer = '',
): Handler {
  return (_request, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

export const JSON_HEADERS = { 'content-type': 'application/json' };

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Handler {
  return answering(status, { ...JSON_HEADERS, ...headers }, JSON.stringify(body));
}

export interface World {
  client: GitlabClient;
  policy: OutboundPolicy;
  pacer: Pacer;
  api: (input?: { baseUrl?: string; token?: string }) => GitlabApi;
}

/** A client that may connect to one base URL on loopback. */
export function worldOf(
  baseUrl: string,
  options: Partial<OutboundOptions> & { requestTimeoutMs?: number; pacer?: Pacer } = {},
): World {
  const policy = createOutboundPolicy({
    origins: [baseUrl],
    allowedNetworks: LOOPBACK,
    ownListeners: [],
    ...options,
  });
  const pacer = options.pacer ?? createPacer({ perSecond: 1_000 });
  const { requestTimeoutMs = 5_000 } = options;
  const client = createGitlabClient({ policy, pacer, userAgent: 'Secu/0.0.0-test', requestTimeoutMs });
  return {
    client,
    policy,
    pacer,
    api: ({ baseUrl: base = baseUrl, token = canaryToken() } = {}) =>
      client.forToken({ baseUrl: base, token: new Secret(token) }),
  };
}

/** The SecuError with which this fails. */
export async function failureOf(action: Promise<unknown>): Promise<SecuError> {
  const err: unknown = await action.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!isSecuError(err)) throw new Error('no SecuError', { cause: err });
  return err;
}

export interface TestCa {
  caPem: string;
  issue(input: {
    names: string[];
    validity?: keyof typeof DATES | 'ending';
  }): Promise<{ key: string; cert: string }>;
  /** A self-signed certificate. */
  selfSigned(name: string): Promise<{ key: string; cert: string }>;
  remove(): Promise<void>;
}

const run = promisify(execFile);
const DATES = {
  now: ['20200101000000Z', '20991231000000Z'],
  past: ['20200101000000Z', '20210101000000Z'],
  future: ['20980101000000Z', '20991231000000Z'],
} as const;

/** Times in the format of `openssl ca`. */
function inDays(days: number): string {
  return `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}

/** A temporary certificate authority, created with `openssl`. */
export async function createTestCa(): Promise<TestCa> {
  const folder = await mkdtemp(join(tmpdir(), 'secu-ca-'));
  const at = (name: string): string => join(folder, name);
  await writeFile(at('index'), '');
  await writeFile(at('index.attr'), 'unique_subject = no\n');
  await writeFile(
    at('conf'),
    [
      '[ca]',
      'default_ca = own',
      '[own]',
      `dir = ${folder}`,
      'database = $dir/index',
      'new_certs_dir = $dir',
      'rand_serial = yes',
      'default_md = sha256',
      'policy = any',
      'copy_extensions = copy',
      '[any]',
      'commonName = supplied',
      '[req]',
      'distinguished_name = dn',
      '[dn]',
      '[root]',
      'basicConstraints = critical,CA:TRUE',
      'keyUsage = critical,keyCertSign',
      '',
    ].join('\n'),
  );
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const newKey = (name: string) =>
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at(name));
  await newKey('ca.key');
  await openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    'ca.key',
    '-subj',
    '/CN=Secu test root',
    '-days',
    '3650',
    '-config',
    'conf',
    '-extensions',
    'root',
    '-out',
    'ca.pem',
  );
  let issued = 0;
  return {
    caPem: await readFile(at('ca.pem'), 'utf8'),
    async issue({ names, validity = 'now' }) {
      issued += 1;
      const id = `leaf${issued}`;
      const [start, end] = validity === 'ending' ? [DATES.now[0], inDays(5)] : DATES[validity];
      const alternatives = names
        .map((name) => (/^[\d.:]+$/.test(name) ? `IP:${name}` : `DNS:${name}`))
        .join(',');
      await newKey(`${id}.key`);
      await openssl(
        'req',
        '-new',
        '-key',
        `${id}.key`,
        '-subj',
        `/CN=${id}`,
        '-addext',
        `subjectAltName=${alternatives}`,
        '-config',
        'conf',
        '-out',
        `${id}.csr`,
      );
      await openssl(
        'ca',
        '-batch',
        '-config',
        'conf',
        '-cert',
        'ca.pem',
        '-keyfile',
        'ca.key',
        '-startdate',
        start,
        '-enddate',
        end,
        '-in',
        `${id}.csr`,
        '-out',
        `${id}.pem`,
        '-notext',
      );
      return { key: await readFile(at(`${id}.key`), 'utf8'), cert: await readFile(at(`${id}.pem`), 'utf8') };
    },
    async selfSigned(name) {
      await newKey('own.key');
      const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
      await openssl('req', '-x509', '-new', '-key', 'own.key', ...subject, '-days', '30', '-out', 'own.pem');
      return { key: await readFile(at('own.key'), 'utf8'), cert: await readFile(at('own.pem'), 'utf8') };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
