import type { Recipe } from './recipe.ts';
import { hit, scene } from './scene.ts';
import { createSecrets } from './secrets.ts';

/** Ordinary projects with secrets that were committed by mistake. */
export function leakingRecipes(): Recipe[] {
  return [shop(), payments(), gateway(), terraform(), observability()];
}

/** The fork uses these commits too, because it has the same history. */
export function shop(): Recipe {
  const secrets = createSecrets('shop');
  const [begin = '', ...body] = secrets.rsaPrivateKey();
  const first = scene({
    'README.md': ['# Shop', '', 'The storefront of Acme. Run `npm start`.'],
    'package.json': ['{', '  "name": "shop",', '  "version": "1.4.2",', '  "main": "src/server.js"', '}'],
    'src/server.js': [
      "import { createServer } from 'node:http';",
      '',
      'createServer((_request, response) => response.end("shop")).listen(8080);',
    ],
  });
  const second = scene({
    'config/prod.env': [
      '# Production, eu-central-1',
      'NODE_ENV=production',
      'AWS_REGION=eu-central-1',
      hit(`AWS_ACCESS_KEY_ID=${secrets.awsKeyId()}`, 'aws-access-token'),
      hit(`AWS_SECRET_ACCESS_KEY=${secrets.awsSecret()}`, 'generic-api-key'),
      'LOG_LEVEL=info',
    ],
    'deploy/id_rsa': [hit(begin, 'private-key'), ...body],
    'src/database.js': [
      "import { connect } from './pool.js';",
      '',
      'export const database = connect({',
      "  host: 'db.internal',",
      "  user: 'shop',",
      hit(`  password: '${secrets.password()}',`, 'generic-api-key'),
      '});',
    ],
  });
  return {
    name: 'shop',
    about: 'AWS key pair, private key and database password, committed with the second commit',
    path: 'acme/shop',
    project: { description: 'The storefront' },
    commits: () => [
      { message: 'Begin the shop', files: first.files },
      {
        message: 'Deploy to production',
        files: second.files,
        author: { name: 'Kim Example', email: 'kim@example.com' },
      },
    ],
    expect: { listed: true, findings: [...first.findings, ...second.findings] },
  };
}

function payments(): Recipe {
  const secrets = createSecrets('payments');
  const { files, findings } = scene({
    'README.md': ['# Payments', '', 'Takes money.'],
    'src/charge.ts': [
      "import Stripe from 'stripe';",
      '',
      '// moved to the vault soon',
      hit(`const stripe = new Stripe('${secrets.stripeKey()}');`, 'stripe-access-token'),
      '',
      'export const charge = (cents: number) => stripe.charges.create({ amount: cents, currency: "eur" });',
    ],
    'scripts/release.sh': [
      '#!/bin/sh',
      'set -eu',
      hit(`export GH_TOKEN=${secrets.githubToken()}`, 'github-pat'),
      'gh release create "$1"',
    ],
    'src/notify.ts': [
      hit(`export const bot = '${secrets.slackBotToken()}';`, 'slack-bot-token'),
      hit(`export const hook = '${secrets.slackWebhook()}';`, 'slack-webhook-url'),
    ],
  });
  return {
    name: 'payments',
    about: 'Stripe, GitHub and Slack',
    path: 'acme/payments',
    commits: () => [{ message: 'Take payments', files }],
    expect: { listed: true, findings },
  };
}

function gateway(): Recipe {
  const secrets = createSecrets('gateway');
  const { files, findings } = scene({
    'README.md': ['# Gateway'],
    'web/maps.js': [
      'export function loadMaps(callback) {',
      hit(`  const key = '${secrets.gcpKey()}';`, 'gcp-api-key'),
      '  return load("https://maps.example.com/js?key=" + key, callback);',
      '}',
    ],
    '.npmrc': [
      'save-exact=true',
      hit(`//registry.example.com/:_authToken=${secrets.npmToken()}`, 'npm-access-token'),
    ],
    'test/fixtures/session.txt': [hit(secrets.jsonWebToken(), 'jwt')],
  });
  return {
    name: 'gateway',
    about: 'in a sub-group: Google, npm and a JSON web token',
    path: 'acme/platform/gateway',
    commits: () => [{ message: 'Route requests', files }],
    expect: { listed: true, findings },
  };
}

function terraform(): Recipe {
  const secrets = createSecrets('terraform');
  const password = secrets.password().toLowerCase();
  const { files, findings } = scene({
    'README.md': ['# Infrastructure'],
    'modules/database/main.tf': [
      'resource "azurerm_mysql_server" "main" {',
      '  name = "acme-main"',
      '  administrator_login = "acme"',
      hit(`  administrator_login_password = "${password}"`, 'hashicorp-tf-password'),
      '}',
    ],
    'ci/mirror.sh': [
      '#!/bin/sh',
      hit(`GITLAB_TOKEN=${secrets.gitlabToken()} ./mirror`, 'gitlab-pat'),
      hit(
        `curl -H "Authorization: Bearer ${secrets.digitalOceanToken()}" https://api.example.com/v2/droplets`,
        'digitalocean-pat',
        'curl-auth-header',
      ),
    ],
    'ci/database.env': [`DATABASE_URL=postgres://acme:${secrets.password()}@db.internal:5432/acme`],
  });
  return {
    name: 'terraform',
    about: 'four levels deep: Terraform password, GitLab and DigitalOcean tokens, a database URL',
    path: 'acme/platform/infrastructure/live/terraform',
    commits: () => [{ message: 'Describe the infrastructure', files }],
    expect: {
      listed: true,
      findings,
      mayFind: [{ path: 'ci/database.env', line: 1, what: 'password in a database URL' }],
    },
  };
}

function observability(): Recipe {
  const secrets = createSecrets('observability');
  const { files, findings } = scene({
    'README.md': ['# Observability'],
    'agent/config.yaml': [
      'server:',
      '  port: 9090',
      'grafana:',
      hit(`  bearer: ${secrets.grafanaToken()}`, 'grafana-service-account-token'),
      'mail:',
      hit(`  sendgrid: ${secrets.sendgridKey()}`, 'sendgrid-api-token'),
      'warehouse:',
      hit(`  databricks: ${secrets.databricksToken()}`, 'databricks-api-token'),
    ],
    'scripts/publish.py': ['import twine', hit(`UPLOAD = "${secrets.pypiToken()}"`, 'pypi-upload-token')],
    'shop/app.rb': [hit(`SHOPIFY = '${secrets.shopifyToken()}'`, 'shopify-access-token')],
    'keys/backup.txt': ['# age, 2026', hit(secrets.ageKey(), 'age-secret-key')],
    'phone/dial.php': ['<?php', hit(`$sid = "${secrets.twilioKey()}";`, 'twilio-api-key')],
  });
  return {
    name: 'observability',
    about: 'seven kinds of tokens that fewer people know',
    path: 'acme/platform/observability',
    project: { visibility: 'internal' },
    commits: () => [{ message: 'Watch everything', files }],
    expect: { listed: true, findings },
  };
}
