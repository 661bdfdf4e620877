import type { Secret } from '../domain/secret.ts';
import type { GitConfigInput } from './config.ts';
import { openMemoryFile } from './memory-file.ts';

/** The credential of one call, open until it is closed. */
export interface OpenCredential {
  /** Descriptor, in this process, of the configuration that git is to read. */
  configFd: number;
  env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** How the token reaches git: never by argument, environment, address or disk. */
export interface CredentialChannel {
  readonly kind: 'memory' | 'socket';
  open(input: {
    token: Secret;
    scope: string;
    config: (credential: GitConfigInput['credential']) => string;
  }): Promise<OpenCredential>;
}

/**
 * The header is written into the configuration, and that into a nameless file in memory. git knows the header from
 * the start, so a clone is three requests; a credential helper is only asked after a refusal, which is a fourth.
 */
export function memoryChannel(folder: string): CredentialChannel {
  return {
    kind: 'memory',
    async open({ token, config }) {
      const basic = Buffer.from(`oauth2:${token.reveal()}`).toString('base64');
      const file = openMemoryFile({ folder, content: config({ header: `Authorization: Basic ${basic}` }) });
      return { configFd: file.fd, env: {}, close: async () => file.close() };
    },
  };
}
