import type { CodeRule, RuleOfLanguage } from '../rule.ts';
import { GITLAB_CI_RULES } from './gitlab-ci.ts';
import { GO_RULES } from './go.ts';
import { JAVA_RULES } from './java.ts';
import { JAVASCRIPT_RULES } from './javascript.ts';
import { PYTHON_RULES } from './python.ts';

/** All our rules, in a fixed order. */
export function allRules(): CodeRule[] {
  const of = (language: CodeRule['language'], rules: readonly RuleOfLanguage[]) =>
    rules.map((rule) => ({ ...rule, language }));
  return [
    ...of('javascript', JAVASCRIPT_RULES),
    ...of('python', PYTHON_RULES),
    ...of('go', GO_RULES),
    ...of('java', JAVA_RULES),
    ...of('gitlab-ci', GITLAB_CI_RULES),
  ];
}
