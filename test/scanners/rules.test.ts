import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSecrets } from '../../simulator/recipes/secrets.ts';
import type { ScanReport } from '../../src/domain/ports.ts';
import { RULES } from '../../src/scanners/gitleaks/rules.ts';
import { severityOf } from '../../src/scanners/gitleaks/severity.ts';
import { titleOf } from '../../src/scanners/gitleaks/titles.ts';
import { ruleExamples } from './rules-examples.ts';
import type { ScanWorld } from './support.ts';
import { createScanWorld, places } from './support.ts';

const RULES_FILE = new URL('../../src/scanners/gitleaks/rules.toml', import.meta.url);
const examples = ruleExamples();

let world: ScanWorld;
let report: ScanReport;
beforeAll(async () => {
  world = await createScanWorld();
  report = await world.scan(
    await world.files(Object.fromEntries(examples.map(({ hit }) => [hit.path, hit.text]))),
  );
});
afterAll(() => world.close());

test.each(examples.map((example) => [example.rule, example.hit.path, example] as const))(
  '%s: finds the secret in %s and shows at most four characters of it',
  (rule, path, { hit }) => {
    const found = report.findings.filter((finding) => finding.path === path);
    expect(found.map(({ ruleId, startLine }) => [ruleId, startLine])).toEqual([[rule, hit.line ?? 1]]);
    const rest = hit.secret.slice(4);
    for (const { excerpt } of found) if (rest !== '') expect(excerpt).not.toContain(rest);
  },
);

test('finds nothing in texts that only look like secrets', async () => {
  const clean = Object.assign({}, ...examples.map((example) => example.clean)) as Record<string, string>;
  expect(places(await world.scan(await world.files(clean)))).toEqual([]);
});

test('every allowlist is anchored: a part of a value, name or path never excludes it', () => {
  const blocks = RULES.split(/^(?=\[\[)/m).filter((block) => /^\[\[(?:rules\.)?allowlists\]\]/.test(block));
  const expressions = blocks.flatMap((block) => {
    const lists = [...block.matchAll(/^(?:regexes|paths) = \[([\s\S]*?)\]$/gm)].map(([, list = '']) => list);
    return lists.flatMap((list) =>
      [...list.matchAll(/'''([\s\S]*?)'''/g)].map(([, expression = '']) => expression),
    );
  });
  expect(expressions.length).toBeGreaterThan(60);
  const isAnchored = (expression: string) => /^(?:\(\?i\))?(?:\^|\(\?:\^\|\/\))/.test(expression);
  expect(expressions.filter((expression) => !isAnchored(expression))).toEqual([]);
  // an expression without an end anchor matches the name before the value
  const open = expressions.filter((expression) => !expression.endsWith('$'));
  expect(open.every((expression) => /jar:|jsonwebtoken|=\|>/.test(expression))).toBe(true);
  expect(RULES).not.toMatch(/^stopwords|^useDefault|^\[extend\]/m);
});

test('each of our rules has an example, a title in plain words and a severity', async () => {
  const ids = [...(await readFile(RULES_FILE, 'utf8')).matchAll(/^id = "(.+)"$/gm)].map(([, id = '']) => id);
  expect([...new Set(examples.map(({ rule }) => rule))].toSorted()).toEqual(ids.toSorted());
  const rows = ids.map((id) => `${id}: ${titleOf(id)}, ${severityOf(id)}`);
  expect(rows.toSorted()).toMatchInlineSnapshot(`
[
  "ansible-password: Password in an Ansible inventory, high",
  "aws-secret-access-key: AWS secret access key, critical",
  "azure-storage-account-key: Key of an Azure storage account, critical",
  "command-line-password: Password in the arguments of a command, high",
  "config-file-password: Password in a configuration file, high",
  "connection-string-password: Password in a connection string, high",
  "database-url-password: Password in the address of a database, high",
  "docker-config-auth: Sign-in to a container registry, high",
  "docker-hub-token: Docker Hub access token, critical",
  "generic-url-password: User name and password in a web address, high",
  "google-oauth-client-secret: Google OAuth client secret, critical",
  "htpasswd-hash: Password hash with its user name, medium",
  "json-web-key: Private JSON web key, critical",
  "key-store-file: Java key store, high",
  "netrc-password: Password in a netrc file, high",
  "password-database-file: Password database, high",
  "pgpass-password: Password in a PostgreSQL password file, high",
  "putty-private-key: Private key of PuTTY, critical",
  "ssh2-private-key: Private key in the format of SSH2, critical",
  "terraform-state-file: Terraform state, which holds secrets in the clear, medium",
  "wireguard-private-key: Private key of WireGuard, critical",
  "wordpress-password: Password in the configuration of WordPress, high",
  "xml-password: Password in an XML file, high",
]
`);
});

test('a more specific rule of gitleaks takes precedence for a password in a web address', async () => {
  const token = createSecrets('web address').gitlabToken();
  const files = { 'ci/clone.sh': `git clone https://oauth2:${token}@git.acme.test/a.git\n` };
  expect(places(await world.scan(await world.files(files)))).toEqual(['ci/clone.sh:1 gitlab-pat']);
});
