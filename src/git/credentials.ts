import type { Secret } from '../domain/secret.ts';
import type { MemoryFile } from './memory-file.ts';
import { openMemoryFile } from './memory-file.ts';

/**
 * The configuration of one call of git, with the token in it, in a nameless file in memory: never an argument, an
 * environment, an address or a disk. git knows the header from the start, so a clone is three requests; a credential
 * helper is only asked after a refusal, which is a fourth.
 */
export function openCredential(input: {
  folder: string;
  token: Secret;
  config: (header: string) => string;
}): MemoryFile {
  const basic = Buffer.from(`oauth2:${input.token.reveal()}`).toString('base64');
  return openMemoryFile({ folder: input.folder, content: input.config(`Authorization: Basic ${basic}`) });
}
