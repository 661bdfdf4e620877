import { existsSync, readFileSync } from 'node:fs';
import { readConfig } from '../../src/config/config.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { runWorker } from '../../src/main/worker.ts';

/**
 * A worker of Secu, composed as `secu worker` composes it, that kills itself at the step of a rotation which a file
 * names, and that believes an old token alive after a second instead of five minutes.
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
      await new Promise(() => {}); // nothing of the next step happens before the signal arrives
    },
  },
});
