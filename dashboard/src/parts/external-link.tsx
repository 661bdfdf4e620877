import { Anchor } from '@mantine/core';
import type { ReactNode } from 'react';

/** A link that leaves Secu; text alone where the address is none of the web. */
export function ExternalLink({ href, children }: { href: string; children: ReactNode }) {
  if (!isHttpUrl(href)) return <>{children}</>;
  return (
    <Anchor href={href} target="_blank" rel="noreferrer" size="sm">
      {children}
    </Anchor>
  );
}

export function isHttpUrl(href: string): boolean {
  return /^https?:\/\//.test(href);
}
