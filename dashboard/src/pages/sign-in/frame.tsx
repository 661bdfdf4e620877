import { Title } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useEffect } from 'react';
import classes from './frame.module.css';

/** The layout of the sign-in and setup pages. */
export function Frame({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Secu`;
  }, [title]);
  return (
    <main className={classes['frame']}>
      <div className={classes['form']}>
        <span className={classes['brand']}>
          <IconShieldCheck size={24} aria-hidden="true" />
          Secu
        </span>
        <Title order={1} mb="md">
          {title}
        </Title>
        {children}
      </div>
    </main>
  );
}
