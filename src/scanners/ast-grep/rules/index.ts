import type { CodeRule, RuleOfLanguage } from '../rule.ts';
import { GITLAB_CI_RULES } from './gitlab-ci.ts';
import { GO_RULES } from './go.ts';
import { JAVA_RULES } from './java.ts';
import { JAVASCRIPT_RULES } from './javascript.ts';
import { PYTHON_RULES } from './python.ts';

/** All our rules, in a fixed order. */
export function allRules(): CodeRule[] {
  const withLanguage = (language: CodeRule['language'], rules: readonly RuleOfLanguage[]) =>
    rules.map((rule) => ({ ...rule, language }));
  return [
    ...withLanguage('javascript', JAVASCRIPT_RULES),
    ...withLanguage('python', PYTHON_RULES),
    ...withLanguage('go', GO_RULES),
    ...withLanguage('java', JAVA_RULES),
    ...withLanguage('gitlab-ci', GITLAB_CI_RULES),
  ];
}
