import type { ExpectedFlaw, Recipe } from './recipe.ts';
import { flaw, hit, scene } from './scene.ts';
import { createSecrets } from './secrets.ts';

/** Projects whose flaws are not secrets: code, pipelines and dependencies. */
export function flawedRecipes(): Recipe[] {
  return [billing()];
}

/** More projects, one for each language, and one that only looks flawed. */
export function flawedCodeRecipes(): Recipe[] {
  return [consoleProject(), ledger(), warehouse(), pipelines(), careful()];
}

const DEPENDENCIES: ExpectedFlaw[] = [
  { path: 'package-lock.json', line: 13, kind: 'dependency', what: 'lodash 4.17.15' },
  { path: 'package-lock.json', line: 17, kind: 'dependency', what: 'minimist 1.2.0' },
];

const BILLING_PIPELINE = [
  flaw('image: node:latest', 'ci-image-not-pinned', 'an image that changes'),
  'build:',
  '  script:',
  flaw(
    '    - curl -sSL https://install.example.com/setup.sh | sh',
    'ci-download-run',
    'a download piped into a shell',
  ),
  '    - echo "Building $CI_COMMIT_MESSAGE"',
  'publish:',
  flaw('  image: docker:latest', 'ci-image-not-pinned', 'another image that changes'),
  '  services: [docker:dind]',
  flaw('  variables: { DOCKER_TLS_CERTDIR: "" }', 'ci-docker-without-tls', 'Docker without TLS'),
  '  script: [docker build .]',
];

function billing(): Recipe {
  const { files, flaws } = scene({
    'README.md': ['# Billing'],
    'src/invoice.js': [
      "import { exec } from 'node:child_process';",
      '',
      'export function find(database, request) {',
      flaw(
        '  return database.query("SELECT * FROM invoice WHERE id = " + request.query.id);',
        'js-sql-concatenation',
        'SQL put together from a request',
      ),
      '}',
      '',
      'export function render(request) {',
      flaw(
        '  exec("wkhtmltopdf " + request.query.file);',
        'js-command-injection',
        'a command put together from a request',
      ),
      flaw('  return eval(request.body.template);', 'js-eval', 'eval of a request'),
      '}',
    ],
    'src/download.py': [
      'import pickle, requests, yaml',
      '',
      'def load(url):',
      flaw(
        '    body = requests.get(url, verify=False)',
        'py-tls-verification-off',
        'TLS verification switched off',
      ),
      flaw('    return pickle.loads(body.content)', 'py-insecure-deserialization', 'unpickling foreign data'),
    ],
    '.gitlab-ci.yml': BILLING_PIPELINE,
    'package.json': '{ "name": "billing", "dependencies": { "lodash": "4.17.15", "minimist": "1.2.0" } }\n',
    'package-lock.json': `${JSON.stringify(lockFile(), null, 2)}\n`,
  });
  return {
    name: 'billing',
    about: 'flaws for the scanners of code, pipelines and dependencies',
    path: 'acme/billing',
    commits: () => [{ message: 'Bill customers', files }],
    expect: { listed: true, findings: [], flaws: [...flaws, ...DEPENDENCIES] },
  };
}

function lockFile() {
  const dependencies = { lodash: '4.17.15', minimist: '1.2.0' };
  return {
    name: 'billing',
    lockfileVersion: 3,
    packages: {
      '': { name: 'billing', dependencies },
      'node_modules/lodash': { version: dependencies.lodash },
      'node_modules/minimist': { version: dependencies.minimist },
    },
  };
}

function consoleProject(): Recipe {
  const secrets = createSecrets('console');
  const { files, findings, flaws } = scene({
    'README.md': ['# Console'],
    'web/message.tsx': [
      "import { useState } from 'react';",
      'export function Message({ html }: { html: string }) {',
      '  const [shown] = useState(true);',
      flaw(
        '  return shown ? <p dangerouslySetInnerHTML={{ __html: html }} /> : null;',
        'js-html-injection',
        'HTML of somebody else',
      ),
      '}',
    ],
    'server/session.ts': [
      "import { createHash } from 'node:crypto';",
      "import jwt from 'jsonwebtoken';",
      '',
      'export const sign = (id: string): string =>',
      flaw("  jwt.sign({ id }, 'keyboard cat');", 'js-jwt-hardcoded-secret', 'a key that everybody can read'),
      'export const etag = (text: string): string =>',
      flaw("  createHash('md5').update(text).digest('hex');", 'js-weak-hash', 'MD5'),
      '',
      'export function mirror(request: Request, database: Database): Promise<Rows> {',
      flaw(
        `  const sql = \`SELECT * FROM page WHERE path = '\${request.url}'\`;`,
        'js-sql-concatenation',
        'SQL put together by a template',
      ),
      hit(`  return database.run(sql, { token: '${secrets.githubToken()}' });`, 'github-pat'),
      '}',
    ],
    'dist/bundle.min.js': ['eval(a)'],
  });
  return {
    name: 'console',
    about: 'flaws in TypeScript and JSX, beside a secret',
    path: 'acme/console',
    commits: () => [{ message: 'Show messages', files }],
    expect: { listed: true, findings, flaws, cleanPaths: ['README.md', 'dist/bundle.min.js'] },
  };
}

