import { RULE_IDS, RULES } from '../scanners/gitleaks/rules.ts';
import { severityOf } from '../scanners/gitleaks/severity.ts';
import { titleOf } from '../scanners/gitleaks/titles.ts';
import { markdownPage } from './page.ts';

interface Allowlist {
  /** Of one rule; empty for all, or for those of `targetRules`. */
  rule: string;
  text: string;
}

/** Rules and allowlists of gitleaks, in full. */
export function secretRulesPage(): string {
  const rules = RULE_IDS.toSorted().map((id) => `| \`${id}\` | ${severityOf(id)} | ${titleOf(id)} |`);
  const allowlists = allowlistsOf(RULES).flatMap(({ rule, text }) => [
    '',
    `### ${rule === '' ? 'Several rules' : `\`${rule}\``}`,
    '',
    '```toml',
    text,
    '```',
  ]);
  return markdownPage('Rules for secrets', [
    'The gitleaks rules that Secu ships: those of gitleaks 8.30.1 without its allowlists, and rules of our own. gitleaks adds',
    'nothing to them, and nothing in a repository can switch a rule off. How they are used: [scanning](../explanation/scanning.md).',
    '',
    '## Allowlists',
    '',
    'These are all the values that rules leave out. Each expression is anchored at both ends, so no secret is left out for a',
    'part of it. No file is left out for its path; only extensions of binary formats are skipped, and counted.',
    ...allowlists,
    '',
    '## Rules',
    '',
    '| rule | severity | finding |',
    '| --- | --- | --- |',
    ...rules,
  ]);
}

/** Each allowlist as it is written, without the alternatives of long word lists broken up. */
function allowlistsOf(toml: string): Allowlist[] {
  let rule = '';
  return toml.split(/^(?=\[\[)/m).flatMap((block) => {
    if (block.startsWith('[[rules]]')) rule = /^id = "([\w-]+)"$/m.exec(block)?.[1] ?? '';
    if (!block.startsWith('[[rules.allowlists]]') && !block.startsWith('[[allowlists]]')) return [];
    const lines = block.split('\n').slice(1);
    const text = lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).join('\n');
    return [{ rule: block.startsWith('[[rules.') ? rule : '', text }];
  });
}
