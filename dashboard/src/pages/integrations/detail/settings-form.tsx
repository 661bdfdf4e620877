import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import { SettingsSection } from './settings-section.tsx';
import classes from './settings-tab.module.css';
import { useSubmit } from './use-submit.ts';

/** A section of the settings with its own Save button. */
export function SettingsForm({
  title,
  save,
  disabled = false,
  children,
}: {
  title: string;
  save: (form: HTMLFormElement) => Promise<void>;
  disabled?: boolean;
  children: ReactNode;
}) {
  const { submit, isRunning, error } = useSubmit(save);
  return (
    <SettingsSection title={title}>
      <form onSubmit={submit} className={classes['form']}>
        {children}
        {error !== null && <ProblemPanel error={error} />}
        <Button
          type="submit"
          variant="default"
          loading={isRunning}
          disabled={disabled}
          className={classes['act']}
        >
          Save
        </Button>
      </form>
    </SettingsSection>
  );
}
