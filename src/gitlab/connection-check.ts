import type { Socket } from 'node:net';
import { connect, isIP } from 'node:net';
import { connect as secure } from 'node:tls';
import type { Step } from '../domain/dry-run.ts';
import { NOT_TRIED } from '../domain/dry-run.ts';
import { stepOf } from '../domain/dry-run-refusal.ts';
import { SecuError } from '../domain/errors.ts';
import type { OutboundPolicy } from '../outbound/policy.ts';
import { transportError } from './transport-error.ts';

const CONNECT_TIMEOUT_MS = 3_000;
const DAY_MS = 86_400_000;

export interface ConnectionFindings {
  dns: Step;
  tcp: Step;
  tls: Step;
  /** Whole days until the certificate of the server expires. */
  certificateDays: number | null;
}

/**
 * Checks the connection to a GitLab step by step, without a token: name, connection, certificate. It connects only
 * to checked addresses. Behind a proxy, none of these steps can be checked.
 */
export async function checkConnection(input: {
  policy: OutboundPolicy;
  url: URL;
  signal: AbortSignal;
}): Promise<ConnectionFindings> {
  const { policy, url, signal } = input;
  if (policy.proxyFor(url) !== null) {
    const proxied = { kind: 'not_tried', detail: 'through the proxy' } as const;
    return { dns: proxied, tcp: proxied, tls: proxied, certificateDays: null };
  }
  const nothing = { tcp: NOT_TRIED, tls: NOT_TRIED, certificateDays: null };
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  let addresses: string[] = [];
  const dns = await layer(input, async () => {
    addresses = await resolved(policy, url, port);
    return addresses.join(', ');
  });
  if (dns.kind !== 'ok') return { ...nothing, dns };

  const opened: { socket: Socket | null } = { socket: null };
  const reached = await layer(input, async () => {
    opened.socket = await openFirst({ addresses, port, signal });
    return `${opened.socket.remoteAddress} port ${port}`;
  });
  const isLate = reached.kind === 'refused' && reached.cause === 'no_answer_in_time' && !signal.aborted;
  const tcp = isLate ? ({ ...reached, cause: 'connection_timed_out' } as const) : reached;
  const { socket } = opened;
  if (socket === null) return { ...nothing, dns, tcp };
  try {
    if (url.protocol !== 'https:') return { ...nothing, dns, tcp };
    let certificateDays: number | null = null;
    const tls = await layer(input, async () => {
      certificateDays = await certificateDaysOf({ policy, url, socket, signal });
      return `certificate verified, ${certificateDays} days left`;
    });
    return { dns, tcp, tls, certificateDays };
  } finally {
    socket.destroy();
  }
}

/** Runs a step. Its system errors are named like those of a request. */
function layer(
  { url, signal }: { url: URL; signal: AbortSignal },
  work: () => Promise<string>,
): Promise<Step> {
  const requested = { method: 'CONNECT', endpoint: 'the port', host: url.host };
  return stepOf(
    () =>
      work().catch((err: unknown) => {
        throw transportError(err, requested);
      }),
    { signal },
  );
}

function resolved(policy: OutboundPolicy, url: URL, port: number): Promise<string[]> {
  return policy.resolve({ host: url.hostname, port });
}

/** Connects to the first address that accepts. @throws the error of the last address if none does */
async function openFirst(input: {
  addresses: readonly string[];
  port: number;
  signal: AbortSignal;
}): Promise<Socket> {
  let failure: unknown = new SecuError('gitlab_unreachable', 'no address');
  for (const address of input.addresses) {
    try {
      return await openSocket({ ...input, address });
    } catch (err) {
      failure = err;
    }
  }
  throw failure;
}

function openSocket(input: { address: string; port: number; signal: AbortSignal }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: input.address, port: input.port, signal: input.signal });
    const late = Object.assign(new Error('no connection'), { code: 'ETIMEDOUT' });
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(late));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      socket.on('error', () => socket.destroy()); // the next step reports it
      resolve(socket);
    });
  });
}

function certificateDaysOf(input: {
  policy: OutboundPolicy;
  url: URL;
  socket: Socket;
  signal: AbortSignal;
}): Promise<number> {
  const { policy, url, socket, signal } = input;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const name = isIP(host) === 0 ? { servername: host } : { host };
    const encrypted = secure({ socket, ...name, ...policy.tls });
    const give = (err: Error) => {
      encrypted.destroy();
      reject(err);
    };
    signal.addEventListener('abort', () => give(new Error('late')), { once: true });
    encrypted.setTimeout(CONNECT_TIMEOUT_MS, () =>
      give(Object.assign(new Error('late'), { code: 'ETIMEDOUT' })),
    );
    encrypted.once('error', give);
    encrypted.once('close', () => give(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    encrypted.once('secureConnect', () => {
      const { valid_to: validTo } = encrypted.getPeerCertificate();
      encrypted.removeAllListeners('close');
      encrypted.end();
      resolve(Math.floor((Date.parse(validTo) - Date.now()) / DAY_MS));
    });
  });
}
