import type { Expectation, Recipe } from './recipe.ts';

const FLAWS: NonNullable<Expectation['flaws']> = [
  { path: 'src/invoice.js', line: 4, kind: 'code', what: 'SQL put together from a request' },
  { path: 'src/invoice.js', line: 8, kind: 'code', what: 'a command put together from a request' },
  { path: 'src/invoice.js', line: 9, kind: 'code', what: 'eval of a request' },
  { path: 'src/download.py', line: 4, kind: 'code', what: 'TLS verification switched off' },
  { path: 'src/download.py', line: 5, kind: 'code', what: 'unpickling foreign data' },
  { path: '.gitlab-ci.yml', line: 4, kind: 'config', what: 'a download piped into a shell' },
  { path: 'package-lock.json', line: 13, kind: 'dependency', what: 'lodash 4.17.15' },
  { path: 'package-lock.json', line: 17, kind: 'dependency', what: 'minimist 1.2.0' },
];

/** A project whose flaws are not secrets: code, pipeline and dependencies. */
export function flawedRecipes(): Recipe[] {
  const files = {
    'README.md': '# Billing\n',
    'src/invoice.js': [
      "import { exec } from 'node:child_process';",
      '',
      'export function find(database, request) {',
      '  return database.query("SELECT * FROM invoice WHERE id = " + request.query.id);',
      '}',
      '',
      'export function render(request) {',
      '  exec("wkhtmltopdf " + request.query.file);',
      '  return eval(request.body.template);',
      '}',
      '',
    ].join('\n'),
    'src/download.py': [
      'import pickle, requests, yaml',
      '',
      'def load(url):',
      '    body = requests.get(url, verify=False)',
      '    return pickle.loads(body.content)',
      '',
    ].join('\n'),
    '.gitlab-ci.yml': [
      'image: node:latest',
      'build:',
      '  script:',
      '    - curl -sSL https://install.example.com/setup.sh | sh',
      '    - echo "Building $CI_COMMIT_MESSAGE"',
      'publish:',
      '  image: docker:latest',
      '  services: [docker:dind]',
      '  variables: { DOCKER_TLS_CERTDIR: "" }',
      '  script: [docker build .]',
      '',
    ].join('\n'),
    'package.json': '{ "name": "billing", "dependencies": { "lodash": "4.17.15", "minimist": "1.2.0" } }\n',
    'package-lock.json': `${JSON.stringify(lockFile(), null, 2)}\n`,
  };
  return [
    {
      name: 'billing',
      about: 'flaws for the scanners of code, pipelines and dependencies',
      path: 'acme/billing',
      commits: () => [{ message: 'Bill customers', files }],
      expect: {
        listed: true,
        findings: [],
        flaws: FLAWS,
      },
    },
  ];
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
