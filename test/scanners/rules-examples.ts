import { createSecrets } from '../../simulator/recipes/secrets.ts';

const LETTERS = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ';
const BASE64 = `${LETTERS}0123456789+/`;

export interface RuleExample {
  rule: string;
  /** A file in which the rule finds `secret` on this line; default: line 1. */
  hit: { path: string; text: string; secret: string; line?: number };
  /** Similar files, by path, in which no rule matches. */
  clean: Record<string, string>;
}

/** One example of each of our rules; every secret is assembled at run time. */
export function ruleExamples(): RuleExample[] {
  return [
    ...providers(),
    ...databaseAddresses(),
    ...otherAddresses(),
    ...credentialFiles(),
    ...configurationFiles(),
    ...applicationFiles(),
    ...commands(),
    ...keys(),
    ...shapes(),
  ];
}

function providers(): RuleExample[] {
  const secrets = createSecrets('providers');
  const aws = `+${secrets.pick(BASE64, 39)}`;
  const azure = `${secrets.pick(BASE64, 86)}==`;
  const google = ['GOC', 'SPX-', secrets.alphanumeric(28)].join('');
  const docker = ['dckr', '_pat_', secrets.alphanumeric(27)].join('');
  return [
    {
      rule: 'aws-secret-access-key',
      hit: {
        path: 'aws/credentials',
        text: `[default]\naws_secret_access_key = ${aws}\n`,
        secret: aws,
        line: 2,
      },
      clean: {
        'aws/example': `aws_secret_access_key = ${['wJalrXUtnFEMI', '/K7MDENG/', 'bPxRfiCYEXAMPLEKEY'].join('')}\n`,
        'aws/role.env': 'AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY\n',
      },
    },
    {
      rule: 'azure-storage-account-key',
      hit: { path: 'src/storage.cs', text: `"AccountName=acme;AccountKey=${azure};"\n`, secret: azure },
      clean: { 'src/storage-shape.cs': `"AccountName=acme;AccountKey={0}=="\nvar accountKeyLength = 88;\n` },
    },
    {
      rule: 'google-oauth-client-secret',
      hit: { path: 'web/oauth.js', text: `signIn("${google}");\n`, secret: google },
      clean: { 'web/oauth-shape.js': `signIn("${['GOC', 'SPX-'].join('')}${'x'.repeat(28)}");\n` },
    },
    {
      rule: 'docker-hub-token',
      hit: { path: 'ci/push.sh', text: `echo ${docker} | docker login --password-stdin\n`, secret: docker },
      clean: { 'ci/push-shape.sh': `echo ${['dckr', '_pat_'].join('')}… | docker login --password-stdin\n` },
    },
  ];
}

function databaseAddresses(): RuleExample[] {
  const secrets = createSecrets('addresses');
  const [database, jdbc] = [password(secrets), password(secrets)];
  return [
    {
      rule: 'database-url-password',
      hit: {
        path: 'app/db.py',
        text: `DSN = "postgresql+psycopg://app:${database}@db:5432/app"\n`,
        secret: database,
      },
      clean: {
        'app/db-clean.py': [
          'A = "postgres://postgres:postgres@localhost:5432/app"',
          `B = "mysql://app:$\{DB_PASS}@db/app"`,
          'C = "redis://cache:6379/0"',
          'D = "mongodb://<user>:<password>@cluster0.mongodb.net"',
          'E = f"amqp://guest:{password}@mq"',
          `F = "postgres://app:${word(secrets)}@localhost/app"`,
          '',
        ].join('\n'),
      },
    },
    {
      rule: 'database-url-password',
      hit: {
        path: 'app/Db.java',
        text: `"jdbc:mysql://db/app?user=app&password=${jdbc}&ssl=on"\n`,
        secret: jdbc,
      },
      clean: { 'app/DbClean.java': '"jdbc:mysql://db/app?user=app&password=%s&ssl=on"\n' },
    },
  ];
}

function otherAddresses(): RuleExample[] {
  const secrets = createSecrets('other addresses');
  const [connection, web] = [word(secrets), word(secrets)];
  return [
    {
      rule: 'connection-string-password',
      hit: {
        path: 'src/Program.cs',
        text: `var c = "Server=sql;Database=app;User Id=app;Password=${connection};";\n`,
        secret: connection,
      },
      clean: { 'src/Clean.cs': 'var c = "Server=sql;Database=app;User Id=app;Password={0};";\n' },
    },
    {
      rule: 'generic-url-password',
      hit: { path: 'ci/fetch.sh', text: `git clone https://robot:${web}@git.acme.test/a.git\n`, secret: web },
      clean: {
        'ci/fetch-clean.sh': [
          `git clone https://oauth2:$\{TOKEN}@git.acme.test/a.git`,
          'git clone https://gitlab-ci-token:$CI_JOB_TOKEN@git.acme.test/a.git',
          'git clone https://user:password@git.acme.test/a.git',
          'git clone ssh://git@git.acme.test:2222/a.git',
          'open https://acme.test:8443/@robin',
          '',
        ].join('\n'),
      },
    },
  ];
}

