import { createDeadline } from '../concurrency/deadline.ts';
import { canceled, SecuError } from '../domain/errors.ts';
import type { RemoteRepository } from '../domain/ports.ts';
import { NO_FENCE } from '../subprocess/process.ts';
import type { Sandbox } from '../subprocess/sandbox.ts';
import type { CloneAddress } from './address.ts';
import { cloneAddress } from './address.ts';
import { gitConfig } from './config.ts';
import { openCredential } from './credentials.ts';
import { runGit } from './git-command.ts';
import type { Refusal } from './refusals.ts';
import { refusalOf, reportsNoRepository } from './refusals.ts';

/** Settings shared by all calls of an installation. */
export interface CallSettings {
  workFolder: string;
  pinFor: (url: string) => Promise<string | null>;
  proxyFor: (url: URL) => string | null;
  /** One PEM file with the roots of the system and ours; `null` = the system's. */
  caFile: string | null;
  templateFolder: string;
  lowSpeedSeconds: number;
  gitBinary: string;
  /** A folder in a memory file system. */
  memoryFolder: string;
  sandbox: Sandbox | null;
}

export interface Call {
  settings: CallSettings;
  repository: RemoteRepository;
  args: (url: string) => string[];
  timeoutMs: number;
  /** The error when the deadline passes. */
  onTimeout: Refusal;
  maxFileBytes: number;
  /** The folder that git writes to. */
  writable?: string;
  /** An additional reason to stop, and its error. */
  stop?: { signal: AbortSignal; refusal: Refusal };
}

/**
 * Runs git once for one repository, with its own configuration and deadline.
 * @returns its output, or `null` where GitLab reports that the repository was never created
 * @throws SecuError with the codes of `RemoteErrorCode`, and those of `pinFor`
 */
export async function callGit(call: Call): Promise<string | null> {
  const { settings, repository, stop } = call;
  const address = cloneAddress(repository);
  if (repository.signal.aborted) throw canceled();
  const stops = stop === undefined ? [] : [stop.signal];
  const pin = await pinOf(settings, address);
  const writable = call.writable === undefined ? [] : [call.writable];
  const fence = await settings.sandbox?.fenceFor({ network: true, writable });
  const deadline = createDeadline(call.timeoutMs);
  const configuration = openCredential({
    folder: settings.memoryFolder,
    token: repository.token,
    config: (header) =>
      gitConfig({
        ...settings,
        protocol: address.protocol,
        scope: address.scope,
        header,
        pin,
        proxy: settings.proxyFor(new URL(address.url)),
      }),
  });
  try {
    const outcome = await runGit({
      args: call.args(address.url),
      folder: settings.workFolder,
      configFd: configuration.fd,
      protocol: address.protocol,
      gitBinary: settings.gitBinary,
      fence: fence ?? NO_FENCE,
      maxFileBytes: call.maxFileBytes,
      signal: AbortSignal.any([repository.signal, deadline.signal, ...stops]),
    });
    if (outcome.exitCode === 0) return outcome.stdout;
    if (repository.signal.aborted) throw canceled();
    if (stop?.signal.aborted === true) throw refused(stop.refusal);
    if (deadline.signal.aborted) throw refused(call.onTimeout);
    if (reportsNoRepository(outcome.stderr)) return null;
    throw refused(refusalOf(outcome.stderr));
  } finally {
    deadline.close();
    configuration.close();
  }
}

/** Maps a refusal to its error, without any text of git or GitLab. */
export function refused({ code, problem }: Refusal): SecuError {
  return new SecuError(code, `git could not read the repository: ${problem}`, { details: { problem } });
}

async function pinOf(settings: CallSettings, address: CloneAddress): Promise<string | null> {
  try {
    return await settings.pinFor(address.url);
  } catch (err) {
    if (err instanceof SecuError) throw err;
    throw new SecuError('gitlab_unreachable', 'the host name could not be resolved', { cause: err });
  }
}
