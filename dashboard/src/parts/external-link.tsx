import { Anchor } from '@mantine/core';
import type { ReactNode } from 'react';

/** A link to another site; plain text if the address is not http. */
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
