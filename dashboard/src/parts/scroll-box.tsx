import type { ReactNode } from 'react';

/** A table that may be wider than the window: it scrolls within itself, also by keyboard. */
export function ScrollBox({ label, children }: { label: string; children: ReactNode }) {
  return (
    <section
      aria-label={label}
      style={{ overflowX: 'auto', whiteSpace: 'nowrap' }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reachable by keyboard
      tabIndex={0}
    >
      {children}
    </section>
  );
}
