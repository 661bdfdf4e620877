import { useEffect, useRef } from 'react';

const SINGLE_KEYS_STORAGE_KEY = 'secu-single-keys';

/** Single keys can be switched off (WCAG 2.1.4): who dictates text would set them off. */
export function areSingleKeysEnabled(): boolean {
  return localStorage.getItem(SINGLE_KEYS_STORAGE_KEY) !== 'off';
}

export function setSingleKeysEnabled(on: boolean): void {
  if (on) localStorage.removeItem(SINGLE_KEYS_STORAGE_KEY);
  else localStorage.setItem(SINGLE_KEYS_STORAGE_KEY, 'off');
}

/** A key as people write it: `j`, `Shift+j`, `?`, `Enter`, `g o` (one after the other), `mod+k`. */
export type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

const SEQUENCE_MS = 1_500;
let pending: { key: string; atMs: number } | null = null;

/**
 * Keys of a page. Off in inputs, while composing, with a modifier other than those named, and while a dialog is open.
 * What helps is listed under `?` (`shell/help.tsx`).
 */
export function useShortcuts(keys: Shortcuts, enabled = true): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    if (!enabled) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const name = shortcutName(event);
      if (name === null) return;
      const withModifier = name.startsWith('mod+');
      if (!withModifier && (!areSingleKeysEnabled() || isTextField(event.target) || isDialogOpen())) return;
      if (name === 'Enter' && handlesEnterItself(event.target)) return;
      const action = matchShortcut(latest.current, name);
      if (action === undefined) return;
      event.preventDefault();
      action(event);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [enabled]);
}

function matchShortcut(keys: Shortcuts, name: string): Shortcuts[string] | undefined {
  const before = pending !== null && performance.now() - pending.atMs < SEQUENCE_MS ? pending.key : null;
  const action = before === null ? undefined : keys[`${before} ${name}`];
  if (action !== undefined) {
    pending = null;
    return action;
  }
  if (Object.keys(keys).some((key) => key.startsWith(`${name} `)))
    pending = { key: name, atMs: performance.now() };
  // the second key of a sequence is not the first of another
  return before === null ? keys[name] : undefined;
}

function shortcutName({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): string | null {
  if (altKey) return null;
  if (ctrlKey || metaKey) return `mod+${key.toLowerCase()}`;
  return shiftKey && /^[A-Z]$|^Arrow/.test(key) ? `Shift+${key.length === 1 ? key.toLowerCase() : key}` : key;
}

/** What Enter presses by itself. */
function handlesEnterItself(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('a, button, summary') !== null;
}

function isTextField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest('input, textarea, select, [contenteditable="true"]') !== null
  );
}

function isDialogOpen(): boolean {
  return document.querySelector('[role="dialog"], [role="menu"], [role="listbox"]') !== null;
}
