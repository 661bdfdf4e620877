import { Kbd } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { useShortcuts } from '../keyboard/hotkeys.ts';
import classes from './shell.module.css';

const PaletteDialog = lazy(() => import('./palette-dialog.tsx'));

/** Opens the palette, by button and by `mod+k`. */
export function Palette() {
  const [open, setOpen] = useState(false);
  useShortcuts({ 'mod+k': () => setOpen(true) });
  return (
    <>
      <button
        type="button"
        className={classes['goto']}
        aria-haspopup="dialog"
        aria-keyshortcuts="Control+K"
        onClick={() => setOpen(true)}
      >
        <IconSearch size={14} aria-hidden="true" />
        <span className={classes['gotoText']}>Go to …</span>
        <Kbd size="xs" className={classes['gotoText'] ?? ''}>
          Ctrl K
        </Kbd>
      </button>
      <Suspense>{open && <PaletteDialog onClose={() => setOpen(false)} />}</Suspense>
    </>
  );
}
