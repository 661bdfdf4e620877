import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useShortcuts } from '../keyboard/hotkeys.ts';

const HelpDialog = lazy(() => import('./help-dialog.tsx'));

/** Shortcuts of every page; `?` lists all of them. */
export function Help() {
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  useShortcuts({
    '?': () => setOpen(true),
    '/': () => document.querySelector<HTMLInputElement>('input[type="search"]')?.focus(),
    'g o': () => void navigate({ to: '/' }),
    'g i': () => void navigate({ to: '/integrations' }),
    'g r': () => void navigate({ to: '/repositories' }),
    'g f': () => void navigate({ to: '/findings' }),
    'g s': () => void navigate({ to: '/settings' }),
  });
  return <Suspense>{open && <HelpDialog onClose={() => setOpen(false)} />}</Suspense>;
}
