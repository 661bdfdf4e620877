import { existsSync, readFileSync } from 'node:fs';
import { readConfig } from '../../src/config/config.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { runWorker } from '../../src/main/worker.ts';

/**
 * A worker like that of `secu worker`. It kills itself at the rotation step that a file names, and confirms a valid old
 * token after one second instead of five minutes.
 */
const [killAtFile = ''] = process.argv.slice(2);
const config = readConfig(readEnvironment(), { isRoot: false });
await runWorker({
  config,
  queues: ['orchestration', 'gitlab'],
  rotation: {
    confirmAfterMs: 1_000,
    async onStep(step) {
      if (!existsSync(killAtFile) || readFileSync(killAtFile, 'utf8') !== step) return;
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => {}); // the next step does not start before the signal arrives
    },
  },
});