function credentialFiles(): RuleExample[] {
  const secrets = createSecrets('credential files');
  const [netrc, pgpass] = [word(secrets), word(secrets)];
  const hash = `$apr1$${secrets.alphanumeric(8)}$${secrets.alphanumeric(22)}`;
  const auth = Buffer.from(`robot:${word(secrets)}`).toString('base64');
  return [
    {
      rule: 'netrc-password',
      hit: { path: '.netrc', text: `machine git.acme.test login robot password ${netrc}\n`, secret: netrc },
      clean: {
        'ci/netrc.sh': `echo "machine git.acme.test login robot password $\{CI_JOB_TOKEN}" > ~/.netrc\n`,
        'docs/machine.md': 'Each machine asks you to login with your password first.\n',
      },
    },
    {
      rule: 'pgpass-password',
      hit: { path: 'home/.pgpass', text: `# all\ndb:5432:*:app:${pgpass}\n`, secret: pgpass, line: 2 },
      clean: { 'other/.pgpass': '# host:port:database:user:password\nhost:5432:*:user:password\n' },
    },
    {
      rule: 'htpasswd-hash',
      hit: { path: 'web/.htpasswd', text: `robin:${hash}\n`, secret: hash },
      clean: { 'docs/htpasswd.md': 'robin:$apr1$salt$hash\nrobin:{SHA}…\n' },
    },
    {
      rule: 'docker-config-auth',
      hit: {
        path: 'build/config.json',
        text: `{ "auths": { "registry.acme.test": { "auth": "${auth}" } } }\n`,
        secret: auth,
      },
      clean: { 'build/config-clean.json': `{ "auths": { "registry.acme.test": { "auth": "$\{AUTH}" } } }\n` },
    },
  ];
}

function configurationFiles(): RuleExample[] {
  const secrets = createSecrets('configuration files');
  const [variable, terraform, inventory] = [word(secrets), word(secrets), word(secrets)];
  return [
    {
      rule: 'config-file-password',
      hit: {
        path: '.gitlab-ci.yml',
        text: `variables:\n  DB_PASSWORD: "${variable}!"\n`,
        secret: `${variable}!`,
        line: 2,
      },
      clean: {
        'deploy/values.yml': [
          'password: changeme',
          'db_password: "$DB_PASSWORD"',
          `admin_password: "{{ vault_admin_password }}"`,
          "ansible_become_pass: \"{{ lookup('env', 'PASS') }}\"",
          'password: !vault |',
          'passwordFile: /run/secrets/db-password-1',
          'reset_password: /users/password/reset/v2',
          'password: "required|min:8"',
          'bypass: one-two-three-4',
          'password: ENC[AES256_GCM,data:Tr5=,type:str]',
          '',
        ].join('\n'),
        'i18n/de.json': '{\n  "password": "Passwort-vergessen?",\n  "confirm_password": "Wiederholung"\n}\n',
        'src/form.ts': `const password = form.get('password1');\n`,
      },
    },
    {
      rule: 'config-file-password',
      hit: { path: 'live/main.tfvars', text: `db_password = "${terraform}"\n`, secret: terraform },
      clean: { 'live/clean.tfvars': 'db_password = ""\ndb_password_length = 24\n' },
    },
    {
      rule: 'ansible-password',
      hit: {
        path: 'hosts.prod',
        text: `db1 ansible_user=a ansible_ssh_pass=${inventory}\n`,
        secret: inventory,
      },
      clean: { 'hosts.dev': `db1 ansible_user=a ansible_ssh_pass="{{ ssh_pass }}"\n` },
    },
  ];
}

function applicationFiles(): RuleExample[] {
  const secrets = createSecrets('application files');
  const [maven, wordpress] = [word(secrets), word(secrets)];
  return [
    {
      rule: 'xml-password',
      hit: {
        path: 'settings.xml',
        text: `<server>\n<password>${maven}</password>\n</server>\n`,
        secret: maven,
        line: 2,
      },
      clean: {
        'clean.xml': `<password>$\{env.PASSWORD}</password>\n<password>{COQLCE6DU6GtcS5P=}</password>\n<pass>password</pass>\n`,
      },
    },
    {
      rule: 'wordpress-password',
      hit: {
        path: 'wp-config.php',
        text: `<?php define('DB_PASSWORD', '#${wordpress}');\n`,
        secret: `#${wordpress}`,
      },
      clean: { 'wp-config-sample.php': `<?php define('DB_PASSWORD', 'password_here');\n` },
    },
  ];
}

