import type { ComponentType } from 'react';
import type { DialogName, DialogProps } from './dialog-props.ts';
import { RemoveDialog } from './remove-dialog.tsx';
import { ReplaceDialog } from './replace-dialog.tsx';
import { RotateDialog } from './rotate-dialog.tsx';
import { ScanDialog } from './scan-dialog.tsx';

const DIALOGS: Record<DialogName, ComponentType<DialogProps>> = {
  replace: ReplaceDialog,
  rotate: RotateDialog,
  remove: RemoveDialog,
  scan: ScanDialog,
};

export default function Dialogs({ name, ...props }: DialogProps & { name: DialogName }) {
  const Dialog = DIALOGS[name];
  return <Dialog {...props} />;
}
