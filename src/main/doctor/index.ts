import { tmpdir } from 'node:os';
import type { Config } from '../../config/config.ts';
import { homeHolder, homeLayout } from '../../embedded/home.ts';
import { findPostgres } from '../../embedded/postgres.ts';
import { findTemporal } from '../../embedded/temporal-server.ts';
import type { TemporalAddress } from '../../temporal/connection.ts';
import { createTemporalClient } from '../../temporal/connection.ts';
import { bundledTools } from '../bundled-tools.ts';
import { probeInTemporaryHome } from '../isolated-runner.ts';
import { outboundPolicyOf, temporalAddressOf } from '../process-context.ts';
import { examineChannels } from './channels.ts';
import { examineKeys, examineMemory } from './files.ts';
import { examineMachine } from './machine.ts';
import { examineMigrations } from './migrations.ts';
import { examineOrigins } from './origins.ts';
import type { DoctorPart } from './part.ts';
import { examineSettings } from './settings.ts';
import { examineWorkflows } from './workflows.ts';

/** Checks every component of this installation, according to its settings. Changes nothing. */
export async function examineInstallation(config: Config): Promise<DoctorPart[]> {
  const temporal = config.temporal.address === null ? null : temporalAddressOf(config);
  const layout = homeLayout(config.home);
  const runs = homeHolder(config.home) !== null;
  const embeddedUrl = runs ? (findPostgres(layout)?.url ?? null) : null;
  const policy = outboundPolicyOf(config);
  try {
    const [machine, migrations, workflows, origins, channels] = await Promise.all([
      examineMachine({
        home: config.home,
        databaseUrl: config.database.url?.value() ?? null,
        temporal: temporal === null ? null : { ...temporal, connect: async () => connectionTo(temporal) },
        toolPaths: config.toolPaths,
        bundledTools: bundledTools(),
        diskReserveBytes: config.limits.diskReserveBytes,
        probeIsolation: () => probeInTemporaryHome({ config, policy, parent: tmpdir() }),
      }),
      examineMigrations(config.database.url?.value() ?? embeddedUrl),
      examineWorkflows(temporal ?? (runs ? findTemporal(layout) : null)),
      examineOrigins({ origins: config.gitlab.origins, policy, now: () => new Date() }),
      examineChannels({
        databaseUrl: config.database.url?.value() ?? embeddedUrl,
        mail: config.smtp !== null,
      }),
    ]);
    return [
      ...machine,
      examineMemory(),
      ...examineKeys(config),
      migrations,
      ...workflows,
      ...origins,
      examineSettings(config),
      channels,
    ];
  } finally {
    await policy.close();
  }
}

function connectionTo(temporal: TemporalAddress) {
  return createTemporalClient({ ...temporal, identity: 'doctor' }).connection;
}
