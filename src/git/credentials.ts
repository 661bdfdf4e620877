import type { Secret } from '../domain/secret.ts';
import type { MemoryFile } from './memory-file.ts';
import { openMemoryFile } from './memory-file.ts';

/**
 * The configuration of one call of git, which holds the token, in an unnamed file in memory: the token is never in an
 * argument, an environment, an address or on a disk. git has the header from the start, so a clone takes three requests;
 * a credential helper is asked only after a refusal, which would be a fourth.
 */
export function openCredential(input: {
  folder: string;
  token: Secret;
  config: (header: string) => string;
}): MemoryFile {
  const basic = Buffer.from(`oauth2:${input.token.reveal()}`).toString('base64');
  return openMemoryFile({ folder: input.folder, content: input.config(`Authorization: Basic ${basic}`) });
}
