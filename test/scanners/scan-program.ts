import { createScanners } from '../../src/scanners/scanners.ts';

const [path = '', folder = '', gitDirectory = '', commit = ''] = process.argv.slice(2);
const scanners = createScanners({
  tools: { gitleaks: { path, version: '8.30.1' }, 'ast-grep': 'left_out' },
  workFolder: folder,
  blobMaxBytes: 1_000_000,
  scanTimeoutMs: 600_000,
  concurrency: 2,
});
await scanners.scan({
  gitDirectory,
  workDirectory: folder,
  commit,
  history: 'none',
  hash: (text) => text,
  signal: new AbortController().signal,
});
