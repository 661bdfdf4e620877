import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface ReceivedPost {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface HttpReceiver {
  url: string;
  /** Complete bodies, in order of arrival. */
  posts: ReceivedPost[];
  /** The response to a POST, which tests can replace. Default 204. */
  answer: (response: ServerResponse) => void;
  close(): Promise<void>;
}

interface Tls {
  key: string;
  cert: string;
}

/** A receiver of webhooks. */
export async function httpReceiver({ tls }: { tls?: Tls } = {}): Promise<HttpReceiver> {
  const server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  const receiver: HttpReceiver = {
    url: '',
    posts: [],
    answer: (response) => response.writeHead(204).end(),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  server.on('request', (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString('utf8');
      receiver.posts.push({ path: request.url ?? '', headers: request.headers, body });
      receiver.answer(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  receiver.url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  return receiver;
}

export interface ReceivedMail {
  from: string;
  to: string[];
  user: string | null;
  secure: boolean;
  /** The mail as received, including headers. */
  raw: string;
}

export interface MailReceiver {
  port: number;
  mails: ReceivedMail[];
  /** Refuses recipients with this reply code; 0 accepts them. */
  refuseRecipients: number;
  close(): Promise<void>;
}

/** A mail server: with STARTTLS, implicit TLS, or no TLS; with a password if one is given. */
export async function mailReceiver(
  options: { tls?: Tls; implicit?: boolean; user?: string; password?: string } = {},
): Promise<MailReceiver> {
  const { tls, implicit = false, user, password } = options;
  const receiver: MailReceiver = { port: 0, mails: [], refuseRecipients: 0, close: async () => {} };
  const hidden = [
    'PIPELINING',
    ...(tls === undefined ? ['STARTTLS'] : []),
    ...(user === undefined ? ['AUTH'] : []),
  ];
  const server = new SMTPServer({
    ...tls,
    secure: implicit,
    disabledCommands: hidden,
    authOptional: user === undefined,
    closeTimeout: 100,
    onAuth(given, _session, done) {
      if (given.username === user && given.password === password) done(null, { user: given.username });
      else done(new Error('Wrong user or password'));
    },
    onRcptTo(_address, _session, done) {
      if (receiver.refuseRecipients === 0) return done();
      done(Object.assign(new Error('No such mailbox'), { responseCode: receiver.refuseRecipients }));
    },
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        receiver.mails.push({
          from: mailFrom === false || mailFrom === null ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: typeof session.user === 'string' ? session.user : null,
          secure: session.secure,
          raw: Buffer.concat(parts).toString('utf8'),
        });
        done();
      });
    },
  });
  // a client that does not trust the certificate disconnects, which some tests expect
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  receiver.port = (server.server.address() as AddressInfo).port;
  receiver.close = () => new Promise((resolve) => server.close(() => resolve()));
  return receiver;
}
