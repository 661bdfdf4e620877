import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { SecuError } from '../../domain/errors.ts';
import { persistentPort } from '../../embedded/home.ts';

const Announcement = z.object({ url: z.url(), controlKey: z.string(), token: z.string() });

export const Expectations = z.record(
  z.string(),
  z.object({
    listed: z.boolean(),
    excludedBecause: z.string().optional(),
    clone: z.string().optional(),
    findings: z.array(z.object({ path: z.string(), line: z.number(), ruleId: z.string().optional() })),
    historyFindings: z.array(z.object({ path: z.string(), line: z.number() })).optional(),
    flaws: z
      .array(z.object({ path: z.string(), line: z.number(), ruleId: z.string().optional() }))
      .optional(),
    mayFind: z.array(z.object({ path: z.string(), line: z.number().optional() })).optional(),
    cleanPaths: z.array(z.string()).optional(),
  }),
);
export type Expectations = z.infer<typeof Expectations>;

export interface DemoSimulator {
  url: string;
  token: string;
  expectations(): Promise<Expectations>;
  stop(): Promise<void>;
}

/** Starts the simulated GitLab as a child process that ends with this one. Its port and tokens stay the same. */
export async function startSimulator({
  folder,
  portFile,
}: {
  folder: string;
  portFile: string;
}): Promise<DemoSimulator> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const port = await persistentPort(portFile);
  const program = fileURLToPath(new URL('../../../simulator/main.ts', import.meta.url));
  const log = openSync(join(folder, 'simulator.log'), 'a', 0o600);
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, '--json', '--port', String(port), '--folder', folder],
    {
      stdio: ['ignore', 'pipe', log, 'ipc'],
    },
  );
  closeSync(log);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const line = await Promise.race([firstLine(child.stdout), ended.then(() => null)]);
  if (line === null)
    throw new SecuError(
      'embedded_failed',
      `the simulated GitLab did not start; see ${join(folder, 'simulator.log')}`,
    );
  const { url, token, controlKey } = Announcement.parse(JSON.parse(line));
  return {
    url,
    token,
    async expectations() {
      const response = await fetch(`${url}/_simulator/expectations`, {
        headers: { 'X-Simulator-Key': controlKey },
      });
      return Expectations.parse(await response.json());
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function firstLine(output: NodeJS.ReadableStream | null): Promise<string | null> {
  if (output === null) return null;
  for await (const line of createInterface({ input: output })) return line;
  return null;
}
