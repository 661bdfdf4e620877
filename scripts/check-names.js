// Refuses identifiers that begin with a superlative: limits are called `max…` and `min…` (AGENTS.md, "Words").
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './setup.js';

const SUPERLATIVE =
  /\b(?:most|longest|deepest|shortest|least)[A-Z]\w*|\b(?:MOST|LONGEST|DEEPEST|SHORTEST|LEAST)_\w+/g;

const files = execFileSync('git', ['ls-files', '*.ts', '*.tsx', '*.js'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && file !== 'scripts/check-names.js');
for (const file of files) {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    for (const [name] of line.matchAll(SUPERLATIVE)) {
      process.stdout.write(`${file}:${index + 1}: ${name}: call a limit max… or min…\n`);
      process.exitCode = 1;
    }
  }
}
