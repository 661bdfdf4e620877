import { writeWorkflowBundle } from './workflow-bundle.ts';

// `node src/main/bundle.ts`: makes the workflows' bundle ahead, for an image (Dockerfile).
process.stdout.write(`${await writeWorkflowBundle()}\n`);
