import type { Rule } from '@ast-grep/napi';
import type { RuleOfLanguage } from '../rule.ts';
import { anyOf, oneOfEach, SQL_START, SQL_WORDS } from '../rule.ts';

const STRING: Rule = { any: [{ kind: 'interpreted_string_literal' }, { kind: 'raw_string_literal' }] };

/** A string that is built with a non-literal part. */
const UTILS: Record<string, Rule> = {
  concatenated: {
    kind: 'binary_expression',
    all: [
      { has: { field: 'operator', regex: '^\\+$' } },
      {
        has: {
          any: [
            { kind: 'identifier' },
            { kind: 'selector_expression' },
            { kind: 'call_expression' },
            { kind: 'index_expression' },
          ],
          stopBy: { not: { any: [{ kind: 'binary_expression' }, { kind: 'parenthesized_expression' }] } },
        },
      },
      { has: { any: [STRING, { kind: 'binary_expression' }] } },
    ],
  },
  formatted: {
    kind: 'call_expression',
    all: [
      { has: { field: 'function', regex: '^fmt\\.Sprintf$' } },
      { has: { field: 'arguments', has: { all: [STRING, { regex: '%[+#]?[svq]' }] } } },
    ],
  },
  joined: { any: [{ matches: 'concatenated' }, { matches: 'formatted' }] },
};
const FROM_REQUEST =
  '\\b(?:r|req|request)\\.(?:FormValue|PostFormValue|PathValue|URL\\.Path|URL\\.Query|Form|Header)\\b|\\bc\\.(?:Query|Param|PostForm)\\(|\\bmux\\.Vars\\(';

const INJECTIONS: readonly RuleOfLanguage[] = [
  {
    id: 'go-command-injection',
    severity: 'high',
    cwe: ['CWE-78'],
    title: 'Shell command put together from parts',
    fix: 'Call exec.Command with the program and its arguments, without a shell.',
    needs: ['exec.Command'],
    rule: anyOf(
      'exec.Command($SHELL, $FLAG, $COMMAND)',
      'exec.CommandContext($CONTEXT, $SHELL, $FLAG, $COMMAND)',
    ),
    constraints: {
      SHELL: {
        regex: '^["`](?:/(?:usr/)?bin/)?(?:ba|z|da|k)?sh["`]$|^["`](?:cmd|powershell)(?:\\.exe)?["`]$',
      },
      FLAG: { regex: '^["`](?:-\\w*c|/[cC]|-Command)["`]$' },
      COMMAND: { not: STRING },
    },
  },
  {
    id: 'go-sql-concatenation',
    severity: 'high',
    cwe: ['CWE-89'],
    title: 'SQL put together from parts',
    fix: 'Write placeholders into the statement and hand the values over as parameters.',
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
            { has: { field: 'arguments', has: { all: [STRING, { regex: SQL_START }] } } },
          ],
        },
      ],
    },
    utils: UTILS,
  },
  {
    id: 'go-path-traversal',
    severity: 'high',
    cwe: ['CWE-22'],
    title: 'File named by a request',
    fix: 'Open the file by os.Root, or refuse what filepath.IsLocal refuses.',
    needs: oneOfEach(['os.', 'ServeFile', 'ioutil.', 'filepath.Join'], ['r.', 'req', 'c.', 'mux.Vars']),
    rule: {
      all: [
        { kind: 'call_expression' },
        {
          has: {
            field: 'function',
            regex:
              '^(?:os\\.(?:Open|OpenFile|ReadFile|WriteFile|Create|Remove|RemoveAll|ReadDir)|ioutil\\.(?:ReadFile|WriteFile)|http\\.ServeFile|filepath\\.Join)$',
          },
        },
        { has: { field: 'arguments', regex: FROM_REQUEST } },
        { not: { regex: '\\bfilepath\\.(?:Base|IsLocal)\\(|\\bpath\\.Base\\(' } },
      ],
    },
  },
  {
    id: 'go-html-injection',
    severity: 'medium',
    cwe: ['CWE-79'],
    title: 'HTML made of text that is not escaped',
    fix: 'Hand the text to html/template as it is: it escapes what is no template.HTML.',
    needs: ['template.HTML', 'template.JS', 'template.URL'],
    rule: {
      any: [{ kind: 'call_expression' }, { kind: 'type_conversion_expression' }],
      regex: '^template\\.(?:HTML|HTMLAttr|JS|JSStr|URL)\\(',
      not: { regex: '^template\\.\\w+\\(\\s*(?:"[^"]*"|`[^`]*`)\\s*\\)$' },
    },
  },
];

