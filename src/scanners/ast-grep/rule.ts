import type { Rule } from '@ast-grep/napi';
import type { Severity } from '../../domain/finding.ts';
import type { CodeLanguage } from './code-files.ts';

/** One thing to find. What `$SECRET` stands for in a pattern is never shown. */
export interface CodeRule {
  /** Begins with the language; part of each finding's identity, so it never changes. */
  id: string;
  language: CodeLanguage;
  severity: Severity;
  /** @see CWE, https://cwe.mitre.org */
  cwe: readonly string[];
  title: string;
  /** What to do about it, in a sentence. */
  fix: string;
  /**
   * Without one of these words in it, letter by letter, nothing in a file can match, and it is not parsed. Of words in a
   * list of their own all are needed.
   */
  needs: ReadonlyArray<string | readonly string[]>;
  /** @see ast-grep, "Rule Object Reference" */
  rule: Rule;
  constraints?: Record<string, Rule>;
  utils?: Record<string, Rule>;
  /** Only these parts of what matches count: a regular expression of JavaScript that takes linear time. */
  narrow?: string;
}

export type RuleOfLanguage = Omit<CodeRule, 'language'>;

/**
 * Matches any of these patterns, the first that fits; whether its constraints hold is asked afterwards. `$$$` stands for
 * further arguments and, unlike in a pattern, for none.
 */
export function anyOf(...patterns: readonly string[]): Rule {
  const without = (pattern: string) => pattern.replace(', $$$)', ')');
  return {
    any: patterns
      .flatMap((pattern) => [...new Set([pattern, without(pattern)])])
      .map((pattern) => ({ pattern })),
  };
}

/** `needs` of a rule that wants a word of each list. */
export function oneOfEach(first: readonly string[], second: readonly string[]): CodeRule['needs'] {
  return first.flatMap((one) => second.map((other) => [one, other]));
}

/** A text in SQL, at its beginning: a statement in one case, so that a sentence with "select" in it is none. */
export const SQL_START = [
  '(?s)^\\W*[a-zA-Z]{0,2}\\W*(?:SELECT\\s.*\\sFROM\\s|INSERT\\s+INTO\\s|UPDATE\\s+\\S+\\s+SET\\s|DELETE\\s+FROM\\s|DROP\\s+TABLE\\s|ALTER\\s+TABLE\\s',
  '|select .*\\sfrom\\s.*\\swhere\\s|insert into .*\\svalues\\b|update \\S+ set\\s|delete from\\s)',
].join('');

/** Every text that `SQL_START` matches has these words. */
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
