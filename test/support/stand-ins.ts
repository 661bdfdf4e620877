import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SecuError } from '../../src/domain/errors.ts';
import type { GitRemote, RemoteErrorCode, RemoteRepository, Scanners } from '../../src/domain/ports.ts';

const run = promisify(execFile);

/** Git without the hardening: for suites that are about something else. */
export function plainGit(): GitRemote {
  const git = async (repository: RemoteRepository, args: readonly string[]) => {
    const { baseUrl, token, signal } = repository;
    const basic = Buffer.from(`oauth2:${token.reveal()}`).toString('base64');
    const env = {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      GIT_TERMINAL_PROMPT: '0',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: `http.${baseUrl}/.extraHeader`,
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
    };
    try {
      return (await run('git', [...args], { env, signal })).stdout;
    } catch (err) {
      throw new SecuError(codeOf(String(err)), 'git did not succeed');
    }
  };
  const urlOf = ({ baseUrl, fullPath }: RemoteRepository) => `${baseUrl}/${fullPath}.git`;
  return {
    async readHead(repository) {
      const [commit] = (await git(repository, ['ls-remote', urlOf(repository), 'HEAD'])).split('\t');
      return { commit: commit === undefined || commit === '' ? null : commit };
    },
    async clone({ directory, history, ...repository }) {
      const startedMs = performance.now();
      const depth = history === 'none' ? ['--depth', '1'] : [];
      await git(repository, ['clone', '--quiet', '--bare', ...depth, urlOf(repository), directory]);
      const head = await run('git', ['-C', directory, 'rev-parse', '--verify', '--quiet', 'HEAD']).catch(
        () => null,
      );
      return {
        gitDirectory: directory,
        commit: head === null ? null : head.stdout.trim(),
        bytes: await bytesIn(directory),
        ms: Math.round(performance.now() - startedMs),
      };
    },
  };
}

const CODES: readonly (readonly [RegExp, RemoteErrorCode])[] = [
  [/AbortError|aborted/, 'canceled'],
  [/Authentication failed|could not read Username|401/, 'token_rejected'],
  [/403/, 'token_scope_missing'],
  [/not found|404/i, 'repository_gone'],
  [/Failed to connect|Could not resolve|Connection refused|50\d/, 'gitlab_unreachable'],
];

function codeOf(text: string): RemoteErrorCode {
  return CODES.find(([pattern]) => pattern.test(text))?.[1] ?? 'clone_failed';
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** One scanner that reads everything and finds nothing. */
export function silentScanners(): Scanners {
  return {
    rules: 'sha256:silent',
    async scan({ signal }) {
      if (signal.aborted) throw new SecuError('canceled', 'the scan was canceled');
      return {
        runs: [
          {
            name: 'silent',
            version: '1.0.0',
            rules: 'sha256:silent',
            status: 'ok',
            cause: null,
            findings: 0,
            filesScanned: 1,
            filesSkipped: [],
            durationMs: 1,
          },
        ],
        findings: [],
      };
    },
  };
}
