// The supervisor of `npm start`, for tests that kill it: holds a home and runs PostgreSQL, a node child and a program
// that ignores its stop signal. Prints the pids and waits.
import { fileURLToPath } from 'node:url';
import { acquireHome } from '../../src/embedded/home.ts';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { createSupervisor } from '../../src/embedded/supervisor.ts';
import { SYSTEM_PATH } from '../../src/subprocess/system-path.ts';

const [, , home = ''] = process.argv;
const printLine = () => {};
const layout = acquireHome(home);
const supervisor = createSupervisor({ layout, printLine });
const { port } = await startPostgres({ layout, supervisor, printLine });
const common = { stopGraceMs: 1_000, readyTimeoutMs: 5_000, ready: async () => {} };
await supervisor.start({
  ...common,
  name: 'stubborn',
  command: '/bin/sh',
  args: ['-c', 'trap "" TERM; sleep 600; sleep 600'],
  env: { PATH: SYSTEM_PATH },
  stopSignal: 'SIGTERM',
});
await supervisor.start({
  ...common,
  name: 'node-child',
  command: process.execPath,
  args: [fileURLToPath(new URL('child-program.ts', import.meta.url))],
  env: { PATH: SYSTEM_PATH },
  ipc: true,
  stopSignal: 'SIGTERM',
});
const pids = Object.fromEntries(supervisor.status().map(({ name, pid }) => [name, pid]));
process.stdout.write(`${JSON.stringify({ port, pids })}\n`);
process.on('SIGTERM', () => {
  void supervisor.stop().then(() => {
    layout.release();
    process.exit(0);
  });
});
