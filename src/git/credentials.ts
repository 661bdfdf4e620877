import type { Secret } from '../domain/secret.ts';
import type { MemoryFile } from '../subprocess/memory-file.ts';
import { openMemoryFile } from '../subprocess/memory-file.ts';

/**
 * Passes the configuration of one call of git, which holds the token, in an unnamed file in memory: the token is
 * never in an argument, an environment variable, an address or on a disk. git has the header from the start, so a
 * clone takes three requests. With a credential helper it would take four, because git asks the helper only after
 * a refusal.
 */
export function openCredential(input: {
  folder: string;
  token: Secret;
  config: (header: string) => string;
}): MemoryFile {
  const basic = Buffer.from(`oauth2:${input.token.reveal()}`).toString('base64');
  return openMemoryFile({ folder: input.folder, content: input.config(`Authorization: Basic ${basic}`) });
}
