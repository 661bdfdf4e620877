import { createHash, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';

/** Writes one PEM file with the roots of the system and ours; `http.sslCAInfo` replaces those of the system. The runner only reads it. */
export function writeRoots({ folder, caPem }: { folder: string; caPem: string }): string {
  const system = getCACertificates('system');
  const roots = [...(system.length === 0 ? getCACertificates('default') : system), caPem];
  const pem = roots.map((root) => `${root.trim()}\n`).join('');
  const path = join(
    folder,
    `certificates-${createHash('sha256').update(pem).digest('hex').slice(0, 16)}.pem`,
  );
  if (!existsSync(path)) {
    const draft = `${path}.${randomUUID()}`;
    writeFileSync(draft, pem);
    chmodSync(draft, 0o644); // whatever the umask: the runner may be another user
    renameSync(draft, path);
  }
  return path;
}
