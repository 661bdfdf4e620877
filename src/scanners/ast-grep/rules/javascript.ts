import type { Rule } from '@ast-grep/napi';
import type { RuleOfLanguage } from '../rule.ts';
import { anyOf, oneOfEach, SQL_START, SQL_WORDS } from '../rule.ts';

const STRING: Rule = {
  any: [{ kind: 'string' }, { all: [{ kind: 'template_string' }, { not: withParts() }] }],
};
const NOT_STRING: Rule = { not: STRING };
const CONSTANT = '^[A-Z][A-Z0-9_]*$';

function withParts(): Rule {
  return { kind: 'template_string', has: { kind: 'template_substitution' } };
}

function withVariables(): Rule {
  const isConstant = { regex: '^\\$\\{[A-Z][A-Z0-9_]*\\}$' };
  return { kind: 'template_string', has: { kind: 'template_substitution', not: isConstant } };
}

/** A string that is built with a non-constant part. */
const UTILS: Record<string, Rule> = {
  joined: {
    any: [
      withVariables(),
      {
        kind: 'binary_expression',
        all: [
          { has: { field: 'operator', regex: '^\\+$' } },
          {
            has: {
              any: [
                { kind: 'identifier', not: { regex: CONSTANT } },
                { kind: 'member_expression' },
                { kind: 'call_expression' },
                { kind: 'subscript_expression' },
                { kind: 'await_expression' },
                withVariables(),
              ],
              stopBy: { not: { any: [{ kind: 'binary_expression' }, { kind: 'parenthesized_expression' }] } },
            },
          },
          { has: { any: [{ kind: 'string' }, { kind: 'template_string' }, { kind: 'binary_expression' }] } },
        ],
      },
    ],
  },
};
const JOINED: Rule = { matches: 'joined' };

/** Request data that a web framework provides. */
const FROM_REQUEST =
  '\\b(?:req|request|ctx|context\\.request)\\.(?:params|query|body|headers|cookies|url|originalUrl)\\b';
const REQUEST_WORDS = ['req.', 'request.', 'ctx.'];

