import type { ScanView } from '../../db/stores/scan-view.ts';
import { adviceFor } from '../../domain/causes.ts';
import type { z } from '../shared.ts';
import { iso, isoOrNull } from '../shared.ts';
import type { ScanSchema } from './schemas.ts';

export function presentScan(view: ScanView): z.infer<typeof ScanSchema> {
  return {
    ...view,
    advice: adviceFor(view.cause),
    queuedAt: iso(view.queuedAt),
    startedAt: isoOrNull(view.startedAt),
    finishedAt: isoOrNull(view.finishedAt),
  };
}
