import { Skeleton, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useEffect, useState } from 'react';
import classes from './states.module.css';

const SKELETON_DELAY_MS = 150;

/** Placeholder rows for a list that loads; shown after a short delay to avoid flicker. */
export function LoadingRows({ rows = 6, label }: { rows?: number; label: string }) {
  const [isDelayed, setDelayed] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDelayed(true), SKELETON_DELAY_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" aria-label={label} aria-busy="true">
      {isDelayed &&
        Array.from({ length: rows }, (_, row) => `row ${row}`).map((row) => (
          <Skeleton key={row} h={28} mb={8} />
        ))}
    </div>
  );
}

/** An empty state: first use with an action, no matches with a reset, or good news. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={classes['empty']}>
      <Text fw={600}>{title}</Text>
      {children}
    </div>
  );
}

/** Shown for a page that the role may not open. */
export function NotAllowed({ roles }: { roles: string }) {
  return (
    <Empty title="Access denied">
      <Text size="sm" c="dimmed">
        {roles} can open this page. Ask an administrator for access.
      </Text>
    </Empty>
  );
}