const INJECTIONS: readonly RuleOfLanguage[] = [
  {
    id: 'js-eval',
    severity: 'high',
    cwe: ['CWE-95'],
    title: 'Text run as code',
    fix: 'Parse the data, or look the wanted function up in a table, instead of running text as code.',
    needs: ['eval', 'Function', 'runIn'],
    rule: {
      any: [
        anyOf(
          'eval($CODE)',
          '$GLOBAL.eval($CODE)',
          'vm.runInNewContext($CODE, $$$)',
          'vm.runInThisContext($CODE, $$$)',
        ),
        {
          kind: 'new_expression',
          all: [
            { has: { field: 'constructor', regex: '^Function$' } },
            {
              has: {
                field: 'arguments',
                has: { nthChild: { position: 1, reverse: true }, any: [NOT_STRING] },
              },
            },
          ],
        },
      ],
    },
    constraints: { CODE: NOT_STRING, GLOBAL: { regex: '^(?:window|globalThis|global|self)$' } },
  },
  {
    id: 'js-command-injection',
    severity: 'high',
    cwe: ['CWE-78'],
    title: 'Shell command put together from parts',
    fix: 'Call execFile or spawn with the arguments as a list and without a shell.',
    needs: ['exec', 'spawn'],
    rule: {
      any: [
        anyOf('exec($COMMAND, $$$)'),
        anyOf('execSync($COMMAND, $$$)'),
        anyOf('$MODULE.exec($COMMAND, $$$)'),
        anyOf('$MODULE.execSync($COMMAND, $$$)'),
        { all: [anyOf('spawn($COMMAND, $$$)'), { regex: 'shell:\\s*true' }] },
        { all: [anyOf('spawnSync($COMMAND, $$$)'), { regex: 'shell:\\s*true' }] },
      ],
    },
    constraints: {
      COMMAND: JOINED,
      MODULE: { regex: '^(?:cp|childProcess|child_process|shell|shelljs)$' },
    },
    utils: UTILS,
  },
  {
    id: 'js-sql-concatenation',
    severity: 'high',
    cwe: ['CWE-89'],
    title: 'SQL put together from parts',
    fix: 'Write placeholders into the statement and hand the values over as parameters.',
    needs: SQL_WORDS,
    rule: {
      all: [
        JOINED,
        { regex: SQL_START },
        { not: { inside: { kind: 'binary_expression' } } },
        // In a tagged template, the library that owns the tag turns the inserted values into parameters.
        { not: { inside: { kind: 'call_expression', field: 'arguments' } } },
      ],
    },
    utils: UTILS,
  },
  {
    id: 'js-path-traversal',
    severity: 'high',
    cwe: ['CWE-22'],
    title: 'File named by a request',
    fix: 'Resolve the path and refuse what does not lie below the folder that it belongs to.',
    needs: oneOfEach(['File', 'readdir', 'Stream', 'unlink'], REQUEST_WORDS),
    rule: {
      all: [
        { kind: 'call_expression' },
        {
          has: {
            field: 'function',
            regex:
              '(?:^|\\.)(?:readFile|readFileSync|writeFile|writeFileSync|appendFile|createReadStream|createWriteStream|readdir|readdirSync|unlink|unlinkSync|sendFile)$',
          },
        },
        { has: { field: 'arguments', has: { nthChild: 1, regex: FROM_REQUEST } } },
      ],
    },
  },
  {
    id: 'js-open-redirect',
    severity: 'medium',
    cwe: ['CWE-601'],
    title: 'Redirect to where a request says',
    fix: 'Redirect only to paths of your own, or to addresses on a list.',
    needs: oneOfEach(['redirect'], REQUEST_WORDS),
    rule: anyOf('$REPLY.redirect($TARGET)', '$REPLY.redirect($CODE, $TARGET)'),
    constraints: { TARGET: { regex: `^${FROM_REQUEST}` } },
  },
  {
    id: 'js-html-injection',
    severity: 'medium',
    cwe: ['CWE-79'],
    title: 'HTML made of text that is not escaped',
    fix: 'Set textContent, or clean the HTML with a sanitizer before it is shown.',
    needs: ['innerHTML', 'outerHTML', 'document.write', 'dangerouslySetInnerHTML', 'insertAdjacentHTML'],
    rule: {
      any: [
        { pattern: '$ELEMENT.innerHTML = $HTML' },
        { pattern: '$ELEMENT.outerHTML = $HTML' },
        { pattern: '$ELEMENT.innerHTML += $HTML' },
        { pattern: 'document.write($HTML)' },
        { pattern: '$ELEMENT.insertAdjacentHTML($WHERE, $HTML)' },
        {
          all: [
            { pattern: { context: '({ __html: $HTML })', selector: 'pair' } },
            { inside: { regex: '^dangerouslySetInnerHTML', stopBy: { regex: '^<' } } },
          ],
        },
      ],
    },
    constraints: { HTML: { all: [NOT_STRING, { not: { regex: '(?i)sanitize|purify|escape' } }] } },
  },
  {
    id: 'js-insecure-deserialization',
    severity: 'critical',
    cwe: ['CWE-502'],
    title: 'Data turned into objects that may run code',
    fix: 'Exchange data as JSON and check it against a schema.',
    needs: ['unserialize', 'deserialize'],
    rule: {
      any: [
        { pattern: 'serialize.unserialize($DATA)' },
        { pattern: 'nodeSerialize.unserialize($DATA)' },
        { pattern: 'unserialize($DATA)' },
        { all: [{ pattern: 'v8.deserialize($DATA)' }, { regex: FROM_REQUEST }] },
      ],
    },
    constraints: { DATA: NOT_STRING },
  },
  {
    id: 'js-xxe',
    severity: 'high',
    cwe: ['CWE-611'],
    title: 'XML parser that reads other files',
    fix: 'Leave noent off, so that entities of the document are not resolved.',
    needs: ['noent'],
    rule: { kind: 'pair', regex: '^["\']?noent["\']?\\s*:\\s*true$' },
  },
];

