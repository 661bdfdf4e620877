import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { listTools, requireTool } from '../../src/embedded/tools.ts';
import type { ToolRecipe } from '../../tools/install.js';
import { findTool, installTool } from '../../tools/install.js';

const TEMPORAL_OLD = 'temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)';
const TEMPORAL_NEW = 'temporal version 1.9.1 (Server 1.32.0, UI 2.53.0)';

let folder: string;
let env: NodeJS.ProcessEnv;
let server: Server;
let served: Map<string, Buffer>;
let requests: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'secu-tools-'));
  // Without go on PATH the last source fails, so each test sees only the tools that it prepared.
  env = { PATH: join(folder, 'bin'), HOME: folder };
  served = new Map();
  requests = [];
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const body = served.get(request.url ?? '');
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const releaseBaseUrl = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;

function program(output: string): Buffer {
  return Buffer.from(`#!/bin/sh\necho '${output}'\n`);
}

function putOnPath({ place, name, output }: { place: string; name: string; output: string }): string {
  const path = join(folder, place, name);
  mkdirSync(join(folder, place), { recursive: true });
  writeFileSync(path, program(output));
  chmodSync(path, 0o755);
  return path;
}

/** One regular file in a ustar archive. */
function tarGz(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('0', 156);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return gzipSync(Buffer.concat([header, content, padding, Buffer.alloc(1024)]));
}

function recipe({ sha256, serverAtLeast }: { sha256?: string; serverAtLeast?: string }): ToolRecipe {
  return {
    purpose: 'a tool for this test',
    license: 'MIT',
    default: true,
    version: '8.30.1',
    versionArguments: ['version'],
    versionPattern:
      serverAtLeast === undefined ? '^(\\d+\\.\\d+\\.\\d+)$' : 'temporal version (\\S+) \\(Server (\\S+),',
    ...(serverAtLeast === undefined ? {} : { serverAtLeast }),
    release: {
      baseUrl: releaseBaseUrl(),
      files: {
        [`linux-${process.arch}`]: {
          file: 'tool.tar.gz',
          entry: 'tool',
          ...(sha256 === undefined ? {} : { sha256 }),
        },
      },
    },
    go: { version: '8.30.1', key: '8.30.1', package: 'example.com/tool', ldflags: '', expect: 'never' },
  };
}

const sha256Of = (body: Buffer) => createHash('sha256').update(body).digest('hex');

describe('a program on PATH', () => {
  test('is used when its version fits', async () => {
    const path = putOnPath({ place: 'bin', name: 'gitleaks', output: '8.30.1' });
    expect(await findTool('gitleaks', { env })).toEqual({
      name: 'gitleaks',
      version: '8.30.1',
      path,
      source: 'path',
      status: 'ok',
    });
  });

  test('is skipped when gitleaks has another version', async () => {
    putOnPath({ place: 'bin', name: 'gitleaks', output: '8.30.2' });
    expect(await findTool('gitleaks', { env })).toBeNull();
  });

  test('is skipped when Temporal has a server older than 1.32, and a newer one later on PATH is found', async () => {
    putOnPath({ place: 'bin', name: 'temporal', output: TEMPORAL_OLD });
    expect(await findTool('temporal', { env })).toBeNull();
    const path = putOnPath({ place: 'bin2', name: 'temporal', output: TEMPORAL_NEW });
    const found = await findTool('temporal', {
      env: { ...env, PATH: `${env['PATH']}:${join(folder, 'bin2')}` },
    });
    expect(found).toMatchObject({ path, version: '1.9.1 (Server 1.32.0)', source: 'path' });
  });
});

describe('a configured path', () => {
  test('takes precedence over PATH, and another version is reported', async () => {
    putOnPath({ place: 'bin', name: 'temporal', output: TEMPORAL_NEW });
    const path = putOnPath({ place: 'own', name: 'temporal', output: TEMPORAL_OLD });
    expect(await findTool('temporal', { env, configuredPath: path })).toMatchObject({
      path,
      source: 'configured',
      status: 'version_differs',
    });
  });

  test('that does not work is an error and is never skipped', async () => {
    putOnPath({ place: 'bin', name: 'temporal', output: TEMPORAL_NEW });
    const options = { env, configuredPath: join(folder, 'absent') };
    await expect(installTool('temporal', options)).rejects.toThrow(/SECU_TEMPORAL_PATH.*is not a temporal/);
    const states = await listTools({ paths: { temporal: join(folder, 'absent') }, env });
    expect(states.find(({ name }) => name === 'temporal')?.problem).toMatch(/SECU_TEMPORAL_PATH/);
  });
});

