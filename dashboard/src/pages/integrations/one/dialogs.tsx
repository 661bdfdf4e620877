import type { Integration } from '../data.ts';
import { RemoveDialog } from './remove-dialog.tsx';
import { ReplaceDialog } from './replace-dialog.tsx';
import { RotateDialog } from './rotate-dialog.tsx';
import { ScanDialog } from './scan-dialog.tsx';

export type DialogName = 'replace' | 'rotate' | 'remove' | 'scan';

export interface DialogProps {
  integration: Integration;
  onClose: () => void;
}

const DIALOGS = { replace: ReplaceDialog, rotate: RotateDialog, remove: RemoveDialog, scan: ScanDialog };

export default function Dialogs({ name, ...props }: DialogProps & { name: DialogName }) {
  const Dialog = DIALOGS[name];
  return <Dialog {...props} />;
}
