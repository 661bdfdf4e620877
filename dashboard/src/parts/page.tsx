import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useEffect } from 'react';
import classes from './page.module.css';

/** Title, actions and content of a page. Renders the only `h1` of the page. */
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
