import { writeWorkflowBundle } from './workflow-bundle.ts';

// `node src/main/bundle.ts`: makes the workflows' bundle ahead, for an image (Dockerfile).
process.stdout.write(`${await writeWorkflowBundle()}\n`);
// what processes run is loaded too: where there is a compile cache, it is filled at the end of this one
await Promise.all([import('./api.ts'), import('./worker.ts'), import('./runner/program.ts')]);
