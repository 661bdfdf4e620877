import { Skeleton, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useEffect, useState } from 'react';
import classes from './states.module.css';

const SKELETON_DELAY_MS = 150;

/** Rows of the true height while a list is on its way, and not before a moment has passed. */
export function LoadingRows({ rows = 6, label }: { rows?: number; label: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), SKELETON_DELAY_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" aria-label={label} aria-busy="true">
      {late &&
        Array.from({ length: rows }, (_, row) => `row ${row}`).map((row) => (
          <Skeleton key={row} h={28} mb={8} />
        ))}
    </div>
  );
}

/** Nothing to show, and why: first use with its action, nothing that matches with a way to clear, or good news. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={classes['empty']}>
      <Text fw={600}>{title}</Text>
      {children}
    </div>
  );
}

/** For an address that the role may not open. */
export function NotAllowed({ roles }: { roles: string }) {
  return (
    <Empty title="Not allowed">
      <Text size="sm" c="dimmed">
        {roles} may open this. Ask an administrator for the role.
      </Text>
    </Empty>
  );
}
