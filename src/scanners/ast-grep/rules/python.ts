import type { Rule } from '@ast-grep/napi';
import type { RuleOfLanguage } from '../rule.ts';
import { anyOf, SQL_START, SQL_WORDS } from '../rule.ts';

const WITH_PARTS: Rule = { kind: 'string', has: { kind: 'interpolation' } };
const STRING: Rule = {
  any: [{ all: [{ kind: 'string' }, { not: WITH_PARTS }] }, { kind: 'concatenated_string' }],
};
const CONSTANT = '^[A-Z][A-Z0-9_]*$';

const WITH_VARIABLES: Rule = {
  kind: 'string',
  has: { kind: 'interpolation', not: { regex: '^\\{[A-Z][A-Z0-9_]*\\}$' } },
};

/** A string that is built with a non-constant part. */
const UTILS: Record<string, Rule> = {
  joined: {
    any: [
      WITH_VARIABLES,
      { kind: 'concatenated_string', has: WITH_VARIABLES },
      {
        kind: 'binary_operator',
        all: [
          { has: { field: 'operator', regex: '^[+%]$' } },
          {
            has: {
              any: [
                { kind: 'identifier', not: { regex: CONSTANT } },
                { kind: 'attribute' },
                { kind: 'call' },
                { kind: 'subscript' },
                { kind: 'tuple' },
                WITH_VARIABLES,
              ],
              stopBy: { not: { any: [{ kind: 'binary_operator' }, { kind: 'parenthesized_expression' }] } },
            },
          },
          {
            has: { any: [{ kind: 'string' }, { kind: 'concatenated_string' }, { kind: 'binary_operator' }] },
          },
        ],
      },
      {
        kind: 'call',
        has: {
          field: 'function',
          kind: 'attribute',
          regex: '\\.format$',
          has: { any: [{ kind: 'string' }, { kind: 'concatenated_string' }] },
        },
      },
    ],
  },
};
const JOINED: Rule = { matches: 'joined' };
const FROM_REQUEST =
  '\\brequest\\.(?:args|form|values|json|data|GET|POST|query_params|path_params|cookies|headers)\\b';

