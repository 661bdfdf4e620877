import { Kbd } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import classes from './shell.module.css';

const PaletteDialog = lazy(() => import('./palette-dialog.tsx'));

/** Button and shortcut (Ctrl+K, ⌘+K) for the command palette, which is loaded on first use. */
export function Palette() {
  const [open, setOpen] = useState(false);
  useHotkeys([['mod+K', () => setOpen(true)]], []);
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
