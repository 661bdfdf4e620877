import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchFleet } from './fleet.ts';
import { benchListing } from './listing.ts';
import type { Report } from './report.ts';
import { printReport } from './report.ts';

const BENCHES: Record<
  string,
  (options: { quick: boolean; printLine: (line: string) => void }) => Promise<Report>
> = {
  fleet: benchFleet,
  listing: benchListing,
};

const HELP = `npm run bench -- NAME [--quick] [--json FILE]

  NAME         ${Object.keys(BENCHES).join(' | ')}
  --quick      a tenth of the size: to see that it runs (fleet: times and growth are only told)
  --json FILE  where the figures go (default: .cache/bench/NAME.json)

Each measures its peer or its limit in the same run. Exit 1 when a limit is passed.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});
process.exitCode = await main(positionals[0]);

async function main(name: string | undefined): Promise<number> {
  const bench = name === undefined ? undefined : BENCHES[name];
  if (values.help === true || name === undefined || bench === undefined) {
    process.stdout.write(HELP);
    return values.help === true ? 0 : 2;
  }
  const report = await bench({ quick: values.quick, printLine: (line) => process.stderr.write(`${line}\n`) });
  const root = fileURLToPath(new URL('..', import.meta.url));
  const file = values.json ?? join(root, '.cache', 'bench', `${name}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(`${printReport(report)}\nfigures: ${file}\n`);
  return report.rows.every(({ ok }) => ok) ? 0 : 1;
}
