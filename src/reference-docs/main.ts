import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { causesPage } from './causes-page.ts';
import { codeRulesPage } from './code-rules-page.ts';
import { eventsPage } from './events-page.ts';
import { limitsPage } from './limits-page.ts';
import { openApiJson } from './openapi.ts';
import { secretRulesPage } from './secret-rules-page.ts';
import { settingsPage } from './settings-page.ts';

const ROOT = new URL('../../', import.meta.url);

/** Every file that is generated from the code, by path. `npm run check` fails when one is stale. */
const GENERATED_FILES: Record<string, () => string> = {
  'openapi.json': openApiJson,
  'docs/reference/settings.md': settingsPage,
  'docs/reference/causes.md': causesPage,
  'docs/reference/events.md': eventsPage,
  'docs/reference/code-rules.md': codeRulesPage,
  'docs/reference/secret-rules.md': secretRulesPage,
  'docs/explanation/limits.md': limitsPage,
};

const checkOnly = process.argv.includes('--check');
for (const [path, generate] of Object.entries(GENERATED_FILES)) {
  const file = new URL(path, ROOT);
  const text = generate();
  const current = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (current === text) continue;
  if (checkOnly) {
    process.stderr.write(`${path} is stale; run "node src/reference-docs/main.ts"\n`);
    process.exitCode = 1;
  } else writeFileSync(file, text);
}
