import type { Rule } from '@ast-grep/napi';
import type { Severity } from '../../domain/finding.ts';
import type { CodeLanguage } from './code-files.ts';

/** One rule. The text that `$SECRET` matches is never shown. */
export interface CodeRule {
  /** Begins with the language. It is part of the identity of findings, so it must never change. */
  id: string;
  language: CodeLanguage;
  severity: Severity;
  /** @see CWE, https://cwe.mitre.org */
  cwe: readonly string[];
  title: string;
  /** How to fix a finding, in one sentence. */
  fix: string;
  /**
   * A file can match only if it contains one of these words, case-sensitive; other files are not parsed. All words
   * of an inner list are required together.
   */
  needs: ReadonlyArray<string | readonly string[]>;
  /** @see ast-grep, "Rule Object Reference" */
  rule: Rule;
  constraints?: Record<string, Rule>;
  utils?: Record<string, Rule>;
  /** Restricts a match to these parts: a JavaScript regular expression that takes linear time. */
  narrow?: string;
}

export type RuleOfLanguage = Omit<CodeRule, 'language'>;

/**
 * Matches any of these patterns. The first pattern that fits is used, and only its constraints are checked. `$$$`
 * matches any number of further arguments.
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

/** Words of which every match of `SQL_START` contains one. */
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
