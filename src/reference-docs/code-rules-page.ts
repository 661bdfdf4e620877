import type { CodeLanguage } from '../scanners/ast-grep/code-files.ts';
import { CODE_LANGUAGES } from '../scanners/ast-grep/code-files.ts';
import { allRules } from '../scanners/ast-grep/rules/index.ts';
import { markdownPage } from './page.ts';

const LANGUAGE_NAMES: Record<CodeLanguage, string> = {
  javascript: 'JavaScript and TypeScript, with JSX',
  python: 'Python',
  go: 'Go',
  java: 'Java',
  'gitlab-ci': 'GitLab CI',
};

export function codeRulesPage(): string {
  const rules = allRules();
  const tables = CODE_LANGUAGES.flatMap((language) => [
    '',
    `## ${LANGUAGE_NAMES[language]}`,
    '',
    '| rule | severity | CWE | finding | what to do |',
    '| --- | --- | --- | --- | --- |',
    ...rules
      .filter((rule) => rule.language === language)
      .map(({ id, severity, cwe, title, fix }) =>
        [`| \`${id}\``, severity, cwe.map(cweLink).join(', '), title, `${fix} |`].join(' | '),
      ),
  ]);
  return markdownPage('Rules for code and pipelines', [
    'The ast-grep rules that Secu ships. Findings of the last table have the kind `config`, all others `code`. Which files',
    'are read, and what a rule can and cannot detect: [scanning](../explanation/scanning.md).',
    ...tables,
  ]);
}

function cweLink(cwe: string): string {
  return `[${cwe}](https://cwe.mitre.org/data/definitions/${cwe.replace('CWE-', '')}.html)`;
}
