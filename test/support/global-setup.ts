import type { TestServers } from './servers.ts';
import { startTestServers } from './servers.ts';

declare global {
  /** Set-up and tear-down of jest share only the globals of the process. */
  var secuTestServers: TestServers | undefined;
}

export default async function setUp(): Promise<void> {
  globalThis.secuTestServers = await startTestServers();
}
