// Refuses statements that ignore whether a store changed a row. A write that changed nothing lost a race, and the caller
// must handle that. Stores are read as text: a method that declares `Promise<boolean>` returns it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './setup.js';

const files = execFileSync('git', ['ls-files', 'src'], { cwd: ROOT, encoding: 'utf8' }).split('\n');
const read = (/** @type {string} */ file) => readFileSync(join(ROOT, file), 'utf8');

/** Names such as `scans.requeue`. */
const booleans = new Set();
const MAY_BE_IGNORED = new Set([
  // the first result of a command stays; a second one has nothing to add
  'commands.finish',
  // a session that ended before is signed out as asked
  'sessions.end',
  // an integration without a hook token is removed too
  'hooks.remove',
]);
const index = read('src/db/stores/index.ts');
for (const [, store = '', creator = ''] of index.matchAll(/(\w+): (create\w+Store)\(/g)) {
  const file = new RegExp(`import \\{[^}]*\\b${creator}\\b[^}]*\\} from '\\./([\\w-]+\\.ts)'`).exec(
    index,
  )?.[1];
  if (file === undefined) throw new Error(`src/db/stores/index.ts: no import of ${creator}`);
  const text = read(`src/db/stores/${file}`);
  for (const method of text.split('\n    async ').slice(1)) {
    const name = `${store}.${/^\w+/.exec(method)?.[0]}`;
    const result = /\): Promise<([\s\S]*?)> \{\n/.exec(method)?.[1];
    if (result === 'boolean' && !MAY_BE_IGNORED.has(name)) booleans.add(name);
  }
}
if (booleans.size === 0) throw new Error('no store method that returns whether it changed a row was found');

/** A statement, not a part of an expression: the line before it ends one, or opens a block. */
const STATEMENT =
  /(?:[;{}:)]|=>)\s*\n(?:\s*\/\/[^\n]*\n)*\s*(?:if \([^\n]*\) |else )?(?:void )?await [\w.]*?\b(\w+)\s*\.(\w+)\(/g;

const found = files
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => {
    const text = read(file);
    return [...text.matchAll(STATEMENT)]
      .filter(([, store, method]) => booleans.has(`${store}.${method}`))
      .map((match) => {
        const line = text.slice(0, match.index + match[0].length).split('\n').length;
        return `${file}:${line}: the result of ${match[1]}.${match[2]} is ignored; it says whether a row was changed`;
      });
  });

process.stdout.write(found.map((line) => `${line}\n`).join(''));
process.exitCode = found.length === 0 ? 0 : 1;
