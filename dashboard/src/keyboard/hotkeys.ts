import { useEffect, useRef } from 'react';

const SINGLE_KEYS_STORAGE_KEY = 'secu-single-keys';

/** Single-key shortcuts can be disabled (WCAG 2.1.4), because speech input would trigger them. */
export function areSingleKeysEnabled(): boolean {
  return localStorage.getItem(SINGLE_KEYS_STORAGE_KEY) !== 'off';
}

export function setSingleKeysEnabled(on: boolean): void {
  if (on) localStorage.removeItem(SINGLE_KEYS_STORAGE_KEY);
  else localStorage.setItem(SINGLE_KEYS_STORAGE_KEY, 'off');
}

/** Actions by shortcut: `j`, `Shift+j`, `?`, `Enter`, or a sequence such as `g o`. */
export type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

const SEQUENCE_MS = 1_500;
let pending: { key: string; atMs: number } | null = null;

/**
 * Single-key shortcuts of a page; inactive in text fields, during text composition and while a dialog or menu is open.
 * Our own code, because `useHotkeys` of Mantine has no sequences, no switch to turn shortcuts off and no such guard.
 */
export function useShortcuts(shortcuts: Shortcuts, enabled = true): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    if (!enabled) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const name = shortcutName(event);
      if (name === null) return;
      if (!areSingleKeysEnabled() || isTextField(event.target) || isDialogOpen()) return;
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

function matchShortcut(shortcuts: Shortcuts, name: string): Shortcuts[string] | undefined {
  const first = pending !== null && performance.now() - pending.atMs < SEQUENCE_MS ? pending.key : null;
  const action = first === null ? undefined : shortcuts[`${first} ${name}`];
  if (action !== undefined) {
    pending = null;
    return action;
  }
  if (Object.keys(shortcuts).some((key) => key.startsWith(`${name} `)))
    pending = { key: name, atMs: performance.now() };
  // a key that follows the first key of a sequence never triggers a single-key shortcut
  return first === null ? shortcuts[name] : undefined;
}

function shortcutName({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): string | null {
  if (altKey || ctrlKey || metaKey) return null;
  return shiftKey && /^[A-Z]$|^Arrow/.test(key) ? `Shift+${key.length === 1 ? key.toLowerCase() : key}` : key;
}

/** Elements that Enter activates anyway. */
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
