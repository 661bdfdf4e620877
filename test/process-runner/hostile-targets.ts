/** What `hostile.js` tries to reach. */
export interface HostileTargets {
  /** A text that only protected files and the environment of Secu contain. */
  canary: string;
  files: string[];
  folders: string[];
  scansFolder: string;
  otherScan: string;
  /** Files that programs may read but must not change. */
  readOnly: string[];
  tcp: Record<string, { host: string; port: number }>;
  sockets: Record<string, { path: string }>;
}

/** `reached` or `refused`, by what was tried. */
export type HostileReport = Record<string, 'reached' | 'refused'>;
