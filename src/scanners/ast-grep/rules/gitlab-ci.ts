import type { Rule } from '@ast-grep/napi';
import type { RuleOfLanguage } from '../rule.ts';

/** A key with its value, in flow or block notation. Patterns cover the whole key or value, quoted or not. */
function pair(key: string, value?: string): Rule {
  const has: Rule[] = [{ has: { field: 'key', regex: whole(key) } }];
  if (value !== undefined) has.push({ has: { field: 'value', regex: whole(value) } });
  return { any: [{ kind: 'block_mapping_pair' }, { kind: 'flow_pair' }], all: has };
}

function whole(pattern: string): string {
  return `^["']?(?:${pattern})["']?$`;
}

/** The same value as an item of this key's list. */
function item({ key, value }: { key: string; value: string }): Rule {
  return {
    kind: 'flow_node',
    regex: whole(value),
    inside: {
      any: [{ kind: 'block_sequence_item' }, { kind: 'flow_sequence' }],
      inside: { ...pair(key), stopBy: { any: [{ kind: 'block_mapping' }, { kind: 'flow_mapping' }] } },
    },
  };
}

function below(key: string): Rule {
  return { inside: { ...pair(key), stopBy: 'end' } };
}

/** Restricts a rule to mappings that have this key too. */
function sibling(key: string, value?: string): Rule {
  return { inside: { any: [{ kind: 'block_mapping' }, { kind: 'flow_mapping' }], has: pair(key, value) } };
}

/** One or several lines of a script. */
function script(pattern: string): Rule {
  return {
    all: [
      {
        any: [
          { kind: 'plain_scalar' },
          { kind: 'double_quote_scalar' },
          { kind: 'single_quote_scalar' },
          { kind: 'block_scalar' },
        ],
      },
      { regex: pattern },
      { inside: { ...pair('script|before_script|after_script'), stopBy: 'end' } },
    ],
  };
}

/** No tag and no digest, or the tag `latest`. A name from a variable may contain both. */
const UNPINNED_IMAGE =
  '(?:[^\\s"\'$@{}\\[\\]]+/)?[^\\s"\'$@:/{}\\[\\]]+(?::latest)?|[^\\s"\'@{}\\[\\]]+:latest';
const SCANNER_JOB =
  '(?i)(?:.*[-_: .])?(?:sast|dast|semgrep|gitleaks|trivy|grype|snyk|bandit|gosec|brakeman|trufflehog|npm-audit|pip-audit|(?:secret|dependency|container|license|security|vulnerability|code|iac|image)s?[-_ ]?(?:detection|scan(?:ning|s|ner)?|audit|check))(?:[-_: .].*)?';

const ORIGINS: readonly RuleOfLanguage[] = [
  {
    id: 'ci-image-not-pinned',
    severity: 'medium',
    cwe: ['CWE-829'],
    title: 'Image of a job without a version',
    fix: 'Name a version of the image, or better its digest, so that nobody changes it under the pipeline.',
    needs: ['image', 'services'],
    rule: {
      any: [
        pair('image', UNPINNED_IMAGE),
        { all: [pair('name', UNPINNED_IMAGE), { inside: { ...pair('image|services'), stopBy: 'end' } }] },
        item({ key: 'services', value: UNPINNED_IMAGE }),
      ],
    },
  },
  {
    id: 'ci-remote-include-not-pinned',
    severity: 'high',
    cwe: ['CWE-829'],
    title: 'Pipeline taken from another server as it is today',
    fix: 'Copy the file into the repository, name a commit in its address, or add its checksum as "integrity".',
    needs: ['include'],
    rule: {
      all: [
        {
          any: [
            { all: [pair('remote', 'https?://.*'), below('include'), { not: sibling('integrity') }] },
            pair('include', 'https?://.*'),
            item({ key: 'include', value: 'https?://.*' }),
          ],
        },
        { not: { regex: '\\b[0-9a-f]{40}\\b' } },
      ],
    },
  },
  {
    id: 'ci-project-include-not-pinned',
    severity: 'medium',
    cwe: ['CWE-829'],
    title: 'Pipeline taken from another project as its branch is today',
    fix: 'Name a tag or a commit of the project as "ref".',
    needs: ['include'],
    rule: {
      all: [
        pair('project'),
        below('include'),
        { any: [{ not: sibling('ref') }, sibling('ref', 'main|master|HEAD|develop|trunk')] },
      ],
    },
  },
  {
    id: 'ci-scanner-failure-allowed',
    severity: 'medium',
    cwe: ['CWE-693'],
    title: 'Security scanner job that may fail without consequence',
    fix: 'Remove "allow_failure" from the job, and list accepted findings in the configuration of the scanner instead.',
    needs: ['allow_failure'],
    rule: { all: [pair('allow_failure', 'true'), below(SCANNER_JOB)] },
  },
];

const SECRET_NAME =
  '(?i)[a-z0-9_]*(?:password|passwd|passphrase|secret|secret_key|token|api_?key|private_key|access_key|credentials)';
/**
 * Common values that are not secrets: empty, an option, a variable, or a placeholder from a tool's documentation.
 */
const NO_SECRET =
  '(?i)^["\']?(?:|[^"\']{1,5}|true|false|null|none|.*\\$.*|[|>][\\s\\S]*|postgres|password|secret|runner|example|changeme|dummy)["\']?$';

const TLS_OFF = [
  'curl\\b[^\\n|;&]{0,300}?\\s(?:--insecure\\b|-[a-zA-Z]{0,5}k[a-zA-Z]{0,5}\\s)',
  'wget\\b[^\\n|;&]{0,300}?\\s--no-check-certificate\\b',
  'http\\.sslVerify[= ]false',
  'strict-ssl[= ]false',
].join('|');

