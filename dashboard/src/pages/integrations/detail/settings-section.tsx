import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './settings-tab.module.css';

export function SettingsSection({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes['part']}>
      <Title order={2}>{title}</Title>
      {children}
    </section>
  );
}
