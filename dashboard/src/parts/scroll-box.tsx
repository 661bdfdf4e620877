import type { ReactNode } from 'react';

/** Scrolls a wide table horizontally, also by keyboard. */
export function ScrollBox({ label, children }: { label: string; children: ReactNode }) {
  return (
    <section
      aria-label={label}
      style={{ overflowX: 'auto', whiteSpace: 'nowrap' }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll container must be reachable by keyboard
      tabIndex={0}
    >
      {children}
    </section>
  );
}