const INJECTIONS: readonly RuleOfLanguage[] = [
  {
    id: 'py-eval',
    severity: 'high',
    cwe: ['CWE-95'],
    title: 'Text run as code',
    fix: 'Parse the data (ast.literal_eval, json.loads) instead of running text as code.',
    needs: ['eval', 'exec'],
    rule: anyOf('eval($CODE, $$$)', 'exec($CODE, $$$)'),
    constraints: { CODE: { not: STRING } },
  },
  {
    id: 'py-command-injection',
    severity: 'high',
    cwe: ['CWE-78'],
    title: 'Shell command put together from parts',
    fix: 'Call subprocess.run with the arguments as a list and without a shell.',
    needs: ['os.system', 'os.popen', ['shell', 'True'], 'getoutput', 'create_subprocess_shell'],
    rule: {
      any: [
        { pattern: 'os.system($COMMAND)' },
        anyOf('os.popen($COMMAND, $$$)'),
        { pattern: 'subprocess.getoutput($COMMAND)' },
        { pattern: 'subprocess.getstatusoutput($COMMAND)' },
        anyOf('asyncio.create_subprocess_shell($COMMAND, $$$)'),
        { all: [anyOf('subprocess.$RUN($COMMAND, $$$)'), { regex: '\\bshell\\s*=\\s*True\\b' }] },
      ],
    },
    constraints: { COMMAND: JOINED },
    utils: UTILS,
  },
  {
    id: 'py-sql-concatenation',
    severity: 'high',
    cwe: ['CWE-89'],
    title: 'SQL put together from parts',
    fix: 'Write placeholders into the statement and hand the values over as parameters.',
    needs: SQL_WORDS,
    rule: {
      all: [
        JOINED,
        { regex: SQL_START },
        { not: { inside: { any: [{ kind: 'binary_operator' }, { kind: 'concatenated_string' }] } } },
      ],
    },
    utils: UTILS,
  },
  {
    id: 'py-path-traversal',
    severity: 'high',
    cwe: ['CWE-22'],
    title: 'File named by a request',
    fix: 'Resolve the path and refuse what does not lie below the folder that it belongs to.',
    needs: ['request'],
    rule: {
      all: [
        { kind: 'call' },
        {
          has: {
            field: 'function',
            regex:
              '^(?:open|io\\.open|os\\.remove|os\\.path\\.join|send_file|flask\\.send_file|FileResponse)$',
          },
        },
        { has: { field: 'arguments', regex: FROM_REQUEST } },
        { not: { regex: '\\bsecure_filename\\(|\\bsafe_join\\(|\\bbasename\\(' } },
      ],
    },
  },
  {
    id: 'py-template-injection',
    severity: 'high',
    cwe: ['CWE-1336'],
    title: 'Template made of foreign text',
    fix: 'Keep the template fixed and hand the values over as its context.',
    needs: ['render_template_string', 'jinja2.Template'],
    rule: anyOf('render_template_string($TEMPLATE, $$$)', 'jinja2.Template($TEMPLATE, $$$)'),
    constraints: { TEMPLATE: { any: [JOINED, { regex: FROM_REQUEST }] } },
    utils: UTILS,
  },
  {
    id: 'py-insecure-deserialization',
    severity: 'critical',
    cwe: ['CWE-502'],
    title: 'Data turned into objects that may run code',
    fix: 'Exchange data as JSON, or sign it and check the signature before it is read.',
    needs: ['pickle', 'marshal', 'dill', 'shelve', 'jsonpickle'],
    rule: anyOf(
      '$MODULE.loads($DATA, $$$)',
      '$MODULE.load($DATA, $$$)',
      '$MODULE.Unpickler($$$)',
      'jsonpickle.decode($DATA, $$$)',
    ),
    constraints: { MODULE: { regex: '^(?:pickle|_pickle|cPickle|marshal|dill|cloudpickle)$' } },
  },
  {
    id: 'py-unsafe-yaml',
    severity: 'high',
    cwe: ['CWE-502'],
    title: 'YAML that may make any object',
    fix: 'Use yaml.safe_load.',
    needs: ['yaml.'],
    rule: {
      any: [
        { all: [{ pattern: 'yaml.load($$$)' }, { not: { regex: 'Safe|Base' } }] },
        { pattern: 'yaml.unsafe_load($$$)' },
        { pattern: 'yaml.full_load($$$)' },
      ],
    },
  },
  {
    id: 'py-xxe',
    severity: 'high',
    cwe: ['CWE-611'],
    title: 'XML parser that reads other files',
    fix: 'Switch resolve_entities off, or parse with defusedxml.',
    needs: ['resolve_entities', 'feature_external_ges'],
    rule: {
      any: [
        { kind: 'keyword_argument', regex: '^resolve_entities\\s*=\\s*True$' },
        { all: [{ pattern: '$PARSER.setFeature($FEATURE, True)' }, { regex: 'feature_external_[gp]es' }] },
      ],
    },
  },
];

