import type { Rule } from '@ast-grep/napi';
import type { RuleOfLanguage } from '../rule.ts';
import { anyOf, SQL_START, SQL_WORDS } from '../rule.ts';

const CONSTANT = '^[A-Z][A-Z0-9_]*$';

/** A string that is built with a non-constant part. */
const UTILS: Record<string, Rule> = {
  concatenated: {
    kind: 'binary_expression',
    all: [
      { has: { field: 'operator', regex: '^\\+$' } },
      {
        has: {
          any: [
            { kind: 'identifier', not: { regex: CONSTANT } },
            { kind: 'method_invocation' },
            { kind: 'field_access', not: { regex: '\\.[A-Z][A-Z0-9_]*$' } },
            { kind: 'array_access' },
          ],
          stopBy: { not: { any: [{ kind: 'binary_expression' }, { kind: 'parenthesized_expression' }] } },
        },
      },
      { has: { any: [{ kind: 'string_literal' }, { kind: 'binary_expression' }] } },
    ],
  },
  formatted: {
    kind: 'method_invocation',
    any: [
      {
        all: [
          { has: { field: 'object', regex: '^String$' } },
          { has: { field: 'name', regex: '^format$' } },
          { has: { field: 'arguments', has: { kind: 'string_literal', regex: '%s' } } },
        ],
      },
      {
        all: [
          { has: { field: 'object', kind: 'string_literal', regex: '%s' } },
          { has: { field: 'name', regex: '^formatted$' } },
        ],
      },
    ],
  },
  joined: { any: [{ matches: 'concatenated' }, { matches: 'formatted' }] },
};
const FROM_REQUEST = '\\.(?:getParameter|getHeader|getQueryString|getPathInfo|getOriginalFilename)\\(';

const INJECTIONS: readonly RuleOfLanguage[] = [
  {
    id: 'java-command-injection',
    severity: 'high',
    cwe: ['CWE-78'],
    title: 'Command put together from parts',
    fix: 'Hand the program and its arguments to ProcessBuilder as a list, without a shell.',
    needs: ['.exec', 'ProcessBuilder'],
    rule: {
      any: [
        { pattern: 'Runtime.getRuntime().exec($COMMAND)' },
        { pattern: '$RUNTIME.exec($COMMAND)' },
        {
          all: [
            { pattern: 'new ProcessBuilder($SHELL, $FLAG, $COMMAND)' },
            { regex: '"(?:-c|/c|-Command)"' },
          ],
        },
      ],
    },
    constraints: { COMMAND: { matches: 'joined' }, RUNTIME: { regex: '(?i)^(?:runtime|rt)$' } },
    utils: UTILS,
  },
  {
    id: 'java-sql-concatenation',
    severity: 'high',
    cwe: ['CWE-89'],
    title: 'SQL put together from parts',
    fix: 'Use a PreparedStatement, with placeholders for the values.',
    needs: SQL_WORDS,
    rule: {
      any: [
        {
          all: [
            { matches: 'concatenated' },
            { regex: SQL_START },
            { not: { inside: { kind: 'binary_expression' } } },
          ],
        },
        {
          all: [
            { matches: 'formatted' },
            {
              any: [
                { has: { field: 'arguments', has: { kind: 'string_literal', regex: SQL_START } } },
                { has: { field: 'object', kind: 'string_literal', regex: SQL_START } },
              ],
            },
          ],
        },
      ],
    },
    utils: UTILS,
  },
  {
    id: 'java-script-injection',
    severity: 'high',
    cwe: ['CWE-95'],
    title: 'Text run as code',
    fix: 'Do not run text that comes from outside; for expressions of Spring use SimpleEvaluationContext.',
    needs: ['.eval', 'parseExpression'],
    rule: anyOf('$ENGINE.eval($CODE)', '$PARSER.parseExpression($CODE)'),
    constraints: {
      ENGINE: { regex: '(?i)engine|script' },
      CODE: { not: { kind: 'string_literal' } },
    },
  },
  {
    id: 'java-path-traversal',
    severity: 'high',
    cwe: ['CWE-22'],
    title: 'File named by a request',
    fix: 'Normalise the path and refuse what does not lie below the folder that it belongs to.',
    needs: ['getParameter', 'getHeader', 'getQueryString', 'getPathInfo', 'getOriginalFilename'],
    rule: {
      any: [
        {
          all: [
            { kind: 'object_creation_expression' },
            {
              has: {
                field: 'type',
                regex: '^(?:File|FileInputStream|FileReader|FileOutputStream|FileWriter)$',
              },
            },
          ],
        },
        {
          all: [
            { kind: 'method_invocation' },
            {
              any: [
                {
                  all: [
                    { has: { field: 'object', regex: '^Paths$' } },
                    { has: { field: 'name', regex: '^get$' } },
                  ],
                },
                {
                  all: [
                    { has: { field: 'object', regex: '^Path$' } },
                    { has: { field: 'name', regex: '^of$' } },
                  ],
                },
                { has: { field: 'name', regex: '^resolve$' } },
              ],
            },
          ],
        },
      ],
      has: { field: 'arguments', regex: FROM_REQUEST },
    },
  },
];