function ledger(): Recipe {
  const { files, flaws } = scene({
    'README.md': ['# Ledger'],
    'go.mod': ['module acme.test/ledger', '', 'go 1.26'],
    'main.go': [
      'package main',
      '',
      'import (',
      '\t"crypto/tls"',
      '\t"database/sql"',
      '\t"fmt"',
      '\t"net/http"',
      '\t"os/exec"',
      ')',
      '',
      'func find(db *sql.DB, r *http.Request) (*sql.Rows, error) {',
      flaw(
        `\treturn db.Query(fmt.Sprintf("SELECT * FROM entry WHERE account = '%s'", r.FormValue("account")))`,
        'go-sql-concatenation',
        'SQL put together by Sprintf',
      ),
      '}',
      '',
      'func export(name string) error {',
      flaw('\treturn exec.Command("sh", "-c", "pdf "+name).Run()', 'go-command-injection', 'a shell'),
      '}',
      '',
      'var client = &http.Client{Transport: &http.Transport{',
      flaw(
        '\tTLSClientConfig: &tls.Config{InsecureSkipVerify: true},',
        'go-tls-verification-off',
        'TLS verification switched off',
      ),
      '}}',
    ],
  });
  return {
    name: 'ledger',
    about: 'flaws in Go',
    path: 'acme/ledger',
    commits: () => [{ message: 'Keep the books', files }],
    expect: { listed: true, findings: [], flaws },
  };
}

function warehouse(): Recipe {
  const { files, flaws } = scene({
    'README.md': ['# Warehouse'],
    'src/main/java/Stock.java': [
      'package test.acme;',
      '',
      'class Stock {',
      '  Object load(InputStream in, Connection c, String id) throws Exception {',
      '    ResultSet rows = c.createStatement()',
      flaw(
        '        .executeQuery("SELECT * FROM stock WHERE id = \'" + id + "\'");',
        'java-sql-concatenation',
        'SQL put together',
      ),
      flaw('    MessageDigest digest = MessageDigest.getInstance("SHA-1");', 'java-weak-hash', 'SHA-1'),
      flaw(
        '    var document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(in);',
        'java-xxe',
        'entities of foreign documents',
      ),
      flaw(
        '    return new ObjectInputStream(in).readObject();',
        'java-insecure-deserialization',
        'foreign objects',
      ),
      '  }',
      '}',
    ],
  });
  return {
    name: 'warehouse',
    about: 'flaws in Java',
    path: 'acme/platform/warehouse',
    commits: () => [{ message: 'Count the stock', files }],
    expect: { listed: true, findings: [], flaws },
  };
}

function pipelines(): Recipe {
  const { files, flaws } = scene({
    'README.md': ['# Pipelines'],
    '.gitlab-ci.yml': [
      'include:',
      '  - local: /.gitlab/ci/deploy.yml',
      flaw(
        '  - remote: https://ci.example.com/build.yml',
        'ci-remote-include-not-pinned',
        'a foreign pipeline',
      ),
      flaw('  - project: acme/templates', 'ci-project-include-not-pinned', 'a pipeline that moves'),
      '    file: test.yml',
      '',
      'secret_detection:',
      flaw('  allow_failure: true', 'ci-scanner-failure-allowed', 'a scanner that stops nobody'),
    ],
    '.gitlab/ci/deploy.yml': [
      'deploy:',
      '  image: node:24.1',
      '  variables:',
      flaw('    CI_DEBUG_TRACE: "true"', 'ci-debug-trace', 'every variable in the log'),
      flaw('    DEPLOY_PASSWORD: keyboard cat', 'ci-secret-in-variable', 'a password'),
      '  script:',
      '    - |',
      '      set -eu',
      flaw('      eval "deploy $CI_COMMIT_TITLE"', 'ci-command-injection', 'a commit that is run'),
    ],
  });
  return {
    name: 'pipelines',
    about: 'flaws in the pipeline and in what it includes',
    path: 'acme/pipelines',
    commits: () => [{ message: 'Deploy by itself', files }],
    expect: { listed: true, findings: [], flaws },
  };
}

function careful(): Recipe {
  const { files } = scene({
    'README.md': ['# Careful', '', 'Never `eval(input)`, never `curl … | sh`.'],
    'src/find.ts': [
      'export const find = (database: Database, id: string) =>',
      '  database.query("SELECT * FROM page WHERE id = $1", [id]);',
      `export const label = (name: string) => \`Select a page from \${name}\`;`,
      'export const year = (text: string) => /(\\d{4})/.exec(text)?.[1];',
    ],
    'src/find.py': [
      'import subprocess, yaml',
      'def find(cursor, id):',
      '    cursor.execute("SELECT * FROM page WHERE id = %s", (id,))',
      '    return yaml.safe_load(subprocess.run(["page", id], capture_output=True).stdout)',
    ],
    'find.go': [
      'package find',
      '',
      'func find(db *sql.DB, id string) (*sql.Rows, error) {',
      '\treturn db.Query("SELECT * FROM page WHERE id = $1", id)',
      '}',
    ],
    'src/Find.java': [
      'class Find {',
      '  ResultSet find(Connection c, String id) throws Exception {',
      '    PreparedStatement s = c.prepareStatement("SELECT * FROM page WHERE id = ?");',
      '    s.setString(1, id);',
      '    return s.executeQuery();',
      '  }',
      '}',
    ],
    '.gitlab-ci.yml': [
      'image: node:24.1',
      'test:',
      '  variables:',
      '    API_TOKEN: $VAULT_TOKEN',
      '  script:',
      '    - curl -sSfo tool.tar.gz https://example.com/tool-1.4.0.tar.gz',
      '    - sha256sum -c tool.sum && tar xzf tool.tar.gz',
    ],
    'node_modules/left-pad/index.js': ['eval(code)'],
  });
  return {
    name: 'careful',
    about: 'the same in every language, done well',
    path: 'acme/careful',
    commits: () => [{ message: 'Do it well', files }],
    expect: { listed: true, findings: [], cleanPaths: Object.keys(files) },
  };
}