const CRYPTOGRAPHY: readonly RuleOfLanguage[] = [
  {
    id: 'py-tls-verification-off',
    severity: 'high',
    cwe: ['CWE-295'],
    title: 'TLS certificates are not verified',
    fix: 'Verify certificates, and name the file of your own root where one is needed.',
    needs: [
      ['verify', 'False'],
      '_create_unverified_context',
      'CERT_NONE',
      ['check_hostname', 'False'],
      ['TCPConnector', 'False'],
    ],
    rule: {
      any: [
        {
          all: [
            { kind: 'call' },
            {
              has: {
                field: 'function',
                regex:
                  '(?:^|\\.)(?:get|post|put|patch|delete|head|options|request|send|Session|Client|AsyncClient|stream)$',
              },
            },
            {
              has: {
                field: 'arguments',
                has: { kind: 'keyword_argument', regex: '^verify\\s*=\\s*False$' },
              },
            },
          ],
        },
        { kind: 'assignment', regex: '\\.(?:verify|check_hostname)\\s*=\\s*False$' },
        { kind: 'assignment', regex: '\\.verify_mode\\s*=\\s*(?:ssl\\.)?CERT_NONE$' },
        { kind: 'keyword_argument', regex: '^cert_reqs\\s*=\\s*[\'"]?(?:ssl\\.)?CERT_NONE[\'"]?$' },
        { pattern: 'ssl._create_unverified_context($$$)' },
        { pattern: 'ssl._create_default_https_context = ssl._create_unverified_context' },
        {
          all: [{ pattern: 'aiohttp.TCPConnector($$$)' }, { regex: '\\b(?:verify_)?ssl\\s*=\\s*False\\b' }],
        },
      ],
    },
  },
  {
    id: 'py-weak-hash',
    severity: 'medium',
    cwe: ['CWE-328'],
    title: 'Hash function that can be broken',
    fix: 'Use SHA-256 or better, for passwords scrypt or argon2; say usedforsecurity=False where it protects nothing.',
    needs: ['md5', 'sha1', 'MD5', 'SHA1'],
    rule: {
      all: [
        {
          any: [
            { pattern: 'hashlib.md5($$$)' },
            { pattern: 'hashlib.sha1($$$)' },
            {
              all: [
                anyOf('hashlib.new($NAME, $$$)'),
                { regex: '(?i)^hashlib\\.new\\(\\s*["\'](?:md5|sha1|md4)["\']' },
              ],
            },
            { pattern: 'hashes.MD5()' },
            { pattern: 'hashes.SHA1()' },
          ],
        },
        { not: { regex: 'usedforsecurity\\s*=\\s*False' } },
      ],
    },
  },
  {
    id: 'py-weak-cipher',
    severity: 'high',
    cwe: ['CWE-327'],
    title: 'Cipher that can be broken',
    fix: 'Use AES-GCM or ChaCha20-Poly1305 with a fresh nonce for each message.',
    needs: ['DES', 'ARC4', 'Blowfish', 'MODE_ECB', 'modes.ECB', 'ARC2', 'TripleDES'],
    rule: anyOf(
      'AES.new($KEY, AES.MODE_ECB, $$$)',
      '$CIPHER.new($$$)',
      'modes.ECB()',
      'algorithms.$ALGORITHM($$$)',
    ),
    constraints: {
      CIPHER: { regex: '^(?:DES|DES3|ARC2|ARC4|Blowfish)$' },
      ALGORITHM: { regex: '^(?:TripleDES|ARC4|Blowfish|IDEA|SEED|CAST5)$' },
    },
  },
  {
    id: 'py-jwt-hardcoded-secret',
    severity: 'critical',
    cwe: ['CWE-798'],
    title: 'Key of JSON web tokens written into the code',
    fix: 'Read the key from a secret store, and change this one: anyone who has read it can sign in as any user.',
    needs: ['jwt'],
    rule: anyOf(
      'jwt.encode($PAYLOAD, key=$SECRET, $$$)',
      'jwt.decode($TOKEN, key=$SECRET, $$$)',
      'jwt.encode($PAYLOAD, $SECRET, $$$)',
      'jwt.decode($TOKEN, $SECRET, $$$)',
    ),
    constraints: { SECRET: { kind: 'string', not: { has: { kind: 'interpolation' } }, regex: '^.{3,}$' } },
  },
  {
    id: 'py-jwt-not-verified',
    severity: 'high',
    cwe: ['CWE-347'],
    title: 'JSON web token accepted without a signature',
    fix: 'Leave verification on and name the algorithms that you sign with.',
    needs: [
      ['jwt.decode', 'False'],
      ['jwt.decode', 'none'],
    ],
    rule: {
      any: [
        {
          all: [
            { pattern: 'jwt.decode($$$)' },
            {
              regex: '["\']?verify_signature["\']?\\s*[:=]\\s*False|\\bverify\\s*=\\s*False|["\']none["\']',
            },
          ],
        },
      ],
    },
  },
];

const OTHERS: readonly RuleOfLanguage[] = [
  {
    id: 'py-debug-on',
    severity: 'medium',
    cwe: ['CWE-489'],
    title: 'Web server started in debug mode',
    fix: 'Switch debug off outside development: its console runs code for anyone who reaches it.',
    needs: [['debug', '.run']],
    rule: { all: [{ pattern: '$APP.run($$$)' }, { regex: '\\bdebug\\s*=\\s*True\\b' }] },
    constraints: { APP: { regex: '(?i)app' } },
  },
  {
    id: 'py-temporary-file-race',
    severity: 'medium',
    cwe: ['CWE-377'],
    title: 'Temporary file that another process can put in place first',
    fix: 'Use tempfile.mkstemp or NamedTemporaryFile.',
    needs: ['mktemp'],
    rule: { pattern: 'tempfile.mktemp($$$)' },
  },
];

/** Rules for Python. Node kinds are those of tree-sitter-python. */
export const PYTHON_RULES: readonly RuleOfLanguage[] = [...INJECTIONS, ...CRYPTOGRAPHY, ...OTHERS];