const DOCUMENTS: readonly RuleOfLanguage[] = [
  {
    id: 'java-insecure-deserialization',
    severity: 'critical',
    cwe: ['CWE-502'],
    title: 'Data turned into objects that may run code',
    fix: 'Exchange data as JSON, or let an ObjectInputFilter list the classes that may come.',
    needs: ['ObjectInputStream', 'XMLDecoder'],
    rule: {
      all: [
        anyOf('new ObjectInputStream($DATA)', 'new XMLDecoder($DATA)'),
        {
          not: {
            inside: {
              any: [{ kind: 'method_declaration' }, { kind: 'constructor_declaration' }],
              regex: 'setObjectInputFilter',
              stopBy: 'end',
            },
          },
        },
      ],
    },
  },
  {
    id: 'java-xxe',
    severity: 'high',
    cwe: ['CWE-611'],
    title: 'XML parser that reads other files',
    fix: 'Disallow document types: setFeature("http://apache.org/xml/features/disallow-doctype-decl", true).',
    needs: ['DocumentBuilderFactory', 'SAXParserFactory', 'XMLInputFactory', 'SAXReader', 'SAXBuilder'],
    rule: {
      all: [
        anyOf(
          'DocumentBuilderFactory.newInstance()',
          'SAXParserFactory.newInstance()',
          'XMLInputFactory.newInstance()',
          'XMLInputFactory.newFactory()',
          'new SAXReader()',
          'new SAXBuilder()',
        ),
        {
          not: {
            inside: {
              any: [{ kind: 'class_declaration' }, { kind: 'program' }],
              regex:
                'disallow-doctype-decl|FEATURE_SECURE_PROCESSING|SUPPORT_DTD|external-general-entities|ACCESS_EXTERNAL_DTD|isSupportingExternalEntities|IS_SUPPORTING_EXTERNAL_ENTITIES',
              stopBy: 'end',
            },
          },
        },
      ],
    },
  },
];

const CRYPTOGRAPHY: readonly RuleOfLanguage[] = [
  {
    id: 'java-tls-verification-off',
    severity: 'high',
    cwe: ['CWE-295'],
    title: 'TLS certificates are not verified',
    fix: 'Use the trust manager of the platform, and add a root of your own to its store where one is needed.',
    needs: [
      'checkServerTrusted',
      'HostnameVerifier',
      'TrustAllStrategy',
      'TrustSelfSignedStrategy',
      'ALLOW_ALL',
    ],
    rule: {
      any: [
        {
          kind: 'method_declaration',
          all: [
            { has: { field: 'name', regex: '^checkServerTrusted$' } },
            { has: { field: 'body', regex: '^\\{\\s*(?://[^\\n]*\\s*)*(?:return;\\s*)?\\}$' } },
          ],
        },
        { regex: '^NoopHostnameVerifier\\.INSTANCE$', any: [{ kind: 'field_access' }] },
        { pattern: 'new NoopHostnameVerifier()' },
        { pattern: 'new TrustAllStrategy()' },
        { pattern: '$CONNECTION.setHostnameVerifier(($HOST, $SESSION) -> true)' },
        { pattern: 'HttpsURLConnection.setDefaultHostnameVerifier(($HOST, $SESSION) -> true)' },
        {
          kind: 'method_declaration',
          all: [
            { has: { field: 'name', regex: '^verify$' } },
            { has: { field: 'parameters', regex: 'SSLSession' } },
            { has: { field: 'body', regex: '^\\{\\s*return\\s+true;\\s*\\}$' } },
          ],
        },
      ],
    },
  },
  {
    id: 'java-weak-hash',
    severity: 'medium',
    cwe: ['CWE-328'],
    title: 'Hash function that can be broken',
    fix: 'Use SHA-256 or better, and for passwords argon2 or bcrypt.',
    needs: ['MessageDigest', 'DigestUtils'],
    rule: {
      any: [
        { pattern: 'MessageDigest.getInstance($NAME)' },
        { pattern: 'MessageDigest.getInstance($NAME, $PROVIDER)' },
        {
          kind: 'method_invocation',
          regex: '^DigestUtils\\.(?:md5|md5Hex|sha1|sha1Hex|md5DigestAsHex)\\(',
        },
      ],
    },
    constraints: { NAME: { regex: '(?i)^"(?:md2|md4|md5|sha-?1|sha)"$' } },
  },
  {
    id: 'java-weak-cipher',
    severity: 'high',
    cwe: ['CWE-327'],
    title: 'Cipher that can be broken',
    fix: 'Use "AES/GCM/NoPadding" with a fresh nonce for each message.',
    needs: ['Cipher.getInstance'],
    rule: anyOf('Cipher.getInstance($NAME)', 'Cipher.getInstance($NAME, $PROVIDER)'),
    constraints: {
      NAME: {
        regex: '(?i)^"(?:des|desede|rc2|rc4|arcfour|blowfish)(?:/.*)?"$|(?i)^"\\w+/ecb/.*"$|^"AES"$',
      },
    },
  },
  {
    id: 'java-jwt-hardcoded-secret',
    severity: 'critical',
    cwe: ['CWE-798'],
    title: 'Key of JSON web tokens written into the code',
    fix: 'Read the key from a secret store, and change this one: anyone who has read it can sign in as any user.',
    needs: ['signWith', 'Algorithm.HMAC', 'hmacShaKeyFor', 'setSigningKey'],
    rule: anyOf(
      '$BUILDER.signWith($ALGORITHM, $SECRET)',
      '$PARSER.setSigningKey($SECRET)',
      'Algorithm.HMAC256($SECRET)',
      'Algorithm.HMAC384($SECRET)',
      'Algorithm.HMAC512($SECRET)',
      'Keys.hmacShaKeyFor($SECRET.getBytes($$$))',
    ),
    constraints: { SECRET: { kind: 'string_literal', regex: '^.{3,}$' } },
  },
];

/** Rules for Java. Node kinds are those of tree-sitter-java. */
export const JAVA_RULES: readonly RuleOfLanguage[] = [...INJECTIONS, ...DOCUMENTS, ...CRYPTOGRAPHY];