const VARIABLES: readonly RuleOfLanguage[] = [
  {
    id: 'ci-secret-in-variable',
    severity: 'high',
    cwe: ['CWE-798'],
    title: 'Secret written into the pipeline',
    fix: 'Keep it as a masked and protected variable of the project, and change this one.',
    needs: ['variables'],
    rule: {
      all: [
        pair(SECRET_NAME),
        { has: { field: 'value', kind: 'flow_node', pattern: '$SECRET', not: { regex: NO_SECRET } } },
        { inside: { ...pair('variables'), stopBy: 'end' } },
      ],
    },
  },
  {
    id: 'ci-debug-trace',
    severity: 'high',
    cwe: ['CWE-532'],
    title: 'Every variable of a job printed into its log',
    fix: 'Remove CI_DEBUG_TRACE; set it manually for the run that needs it.',
    needs: ['CI_DEBUG_TRACE', 'CI_DEBUG_SERVICES'],
    rule: pair('CI_DEBUG_(?:TRACE|SERVICES)', '(?i)true|1|yes'),
  },
  {
    id: 'ci-docker-without-tls',
    severity: 'medium',
    cwe: ['CWE-319'],
    title: 'Docker in a privileged service, reached without TLS',
    fix: 'Leave DOCKER_TLS_CERTDIR at "/certs", or build images without a daemon (BuildKit rootless, Buildah).',
    needs: ['DOCKER_TLS_CERTDIR', 'DOCKER_HOST'],
    rule: {
      any: [
        { all: [pair('DOCKER_TLS_CERTDIR'), { has: { field: 'value', regex: '^(?:""|\'\')$' } }] },
        pair('DOCKER_HOST', 'tcp://[^"\']*:2375/?'),
      ],
    },
  },
  {
    id: 'ci-tls-verification-off',
    severity: 'high',
    cwe: ['CWE-295'],
    title: 'TLS certificates are not verified',
    fix: 'Verify certificates, and hand your own root to the job as a file where one is needed.',
    needs: [
      'GIT_SSL_NO_VERIFY',
      'NODE_TLS_REJECT_UNAUTHORIZED',
      'PYTHONHTTPSVERIFY',
      'insecure',
      'curl',
      'no-check-certificate',
      'sslVerify',
      'strict-ssl',
      'SECURE_SSL',
    ],
    rule: {
      any: [
        pair('GIT_SSL_NO_VERIFY', '(?i)true|1'),
        pair('NODE_TLS_REJECT_UNAUTHORIZED|PYTHONHTTPSVERIFY', '0'),
        script(TLS_OFF),
      ],
    },
    narrow: `GIT_SSL_NO_VERIFY.*|NODE_TLS_REJECT_UNAUTHORIZED.*|PYTHONHTTPSVERIFY.*|${TLS_OFF}`,
  },
];

const SHELL = '(?:sudo\\s+(?:-\\w+\\s+)?)?(?:/(?:usr/)?bin/)?(?:ba|z|da|k)?sh\\b';
const DOWNLOAD_RUN = [
  `(?:curl|wget)\\b[^\\n|;&]{0,500}\\|\\s*${SHELL}`,
  '(?:ba|z)?sh\\s+(?:-\\w+\\s+)?<\\(\\s*(?:curl|wget)\\b[^\\n]{0,500}',
  '(?:sh\\s+-c|eval)\\s+["\']?\\$\\(\\s*(?:curl|wget)\\b[^\\n]{0,500}',
].join('|');
const FOREIGN =
  '\\$\\{?CI_(?:COMMIT_(?:MESSAGE|TITLE|DESCRIPTION|REF_NAME|BRANCH|TAG|AUTHOR)|MERGE_REQUEST_(?:TITLE|DESCRIPTION|SOURCE_BRANCH_NAME))\\b';
const FOREIGN_RUN = `(?:\\beval\\b|\\b(?:ba|z)?sh\\s+-\\w{0,3}c\\b)[^\\n]{0,300}?${FOREIGN}`;
const PRIVILEGED = '(?:docker|podman)\\s+run\\b[^\\n]{0,300}?\\s--privileged\\b';

const SCRIPTS: readonly RuleOfLanguage[] = [
  {
    id: 'ci-download-run',
    severity: 'high',
    cwe: ['CWE-494'],
    title: 'Download piped into a shell',
    fix: 'Pin a version, check its checksum, then run it.',
    needs: ['curl', 'wget'],
    rule: script(DOWNLOAD_RUN),
    narrow: DOWNLOAD_RUN,
  },
  {
    id: 'ci-command-injection',
    severity: 'high',
    cwe: ['CWE-78'],
    title: 'Text of a commit or merge request run as a command',
    fix: 'Hand the variable to the program in quotes, and never through eval or a second shell.',
    needs: ['$CI_', '${CI_'],
    rule: script(FOREIGN_RUN),
    narrow: FOREIGN_RUN,
  },
  {
    id: 'ci-privileged-container',
    severity: 'medium',
    cwe: ['CWE-250'],
    title: 'Container that may do everything on the runner',
    fix: 'Give the container the one capability or device that it needs.',
    needs: ['--privileged'],
    rule: script(PRIVILEGED),
    narrow: PRIVILEGED,
  },
];

/**
 * Rules for GitLab CI pipelines. Node kinds are those of tree-sitter-yaml.
 * @see GitLab docs, "CI/CD YAML syntax reference"
 */
export const GITLAB_CI_RULES: readonly RuleOfLanguage[] = [...ORIGINS, ...VARIABLES, ...SCRIPTS];