describe('an official release', () => {
  test('is unpacked, cached and downloaded only once', async () => {
    const archive = tarGz('tool', program('8.30.1'));
    served.set('/v1/tool.tar.gz', archive);
    const options = { env, manifest: { tool: recipe({ sha256: sha256Of(archive) }) } };
    const tool = await installTool('tool', options);
    expect(tool).toMatchObject({ version: '8.30.1', source: 'release', status: 'ok' });
    expect(tool.path.startsWith(join(folder, '.cache', 'secu', 'tools'))).toBe(true);
    expect(await installTool('tool', options)).toEqual(tool);
    expect(requests).toEqual(['/v1/tool.tar.gz']);
  });

  test('is downloaded once by two concurrent installations', async () => {
    const archive = tarGz('tool', program('8.30.1'));
    served.set('/v1/tool.tar.gz', archive);
    const options = { env, manifest: { tool: recipe({ sha256: sha256Of(archive) }) } };
    const [one, two] = await Promise.all([installTool('tool', options), installTool('tool', options)]);
    expect(one).toEqual(two);
    expect(requests).toHaveLength(1);
  });

  test('with a wrong checksum stops the installation and leaves no files', async () => {
    served.set('/v1/tool.tar.gz', tarGz('tool', program('8.30.1')));
    const options = { env, manifest: { tool: recipe({ sha256: '0'.repeat(64) }) } };
    await expect(installTool('tool', options)).rejects.toThrow(
      /has sha256 [0-9a-f]{64}, but 0{64} is pinned/,
    );
    expect(readdirSync(join(folder, '.cache', 'secu', 'tools'))).toEqual([]);
  });

  test('gets its checksum from the pinned list if the file itself has none', async () => {
    const archive = tarGz('tool', program('8.30.1'));
    const list = Buffer.from(`${sha256Of(archive)}  tool.tar.gz\n`);
    served.set('/v1/tool.tar.gz', archive).set('/v1/sums', list);
    const plain = recipe({});
    const release = { ...plain.release, checksums: { file: 'sums', sha256: sha256Of(list) } };
    const tool = await installTool('tool', { env, manifest: { tool: { ...plain, release } } });
    expect(tool.source).toBe('release');
    served.set('/v1/sums', Buffer.from(`${'0'.repeat(64)}  tool.tar.gz\n`));
    rmSync(join(folder, '.cache'), { recursive: true });
    const again = installTool('tool', { env, manifest: { tool: { ...plain, release } } });
    await expect(again).rejects.toThrow(/is pinned/);
  });
});

describe('when no source works', () => {
  test('the error names each source, why it failed, and what to do', async () => {
    const requested = installTool('tool', { env, manifest: { tool: recipe({ sha256: '0'.repeat(64) }) } });
    const message = await requested.then(String, (err: Error) => err.message);
    expect(message).toMatch(/PATH: no tool 8\.30\.1/);
    expect(message).toMatch(/official release: answered 404/);
    expect(message).toMatch(/Go build: Go >= 1\.26\.8 is not installed/);
    expect(message).toMatch(/set SECU_TOOL_PATH/);
  });

  test('an unreachable release host fails after the connect timeout', async () => {
    const manifest = { tool: recipe({ sha256: '0'.repeat(64) }) };
    // No host answers at TEST-NET-1 (RFC 5737).
    const options = { env, manifest, releaseBaseUrl: 'http://192.0.2.1/', connectTimeoutMs: 200 };
    const startedAt = Date.now();
    await expect(installTool('tool', options)).rejects.toThrow(/official release: /);
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });

  test('the running product reports the failure with its own code', async () => {
    const paths = { temporal: join(folder, 'absent') };
    await expect(requireTool('temporal', { paths, printLine: () => {}, env })).rejects.toMatchObject({
      code: 'tool_unavailable',
    });
    expect(existsSync(join(folder, '.cache'))).toBe(false);
  });
});