const CRYPTOGRAPHY: readonly RuleOfLanguage[] = [
  {
    id: 'go-tls-verification-off',
    severity: 'high',
    cwe: ['CWE-295'],
    title: 'TLS certificates are not verified',
    fix: 'Verify certificates, and add a root of your own to RootCAs where one is needed.',
    needs: ['InsecureSkipVerify'],
    rule: {
      any: [
        { kind: 'keyed_element', regex: '^InsecureSkipVerify\\s*:\\s*true$' },
        { kind: 'assignment_statement', regex: '\\.InsecureSkipVerify\\s*=\\s*true$' },
      ],
    },
  },
  {
    id: 'go-tls-old-version',
    severity: 'medium',
    cwe: ['CWE-326'],
    title: 'Version of TLS that can be broken',
    fix: 'Leave MinVersion out, or set it to tls.VersionTLS12 or later.',
    needs: ['VersionTLS1', 'VersionSSL'],
    rule: {
      kind: 'keyed_element',
      regex: '^M(?:in|ax)Version\\s*:\\s*tls\\.Version(?:SSL30|TLS10|TLS11)$',
    },
  },
  {
    id: 'go-ssh-host-not-verified',
    severity: 'high',
    cwe: ['CWE-322'],
    title: 'SSH host key is not verified',
    fix: 'Check host keys by ssh.FixedHostKey or the knownhosts package.',
    needs: ['InsecureIgnoreHostKey'],
    rule: { pattern: 'ssh.InsecureIgnoreHostKey()' },
  },
  {
    id: 'go-weak-hash',
    severity: 'medium',
    cwe: ['CWE-328'],
    title: 'Hash function that can be broken',
    fix: 'Use SHA-256 or better, and for passwords argon2 or bcrypt.',
    needs: ['md5.', 'sha1.', 'md4.'],
    rule: {
      kind: 'call_expression',
      has: { field: 'function', regex: '^(?:md4|md5|sha1)\\.(?:New|Sum)$' },
    },
  },
  {
    id: 'go-weak-cipher',
    severity: 'high',
    cwe: ['CWE-327'],
    title: 'Cipher that can be broken',
    fix: 'Use AES in GCM mode with a fresh nonce for each message.',
    needs: ['des.', 'rc4.', 'blowfish.'],
    rule: {
      kind: 'call_expression',
      has: {
        field: 'function',
        regex: '^(?:des\\.New(?:TripleDES)?Cipher|rc4\\.NewCipher|blowfish\\.New\\w*Cipher)$',
      },
    },
  },
  {
    id: 'go-jwt-hardcoded-secret',
    severity: 'critical',
    cwe: ['CWE-798'],
    title: 'Key of JSON web tokens written into the code',
    fix: 'Read the key from a secret store, and change this one: anyone who has read it can sign in as any user.',
    needs: ['SignedString'],
    rule: {
      pattern: {
        context: 'package main\nfunc f() { x := $TOKEN.SignedString([]byte($SECRET)) }',
        selector: 'call_expression',
      },
    },
    constraints: {
      SECRET: {
        any: [{ kind: 'interpreted_string_literal' }, { kind: 'raw_string_literal' }],
        regex: '^.{3,}$',
      },
    },
  },
];

const OTHERS: readonly RuleOfLanguage[] = [
  {
    id: 'go-world-writable',
    severity: 'medium',
    cwe: ['CWE-732'],
    title: 'File that every user of the machine may change',
    fix: 'Give 0600 to files and 0700 to folders unless others need them.',
    needs: ['os.Chmod', 'os.Mkdir', 'os.WriteFile', 'os.OpenFile'],
    rule: {
      kind: 'call_expression',
      regex: '^os\\.(?:Chmod|Mkdir|MkdirAll|WriteFile|OpenFile)\\(',
      has: { field: 'arguments', has: { kind: 'int_literal', regex: '^0o?[0-7]?[0-7][0-7][2367]$' } },
    },
  },
  {
    id: 'go-profiler-exposed',
    severity: 'low',
    cwe: ['CWE-489'],
    title: 'Profiler served with everything else',
    fix: 'Serve net/http/pprof on a listener that only operators reach.',
    needs: ['net/http/pprof'],
    rule: { kind: 'import_spec', regex: '^_\\s+"net/http/pprof"$' },
  },
];

/** Rules for Go. Node kinds are those of tree-sitter-go. */
export const GO_RULES: readonly RuleOfLanguage[] = [...INJECTIONS, ...CRYPTOGRAPHY, ...OTHERS];
