import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SecuError } from '../domain/errors.ts';
import { Secret } from '../domain/secret.ts';
import { createGitRemote } from './remote.ts';

const TIMEOUT_MS = 10_000;
/** A name that never resolves. @see RFC 2606 */
const HOST = 'secu-probe.invalid';

/**
 * Checks that git connects to the address that the policy checked, and does not resolve the name again. git before
 * 2.37 ignores the setting without an error, so this function runs git: it has to reach a local server by a name
 * that does not exist.
 * @throws SecuError `tool_unavailable` if git ignores the setting
 */
export async function assertGitPinsAddresses(input: {
  workFolder: string;
  gitBinary?: string;
}): Promise<void> {
  let isReached = false;
  const server = createServer((_request, response) => {
    isReached = true;
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const git = createGitRemote({
    ...input,
    pinFor: async () => `${HOST}:${port}:127.0.0.1`,
    proxyFor: () => null,
    clonesPerOrigin: 1,
    cloneTimeoutMs: TIMEOUT_MS,
    cloneMaxBytes: 1,
    headTimeoutMs: TIMEOUT_MS,
  });
  try {
    await git
      .readHead({
        baseUrl: `http://${HOST}:${port}`,
        fullPath: 'probe/pin',
        token: new Secret('probe'),
        signal: new AbortController().signal,
      })
      .catch(ignoreRefusal);
  } finally {
    server.close();
  }
  if (isReached) return;
  throw new SecuError(
    'tool_unavailable',
    'this git ignores http.curloptResolve, so it could be led to another address than the one that was checked: install git 2.37 or newer',
  );
}

/** Ignores the result of git: only whether the server was reached counts. */
function ignoreRefusal(err: unknown): void {
  if (!(err instanceof SecuError)) throw err;
}
