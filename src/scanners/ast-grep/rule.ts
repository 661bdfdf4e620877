import type { Rule } from '@ast-grep/napi';
import type { Severity } from '../../domain/finding.ts';
import type { CodeLanguage } from './code-files.ts';

/** One rule. The text that `$SECRET` matches is never shown. */
export interface CodeRule {
  /** Begins with the language. It is part of the identity of findings, so it never changes. */
  id: string;
  language: CodeLanguage;
  severity: Severity;
  /** @see CWE, https://cwe.mitre.org */
  cwe: readonly string[];
  title: string;
  /** What to do about a finding, in one sentence. */
  fix: string;
  /**
   * A file matches only if it has one of these words, case-sensitive; other files are not parsed. Of the words of an inner
   * list all are required.
   */
  needs: ReadonlyArray<string | readonly string[]>;
  /** @see ast-grep, "Rule Object Reference" */
  rule: Rule;
  constraints?: Record<string, Rule>;
  utils?: Record<string, Rule>;
  /** Only these parts of a match count: a JavaScript regular expression that takes linear time. */
  narrow?: string;
}

export type RuleOfLanguage = Omit<CodeRule, 'language'>;

/**
 * Matches any of these patterns. The first one that fits counts, and only then are its constraints checked. `$$$` matches
 * further arguments, or none.
 */
export function anyOf(...patterns: readonly string[]): Rule {
  const without = (pattern: string) => pattern.replace(', $$$)', ')');
  return {
    any: patterns
      .flatMap((pattern) => [...new Set([pattern, without(pattern)])])
      .map((pattern) => ({ pattern })),
  };
}

/** `needs` of a rule that requires one word of each list. */
export function oneOfEach(first: readonly string[], second: readonly string[]): CodeRule['needs'] {
  return first.flatMap((one) => second.map((other) => [one, other]));
}

/** The beginning of an SQL statement in one case, so that a sentence with the word "select" does not match. */
export const SQL_START = [
  '(?s)^\\W*[a-zA-Z]{0,2}\\W*(?:SELECT\\s.*\\sFROM\\s|INSERT\\s+INTO\\s|UPDATE\\s+\\S+\\s+SET\\s|DELETE\\s+FROM\\s|DROP\\s+TABLE\\s|ALTER\\s+TABLE\\s',
  '|select .*\\sfrom\\s.*\\swhere\\s|insert into .*\\svalues\\b|update \\S+ set\\s|delete from\\s)',
].join('');

/** Words that every match of `SQL_START` has. */
export const SQL_WORDS: CodeRule['needs'] = [
  ['SELECT', 'FROM'],
  ['INSERT', 'INTO'],
  ['UPDATE', 'SET'],
  ['DELETE', 'FROM'],
  ['DROP', 'TABLE'],
  ['ALTER', 'TABLE'],
  ['select ', 'from', 'where'],
  ['insert into ', 'values'],
  ['update ', ' set'],
  'delete from',
];
