import { SecuError } from '../../src/domain/errors.ts';
import type { Scanners } from '../../src/domain/ports.ts';
import { NOTHING_UNREAD } from '../../src/domain/scan.ts';

/** A fake scanner that reads everything and finds nothing. */
export function createFakeScanners(): Scanners {
  return {
    rules: 'sha256:silent',
    ruleIds: { gitleaks: [], 'ast-grep': [] },
    async scan({ signal }) {
      if (signal.aborted) throw new SecuError('canceled', 'the scan was canceled');
      return {
        runs: [
          {
            name: 'silent',
            version: '1.0.0',
            rules: 'sha256:silent',
            status: 'ok',
            cause: null,
            findings: 0,
            filesScanned: 1,
            filesSkipped: [],
            durationMs: 1,
          },
        ],
        findings: [],
        ...NOTHING_UNREAD,
      };
    },
  };
}
