import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** One request, as routes receive it. */
export type SimulatedRequest = {
  method: string;
  /** Not decoded; without the query and the base path of the instance. */
  pathname: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Address of the client. */
  address: string;
  /** The whole body, decompressed. */
  body: Buffer;
};

/** The credentials that a client sent. */
export type Credentials =
  | { kind: 'none' }
  | { kind: 'private_token' | 'bearer' | 'query'; secret: string }
  | { kind: 'basic'; username: string; secret: string };

/** @throws Error when the body is too large or does not match its encoding */
export async function readRequest(message: IncomingMessage, basePath: string): Promise<SimulatedRequest> {
  const target = message.url ?? '/';
  const mark = target.indexOf('?');
  const pathname = mark === -1 ? target : target.slice(0, mark);
  return {
    method: message.method ?? 'GET',
    pathname: pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : `/outside${pathname}`,
    query: new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1)),
    headers: message.headers,
    address: message.socket.remoteAddress ?? 'unknown',
    body: await readBody(message),
  };
}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`a body of more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(buffer);
  }
  const body = Buffer.concat(chunks);
  return message.headers['content-encoding'] === 'gzip' ? promisify(gunzip)(body) : body;
}

export function credentialsOf(request: Pick<SimulatedRequest, 'headers' | 'query'>): Credentials {
  const header = request.headers['private-token'];
  if (typeof header === 'string') return { kind: 'private_token', secret: header };
  const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme.toLowerCase() === 'bearer') return { kind: 'bearer', secret: value };
  if (scheme.toLowerCase() === 'basic') {
    const pair = Buffer.from(value, 'base64').toString();
    const colon = pair.indexOf(':');
    return { kind: 'basic', username: pair.slice(0, Math.max(0, colon)), secret: pair.slice(colon + 1) };
  }
  const query = request.query.get('private_token');
  return query === null ? { kind: 'none' } : { kind: 'query', secret: query };
}

/** Parameters of a call from the query, the form or the JSON body. */
export function parametersOf(request: SimulatedRequest): Map<string, string> {
  const parameters = new Map(request.query);
  const type = request.headers['content-type'] ?? '';
  if (type.includes('json') && request.body.length > 0) {
    const value: unknown = JSON.parse(request.body.toString());
    for (const [name, field] of Object.entries(value ?? {})) parameters.set(name, String(field));
  } else if (type.includes('form-urlencoded')) {
    for (const [name, field] of new URLSearchParams(request.body.toString())) parameters.set(name, field);
  }
  return parameters;
}
