import { getCompileCacheDir } from 'node:module';
import { writeWorkflowBundle } from './workflow-bundle.ts';

// `node src/main/bundle.ts` builds the workflow bundle in advance, for container images (Dockerfile).
process.stdout.write(`${await writeWorkflowBundle()}\n`);
// With a compile cache, also load what the processes import: Node writes the cache when this process exits.
if (getCompileCacheDir() !== undefined)
  await Promise.all([import('./api.ts'), import('./worker.ts'), import('../process-runner/program.ts')]);
