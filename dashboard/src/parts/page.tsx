import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useEffect } from 'react';
import classes from './page.module.css';

/** A page's title, what can be done on it, and its content. Exactly one `h1` a page comes from here. */
export function Page({
  title,
  badge,
  actions,
  children,
}: {
  title: string;
  badge?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Secu`;
  }, [title]);
  return (
    <>
      <header className={classes['header']}>
        <Title order={1} className={classes['title']}>
          {title}
        </Title>
        {badge}
        {actions !== undefined && <div className={classes['actions']}>{actions}</div>}
      </header>
      {children}
    </>
  );
}
