import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { z } from 'zod';

const run = promisify(execFile);

const Report = z.array(z.object({ RuleID: z.string(), File: z.string(), StartLine: z.number() }));

/** The environment of a client without its own settings. */
export function clientEnvironment(home: string): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
}

/** Runs the real git as a client; @throws the error of `execFile` with `code` and `stderr` */
export async function git(options: { home: string; args: string[] }): Promise<string> {
  const { stdout } = await run('git', options.args, {
    env: clientEnvironment(options.home),
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** `http://oauth2:<token>@host/path.git`: acceptable for a simulator, never for a GitLab. */
export function cloneUrl(options: { url: string; path: string; token: string }): string {
  const address = new URL(`${options.url}/${options.path}.git`);
  address.username = 'oauth2';
  address.password = options.token;
  return address.href;
}

/** Scans a bare clone with gitleaks' default rules, in a way that a repository cannot switch off. */
export async function scanWithGitleaks(options: { gitleaks: string; repository: string; home: string }) {
  const { gitleaks, repository, home } = options;
  const report = join(home, 'report.json');
  const rules = join(home, 'rules.toml');
  const ignores = join(home, 'no-ignores');
  await mkdir(ignores, { recursive: true });
  await mkdir(join(repository, 'info'), { recursive: true });
  await writeFile(rules, '[extend]\nuseDefault = true\n');
  await writeFile(join(repository, 'info', 'attributes'), '* diff\n*.png -diff\n*.zip -diff\n');
  const flags = ['--no-banner', '--exit-code', '0', '-c', rules, '-i', ignores, '--ignore-gitleaks-allow'];
  const output = ['--redact=100', '-f', 'json', '-r', report, '--log-opts=--text --full-history --all'];
  const { stderr } = await run(gitleaks, ['git', repository, ...flags, ...output], {
    env: clientEnvironment(home),
  });
  if (/\b(ERR|FTL)\b|\[git\]|partial scan/.test(stderr))
    throw new Error(`gitleaks read only a part: ${stderr}`);
  const found = Report.parse(JSON.parse(await readFile(report, 'utf8')));
  return found.map(({ RuleID, File, StartLine }) => ({ path: File, line: StartLine, ruleId: RuleID }));
}
