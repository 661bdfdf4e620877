import { Secret } from '../../src/domain/secret.ts';
import { createGitRemote } from '../../src/git/remote.ts';

/** A process that clones until it is killed: `clone-program.ts WORK-FOLDER BASE-URL PATH DIRECTORY`. */
const [workFolder = '', baseUrl = '', fullPath = '', directory = ''] = process.argv.slice(2);
const remote = createGitRemote({
  workFolder,
  pinFor: async () => null,
  proxyFor: () => null,
  clonesPerOrigin: 1,
  cloneTimeoutMs: 60_000,
  cloneMaxBytes: 1_000_000,
  headTimeoutMs: 10_000,
});
const token = new Secret(process.env['TEST_TOKEN'] ?? '');
await remote.clone({
  baseUrl,
  fullPath,
  token,
  directory,
  history: 'none',
  signal: new AbortController().signal,
});
