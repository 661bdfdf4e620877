import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import type { Database } from '../db/database.ts';
import { openDatabase } from '../db/database.ts';
import { SecuError } from '../domain/errors.ts';
import type { Starters } from '../domain/ports.ts';
import type { Log } from '../log/logger.ts';
import { createLogger } from '../log/logger.ts';
import type { Scrubber } from '../log/scrubber.ts';
import { createScrubber } from '../log/scrubber.ts';
import type { OutboundPolicy } from '../outbound/policy.ts';
import { createOutboundPolicy } from '../outbound/policy.ts';
import { disableCoreDumps } from '../subprocess/core-dumps.ts';
import type { TemporalAddress } from '../temporal/connection.ts';
import { createTemporalClient } from '../temporal/connection.ts';
import { createStarters } from '../temporal/starters.ts';
import type { Vault } from '../vault/vault.ts';
import { openVault } from './keys.ts';

/** What the API and every worker process share. */
export interface ProcessContext {
  config: Config;
  log: Log;
  scrubber: Scrubber;
  database: Database;
  databaseUrl: string;
  vault: Vault;
  policy: OutboundPolicy;
  temporal: TemporalAddress;
  temporalClient: ReturnType<typeof createTemporalClient>;
  starters: Starters;
  close(): Promise<void>;
}

/**
 * Opens the database, the vault and the Temporal client of this process. `role` names the process in logs and in Temporal.
 * @throws SecuError `invalid_settings` | `schema_mismatch` | `key_unknown` | `database_unavailable`
 */
export async function openProcessContext({
  config,
  role,
  poolMax,
}: {
  config: Config;
  role: string;
  poolMax: number;
}): Promise<ProcessContext> {
  const scrubber = createScrubber();
  const log = createLogger({ ...config.log, scrubber, bindings: { role } });
  if (!disableCoreDumps())
    log.warn(
      {},
      'core dumps are enabled and would contain tokens: install prlimit, or start with "ulimit -c 0"',
    );
  for (const name of config.unknown) log.warn({ name }, 'unknown setting');
  const databaseUrl = config.database.url?.value() ?? missingSetting('DATABASE_URL');
  const temporal = temporalAddressOf(config);
  const database = await openDatabase({ url: databaseUrl, poolMax });
  const { pending, unknown } = await database.schemaState();
  if (pending.length + unknown.length > 0) {
    await database.close();
    throw new SecuError(
      'schema_mismatch',
      `the database schema does not fit this version; run "secu migrate" (pending: ${pending.join(', ') || 'none'}, unknown: ${unknown.join(', ') || 'none'})`,
      { details: { newer: unknown.length > 0 } },
    );
  }
  const vault = await openVault({ config, database, onSecret: (secret) => scrubber.registerSecret(secret) });
  const policy = outboundPolicyOf(config);
  const temporalClient = createTemporalClient({
    ...temporal,
    identity: `${role}@${hostname()}:${process.pid}`,
  });
  return {
    config,
    log,
    scrubber,
    database,
    databaseUrl,
    vault,
    policy,
    temporal,
    temporalClient,
    starters: createStarters({ client: temporalClient.client }),
    async close() {
      await temporalClient.connection.close();
      await policy.close();
      await database.close();
    },
  };
}

function missingSetting(name: string): never {
  throw new SecuError(
    'invalid_settings',
    `${name} is missing: set it, or run "secu up", which starts an embedded server`,
  );
}

export function temporalAddressOf({ temporal }: Config): TemporalAddress {
  const { tls } = temporal;
  return {
    address: temporal.address ?? missingSetting('TEMPORAL_ADDRESS'),
    namespace: temporal.namespace,
    apiKey: temporal.apiKey?.value(),
    tls:
      tls === null
        ? undefined
        : {
            ...(tls.serverName === null ? {} : { serverNameOverride: tls.serverName }),
            ...(tls.serverCaPem === null ? {} : { serverRootCACertificate: Buffer.from(tls.serverCaPem) }),
            ...(tls.clientCertPem === null || tls.clientKeyPem === null
              ? {}
              : {
                  clientCertPair: {
                    crt: Buffer.from(tls.clientCertPem),
                    key: Buffer.from(tls.clientKeyPem.value()),
                  },
                }),
          },
  };
}

/** The HTTP API of a Temporal server, beside its gRPC port. */
const TEMPORAL_HTTP_PORT = 7243;

/** The policy for GitLab. Secu's own listeners are always refused. */
export function outboundPolicyOf(config: Config): OutboundPolicy {
  const { gitlab, network } = config;
  return createPolicy(config, { origins: gitlab.origins, allowedNetworks: network.allowed });
}

/** The policy for channels: any origin; private networks only if SECU_WEBHOOK_NETWORKS contains them. */
export function channelPolicyOf(config: Config): OutboundPolicy {
  return createPolicy(config, { origins: [], allowedNetworks: config.network.webhooks });
}

function createPolicy(
  { network, http, database, temporal }: Config,
  allowed: { origins: readonly string[]; allowedNetworks: readonly string[] },
): OutboundPolicy {
  const listeners = [{ host: http.host, port: http.port }];
  const databaseUrl = database.url === null ? null : new URL(database.url.value());
  if (databaseUrl !== null)
    listeners.push({ host: databaseUrl.hostname, port: Number(databaseUrl.port || 5432) });
  const temporalUrl = temporal.address === null ? null : new URL(`tcp://${temporal.address}`);
  if (temporalUrl !== null) {
    const host = temporalUrl.hostname;
    listeners.push({ host, port: Number(temporalUrl.port || 7233) }, { host, port: TEMPORAL_HTTP_PORT });
  }
  return createOutboundPolicy({
    ...allowed,
    ownListeners: listeners,
    caPem: network.caPem ?? undefined,
    proxyUrl: network.proxyUrl?.value(),
    noProxy: network.noProxy.join(','),
  });
}
