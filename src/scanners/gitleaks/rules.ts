import { createHash, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The rules of gitleaks and ours: the whole configuration. gitleaks adds no rule and no allowlist of its own.
 */
const PARTS = ['upstream-rules.toml', 'rules.toml'].map((name) =>
  readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8'),
);

export const RULES = PARTS.join('\n');
export const RULE_IDS: readonly string[] = [...RULES.matchAll(/^id = "([\w-]+)"$/gm)].map(
  ([, id = '']) => id,
);

/**
 * Writes the rules to one file, because gitleaks reads only one. The runner uses the file of its worker, because it can
 * only read the folder.
 * @returns its path
 */
export function writeRules(folder: string): string {
  const hash = createHash('sha256').update(RULES).digest('hex').slice(0, 16);
  const path = join(folder, `gitleaks-rules-${hash}.toml`);
  if (existsSync(path)) return path;
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, RULES);
  chmodSync(draft, 0o644); // whatever the umask: the runner may be another user
  renameSync(draft, path);
  return path;
}
