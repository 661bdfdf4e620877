import { Command, CommanderError } from 'commander';
import { isSecuError } from '../domain/errors.ts';
import { addIntegrationCommands } from './commands/integrations.ts';
import { addMachineCommands } from './commands/machine.ts';
import { addApiKeyCommands, addFindingCommands } from './commands/others.ts';
import { addUserCommands } from './commands/users.ts';
import { secuVersion } from './version.ts';

const BAD_USAGE = 2;
const FAILED = 1;

/** Runs one command. @returns the exit code: 0 success, 1 failure, 2 wrong usage */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('secu')
    .description(
      'Connects GitLab tokens, scans every repository that they can read, and warns before they expire.',
    )
    .version(secuVersion())
    .showHelpAfterError('(see --help)')
    .exitOverride();
  addMachineCommands(program);
  addIntegrationCommands(program);
  addFindingCommands(program);
  addApiKeyCommands(program);
  addUserCommands(program);
  // commander passes the override only to commands that are created after it
  for (const command of everyCommand(program)) command.exitOverride();
  try {
    await program.parseAsync(argv, { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (err) {
    if (err instanceof CommanderError) return err.exitCode === 0 ? 0 : BAD_USAGE;
    if (!isSecuError(err)) throw err;
    process.stderr.write(`secu: ${err.message}\n`);
    return FAILED;
  }
}

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...everyCommand(child)]);
}

process.exitCode = await main(process.argv.slice(2));
