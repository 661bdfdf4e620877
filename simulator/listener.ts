import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export type Tls = { key: string; cert: string };

/** A listening socket that can close and reopen on the same port. */
export type Listener = {
  port: number;
  /** Refuses new connections and closes open ones, until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
};

/** @throws Error when the port is taken */
export async function listen(options: {
  host: string;
  /** 0: any free port. */
  port: number;
  tls?: Tls | undefined;
  onRequest: (message: IncomingMessage, response: ServerResponse) => void;
}): Promise<Listener> {
  const open = async (port: number): Promise<Server> => {
    const server =
      options.tls === undefined
        ? createHttpServer(options.onRequest)
        : createHttpsServer(options.tls, options.onRequest);
    // Longer than the keep-alive of clients: a connection that closes during a request would look like an outage.
    server.keepAliveTimeout = 120_000;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, options.host, resolve);
    });
    return server;
  };
  let server: Server | null = await open(options.port);
  const port = portOf(server.address());
  return {
    port,
    async down() {
      const closing = server;
      server = null;
      if (closing === null) return;
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
      closing.closeAllConnections();
      await closed;
    },
    async up() {
      server ??= await open(port);
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
