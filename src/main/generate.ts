import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createApp, openApiDocument } from '../api/app.ts';
import type { ApiDeps } from '../api/deps.ts';
import { settingsTable } from '../config/settings.ts';
import { ADVICE, INVALID_CAUSES, REACHABILITY_CAUSES, SCAN_CAUSES } from '../domain/causes.ts';
import { DELIVERY_ADVICE } from '../domain/channel.ts';
import { CHECK_NAMES, DRY_RUN_CAUSES } from '../domain/dry-run-causes.ts';
import { EVENT_KINDS, isAuditKind, LIVE_KINDS } from '../domain/event.ts';
import type { CodeLanguage } from '../scanners/ast-grep/code-files.ts';
import { CODE_LANGUAGES } from '../scanners/ast-grep/code-files.ts';
import { allRules } from '../scanners/ast-grep/rules/index.ts';
import { secuVersion } from './version.ts';

const ROOT = new URL('../../', import.meta.url);
const MADE = '<!-- Made by `node src/main/generate.ts` from the code; do not edit. -->';

/** The files that are made from the code, by path. `npm run check` fails when one is stale. */
function generated(): Record<string, string> {
  return {
    'openapi.json': `${JSON.stringify(document(), null, 2)}\n`,
    'docs/reference/settings.md': settings(),
    'docs/reference/causes.md': causes(),
    'docs/reference/events.md': events(),
    'docs/reference/code-rules.md': codeRules(),
  };
}

/** The API's own document. Its routes are only declared here, never called, so what they are handed may be hollow. */
function document(): unknown {
  const settings = {
    publicUrl: '',
    hosts: [],
    defaultBaseUrl: '',
    expiryThresholds: [],
    mail: false,
    version: secuVersion(),
    trustedProxies: [],
    dashboardFolder: '',
  };
  const deps: ApiDeps = Object.assign(hollow<ApiDeps>(), { settings });
  return openApiDocument(createApp(deps), secuVersion());
}

function hollow<T extends object>(): T {
  return new Proxy<T>(Object.create(null), {
    get: (target, name) => Reflect.get(target, name) ?? hollow<object>(),
  });
}

function settings(): string {
  const rows = settingsTable().map((row) => `| \`${row.name}\` | ${row.default} | ${row.meaning} |`);
  return page('Settings', [
    'Read once at start from the environment and `.env`. All wrong values are told at once. Every secret may be given as',
    '`NAME_FILE` too. Durations are written `15m`, sizes `2GiB`; an interval of `0` switches that activity off.',
    '',
    '| name | default | meaning |',
    '| --- | --- | --- |',
    ...rows,
  ]);
}

function causes(): string {
  const advised = (codes: readonly (keyof typeof ADVICE)[]) =>
    codes.map((code) => `| \`${code}\` | ${ADVICE[code]} |`);
  return page('Causes and what to do', [
    '## The token does not work (`status: invalid`)',
    '',
    '| cause | what to do |',
    '| --- | --- |',
    ...advised(INVALID_CAUSES),
    '',
    '## No verdict (`reachability: unreachable`)',
    '',
    'The status stays as it was; Secu asks again by itself: every 15 s for the first minute, then ever more rarely, at least every 10 minutes.',
    '',
    '| cause | what to do |',
    '| --- | --- |',
    ...advised(REACHABILITY_CAUSES),
    '',
    '## A scan that failed, was canceled or waits',
    '',
    ...SCAN_CAUSES.map((code) => `- \`${code}\``),
    '',
    '## A message to a channel that did not arrive (`cause` of a delivery)',
    '',
    '| cause | what to do |',
    '| --- | --- |',
    ...Object.entries(DELIVERY_ADVICE).map(([cause, advice]) => `| \`${cause}\` | ${advice} |`),
    '',
    '## What a check of a dry run can say (`POST /api/v1/integrations/test`)',
    '',
    `Checks, in this order: ${CHECK_NAMES.map((name) => `\`${name}\``).join(', ')}. A cause that an integration would show`,
    'too makes the check fail; one that it would not is a warning.',
    '',
    '| cause | shows as | what to do |',
    '| --- | --- | --- |',
    ...Object.entries(DRY_RUN_CAUSES).map(
      ([cause, { as, advice }]) => `| \`${cause}\` | ${as === null ? 'warning' : `\`${as}\``} | ${advice} |`,
    ),
  ]);
}

function events(): string {
  return page('Events', [
    'Stored, and streamed with their id: `GET /api/v1/events`, `GET /api/v1/events/stream`.',
    '',
    ...EVENT_KINDS.map((kind) => `- \`${kind}\`${isAuditKind(kind) ? ' (audit: administrators only)' : ''}`),
    '',
    'Streamed only, without id:',
    '',
    ...LIVE_KINDS.map((kind) => `- \`${kind}\``),
  ]);
}

const LANGUAGES: Record<CodeLanguage, string> = {
  javascript: 'JavaScript and TypeScript, with JSX',
  python: 'Python',
  go: 'Go',
  java: 'Java',
  'gitlab-ci': 'GitLab CI',
};

function codeRules(): string {
  const rules = allRules();
  const tables = CODE_LANGUAGES.flatMap((language) => [
    '',
    `## ${LANGUAGES[language]}`,
    '',
    '| rule | severity | CWE | what was found | what to do |',
    '| --- | --- | --- | --- | --- |',
    ...rules
      .filter((rule) => rule.language === language)
      .map(({ id, severity, cwe, title, fix }) =>
        [`| \`${id}\``, severity, cwe.map(cweLink).join(', '), title, `${fix} |`].join(' | '),
      ),
  ]);
  return page('Rules for code and pipelines', [
    'The rules of Secu that ast-grep runs. Findings of the last table have the kind `config`, all others `code`. Which',
    'files are read, and what a rule can and cannot see: [scanning](../explanation/scanning.md).',
    ...tables,
  ]);
}

function cweLink(cwe: string): string {
  return `[${cwe}](https://cwe.mitre.org/data/definitions/${cwe.replace('CWE-', '')}.html)`;
}

function page(title: string, lines: readonly string[]): string {
  return `${[MADE, '', `# ${title}`, '', ...lines].join('\n')}\n`;
}

const checking = process.argv.includes('--check');
for (const [path, text] of Object.entries(generated())) {
  const file = new URL(path, ROOT);
  const current = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (current === text) continue;
  if (checking) {
    process.stderr.write(`${path} is stale; run "node src/main/generate.ts"\n`);
    process.exitCode = 1;
  } else writeFileSync(file, text);
}
