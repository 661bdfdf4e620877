import { gitlabCiExamples } from './code-examples/gitlab-ci.ts';
import { goExamples } from './code-examples/go.ts';
import { javaExamples } from './code-examples/java.ts';
import { javascriptExamples } from './code-examples/javascript.ts';
import { pythonExamples } from './code-examples/python.ts';

/** A line of a file. If it is in brackets, the rule must report a finding that begins on it. */
export type ExampleLine = string | [string];

export interface CodeExample {
  rule: string;
  /** File extensions; the example is tested with each of them. */
  extensions: readonly string[];
  /** Files in which the rule matches exactly the lines in brackets, and no other rule matches. */
  hits: readonly (readonly ExampleLine[])[];
  /** Similar files in which no rule matches. */
  clean: readonly (readonly string[])[];
}

/** Matching and non-matching examples of all our rules. */
export function codeExamples(): CodeExample[] {
  return [
    ...javascriptExamples(),
    ...pythonExamples(),
    ...goExamples(),
    ...javaExamples(),
    ...gitlabCiExamples(),
  ];
}