function commands(): RuleExample[] {
  const secrets = createSecrets('commands');
  const [login, ssh] = [word(secrets), word(secrets)];
  return [
    {
      rule: 'command-line-password',
      hit: { path: 'ci/login.sh', text: `docker login -u robot -p ${login} registry\n`, secret: login },
      clean: {
        'ci/login-clean.sh': [
          'docker login -u robot -p "$REGISTRY_PASSWORD" registry',
          'docker login -u robot --password-stdin registry',
          `docker login -u robot -p $\{PASS} registry`,
          '',
        ].join('\n'),
      },
    },
    {
      rule: 'command-line-password',
      hit: { path: 'ci/copy.sh', text: `sshpass -p '${ssh}' ssh robot@host\n`, secret: ssh },
      clean: { 'ci/copy-clean.sh': 'sshpass -p "$PASS" ssh robot@host\nsshpass -e ssh robot@host\n' },
    },
  ];
}

function keys(): RuleExample[] {
  const secrets = createSecrets('keys');
  const lines = (count: number) => Array.from({ length: count }, () => secrets.pick(BASE64, 64)).join('\n');
  const [putty, ssh2, wireguard] = [lines(8), lines(10), `${secrets.pick(BASE64, 43)}=`];
  const jwk = secrets.alphanumeric(86);
  const begin = ['---- BEGIN SSH2 ENCRYPTED ', 'PRIVATE KEY ----'].join('');
  return [
    {
      rule: 'putty-private-key',
      hit: {
        path: 'keys/robin.ppk',
        text: [
          `${'PuTTY-User-Key'}-File-2: ssh-rsa`,
          'Public-Lines: 1',
          'AAAA',
          'Private-Lines: 8',
          putty,
          '',
        ].join('\n'),
        secret: putty,
      },
      clean: {
        'docs/putty.md': `A file that begins with ${'PuTTY-User-Key'}-File-2 has Private-Lines: some.\n`,
      },
    },
    {
      rule: 'ssh2-private-key',
      hit: {
        path: 'keys/id_ssh2',
        text: `${begin}\n${ssh2}\n${begin.replace('BEGIN', 'END')}\n`,
        secret: ssh2,
      },
      clean: { 'keys/ssh2.pub': '---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n' },
    },
    {
      rule: 'json-web-key',
      hit: { path: 'keys/jwk.json', text: `{ "kty": "EC", "crv": "P-521", "d": "${jwk}" }\n`, secret: jwk },
      clean: { 'keys/jwks.json': `{ "kty": "EC", "crv": "P-521", "x": "${secrets.alphanumeric(86)}" }\n` },
    },
    {
      rule: 'wireguard-private-key',
      hit: {
        path: 'vpn/wg0.conf',
        text: `[Interface]\nPrivateKey = ${wireguard}\n`,
        secret: wireguard,
        line: 2,
      },
      clean: { 'vpn/peer.conf': `[Peer]\nPublicKey = ${secrets.pick(BASE64, 43)}=\nPrivateKey = <yours>\n` },
    },
  ];
}

/** Found by file name; 1 is the first line of the file. */
function shapes(): RuleExample[] {
  const bytes = 'bytes of a kind of file\n';
  return [
    {
      rule: 'key-store-file',
      hit: { path: 'android/release.keystore', text: bytes, secret: '' },
      clean: { 'android/debug.keystore': bytes, 'docs/jks.md': 'A .jks file is a key store.\n' },
    },
    {
      rule: 'password-database-file',
      hit: { path: 'team.kdbx', text: bytes, secret: '' },
      clean: { 'kdbx/readme.txt': bytes },
    },
    {
      rule: 'terraform-state-file',
      hit: { path: 'live/terraform.tfstate.backup', text: bytes, secret: '' },
      clean: { 'live/terraform.tfstate.md': bytes },
    },
  ];
}

type Secrets = ReturnType<typeof createSecrets>;

/** A secret that no pattern of the default rules matches. */
function password(secrets: Secrets): string {
  return `${secrets.pick(LETTERS, 7)}!7${secrets.pick(LETTERS, 6)}%5`;
}

function word(secrets: Secrets): string {
  return `${secrets.pick(LETTERS, 5)}4${secrets.pick(LETTERS, 5)}9`;
}
