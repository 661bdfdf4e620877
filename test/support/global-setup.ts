import type { Ground } from './ground.ts';
import { startGround } from './ground.ts';

declare global {
  /** Set-up and tear-down of jest share only the globals of the process. */
  var secuTestGround: Ground | undefined;
}

export default async function setUp(): Promise<void> {
  globalThis.secuTestGround = await startGround();
}
