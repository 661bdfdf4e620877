import { getCompileCacheDir } from 'node:module';
import { writeWorkflowBundle } from './workflow-bundle.ts';

// `node src/main/bundle.ts`: makes the workflows' bundle ahead, for an image (Dockerfile).
process.stdout.write(`${await writeWorkflowBundle()}\n`);
// What processes run is loaded too where there is a compile cache, which is filled at the end of this one.
if (getCompileCacheDir() !== undefined)
  await Promise.all([import('./api.ts'), import('./worker.ts'), import('../process-runner/program.ts')]);