const CRYPTOGRAPHY: readonly RuleOfLanguage[] = [
  {
    id: 'js-tls-verification-off',
    severity: 'high',
    cwe: ['CWE-295'],
    title: 'TLS certificates are not verified',
    fix: 'Verify certificates, and add a root of your own by its file where one is needed.',
    needs: ['rejectUnauthorized', 'NODE_TLS_REJECT_UNAUTHORIZED', 'strictSSL'],
    rule: {
      any: [
        { kind: 'pair', regex: '^["\']?(?:rejectUnauthorized|strictSSL)["\']?\\s*:\\s*(?:false|0)$' },
        {
          kind: 'assignment_expression',
          regex:
            'NODE_TLS_REJECT_UNAUTHORIZED["\'\\]]*\\s*=\\s*["\'`]?0["\'`]?$|\\.(?:rejectUnauthorized|strictSSL)\\s*=\\s*false$',
        },
      ],
    },
  },
  {
    id: 'js-weak-hash',
    severity: 'medium',
    cwe: ['CWE-328'],
    title: 'Hash function that can be broken',
    fix: 'Use SHA-256 or better, and for passwords scrypt or argon2.',
    needs: ['createHash', 'createHmac'],
    rule: anyOf(
      'createHash($NAME)',
      '$CRYPTO.createHash($NAME)',
      'createHmac($NAME, $$$)',
      '$CRYPTO.createHmac($NAME, $$$)',
    ),
    constraints: { NAME: { regex: '(?i)^["\'`](?:md4|md5|sha1|sha-1|ripemd160)["\'`]$' } },
  },
  {
    id: 'js-weak-cipher',
    severity: 'high',
    cwe: ['CWE-327'],
    title: 'Cipher that can be broken',
    fix: 'Use AES-256-GCM with a fresh nonce for each message.',
    needs: ['createCipher', 'createDecipher'],
    rule: anyOf(
      '$CRYPTO.createCipheriv($NAME, $$$)',
      '$CRYPTO.createDecipheriv($NAME, $$$)',
      'createCipheriv($NAME, $$$)',
      'createDecipheriv($NAME, $$$)',
      'crypto.createCipher($ALGORITHM, $KEY)',
    ),
    constraints: {
      NAME: { regex: '(?i)^["\'`](?:des|rc2|rc4|bf|blowfish|seed|idea|cast5?)\\b|-ecb["\'`]$' },
    },
  },
  {
    id: 'js-jwt-hardcoded-secret',
    severity: 'critical',
    cwe: ['CWE-798'],
    title: 'Key of JSON web tokens written into the code',
    fix: 'Read the key from a secret store, and change this one: anyone who has read it can sign in as any user.',
    needs: ['jwt', 'Jwt', 'JWT', 'jsonwebtoken'],
    rule: anyOf('$JWT.sign($PAYLOAD, $SECRET, $$$)', '$JWT.verify($TOKEN, $SECRET, $$$)'),
    constraints: {
      JWT: { regex: '(?i)^(?:jwt|jsonwebtoken|jwtService)$' },
      SECRET: { kind: 'string', regex: '^.{3,}$' },
    },
  },
  {
    id: 'js-jwt-not-verified',
    severity: 'high',
    cwe: ['CWE-347'],
    title: 'JSON web token accepted without a signature',
    fix: 'Name the algorithms that you sign with, and never "none".',
    needs: oneOfEach(['none', 'NONE', 'None'], ['alg', 'Alg', 'ALG']),
    rule: {
      kind: 'pair',
      regex: '(?i)^["\']?(?:alg|algorithms?)["\']?\\s*:\\s*\\[?[^\\]]*["\'`]none["\'`]',
      not: { has: { field: 'value', kind: 'object' } },
    },
  },
  {
    id: 'js-predictable-random',
    severity: 'medium',
    cwe: ['CWE-338'],
    title: 'Secret made of random numbers that can be guessed',
    fix: 'Use crypto.randomBytes or crypto.randomUUID.',
    needs: ['Math.random'],
    rule: {
      any: [{ kind: 'variable_declarator' }, { kind: 'assignment_expression' }, { kind: 'pair' }],
      regex:
        '(?i)^[\\w.\'"\\[\\]]*(?:token|secret|passw(?:or)?d|nonce|salt|otp|session_?id|api_?key)[\\w\'"\\]]*\\s*(?::[^=]*)?[=:][^;]*Math\\.random\\(\\)',
    },
  },
];

const OTHERS: readonly RuleOfLanguage[] = [
  {
    id: 'js-cors-any-origin-with-credentials',
    severity: 'medium',
    cwe: ['CWE-942'],
    title: 'Any website may read answers in the name of a user',
    fix: 'List the origins that may read answers with credentials.',
    needs: [['credentials', 'origin', 'true']],
    rule: {
      all: [
        { kind: 'object' },
        { has: { kind: 'pair', regex: '^["\']?origin["\']?\\s*:\\s*(?:true|["\'`]\\*["\'`])$' } },
        { has: { kind: 'pair', regex: '^["\']?credentials["\']?\\s*:\\s*true$' } },
      ],
    },
  },
];

/**
 * Rules for JavaScript and TypeScript, with JSX. Node kinds are those of tree-sitter-javascript and -typescript.
 */
export const JAVASCRIPT_RULES: readonly RuleOfLanguage[] = [...INJECTIONS, ...CRYPTOGRAPHY, ...OTHERS];
