import { Client, Connection } from '@temporalio/client';
import type { TLSConfig } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { SecuError } from '../domain/errors.ts';

export interface TemporalAddress {
  address: string;
  namespace: string;
  apiKey?: string | undefined;
  tls?: TLSConfig | boolean | undefined;
}

/** The SDK waits ten seconds for its first connection, whatever the caller's deadline: too long for a request. */
const CONNECT_TIMEOUT_MS = 3_000;

/**
 * A client that connects on first use, so that the API can start and accept work while Temporal is unavailable.
 * `identity` is shown in the Temporal UI.
 */
export function createTemporalClient({
  address,
  namespace,
  apiKey,
  tls,
  identity,
}: TemporalAddress & { identity: string }) {
  const connection = Connection.lazy({
    address,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tls === undefined ? {} : { tls }),
  });
  return { connection, client: new Client({ connection, namespace, identity }) };
}

/** @throws SecuError `temporal_unavailable` */
export async function pingTemporal({
  connection,
  namespace,
  timeoutMs,
}: {
  connection: Connection;
  namespace: string;
  timeoutMs: number;
}): Promise<void> {
  try {
    await connection.withDeadline(Date.now() + timeoutMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } catch (err) {
    throw new SecuError('temporal_unavailable', 'the Temporal server does not answer', { cause: err });
  }
}
