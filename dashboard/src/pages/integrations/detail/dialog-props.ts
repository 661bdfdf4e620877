import type { Integration } from '../data.ts';

export type DialogName = 'replace' | 'rotate' | 'remove' | 'scan';

export interface DialogProps {
  integration: Integration;
  onClose: () => void;
}
