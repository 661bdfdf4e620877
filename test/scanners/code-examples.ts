import { gitlabCiExamples } from './code-examples/gitlab-ci.ts';
import { goExamples } from './code-examples/go.ts';
import { javaExamples } from './code-examples/java.ts';
import { javascriptExamples } from './code-examples/javascript.ts';
import { pythonExamples } from './code-examples/python.ts';

/** A line of a file; in brackets, the rule must find something that begins there. */
export type ExampleLine = string | [string];

export interface CodeExample {
  rule: string;
  /** Extensions of the files that hold it; each is tried. */
  extensions: readonly string[];
  /** Files in which the rule finds just the lines in brackets, and no other rule anything. */
  hits: readonly (readonly ExampleLine[])[];
  /** Files that look like it, in which no rule finds anything. */
  clean: readonly (readonly string[])[];
}

/** A matching and a not matching example of every rule of ours. */
export function codeExamples(): CodeExample[] {
  return [
    ...javascriptExamples(),
    ...pythonExamples(),
    ...goExamples(),
    ...javaExamples(),
    ...gitlabCiExamples(),
  ];
}
