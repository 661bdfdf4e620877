// Runs the PostgreSQL of a home, for tests that run it as another user or kill it. Prints its address and waits.
import { acquireHome } from '../../src/embedded/home.ts';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { endLeftovers } from '../../src/embedded/processes.ts';
import { createSupervisor } from '../../src/embedded/supervisor.ts';

const [, , home = ''] = process.argv;
const printLine = () => {};
const layout = acquireHome(home);
await endLeftovers(layout, printLine);
const supervisor = createSupervisor({ layout, printLine });
const { url, adminUrl } = await startPostgres({ layout, supervisor, printLine });
const pid = supervisor.status()[0]?.pid;
process.stdout.write(`${JSON.stringify({ url, adminUrl, pid })}\n`);
process.on('SIGTERM', () => void supervisor.stop().then(() => process.exit(0)));
