import { Alert, Button, Code, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, request } from '../../../api/api.ts';
import { formField } from '../../../parts/form-field.ts';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import classes from './explain.module.css';

type Answer = Awaited<ReturnType<typeof explain>>;

const explain = (id: string, path: string) =>
  request(api.integrations[':id'].explain.$get({ param: { id }, query: { path } }));

/** Explains why a repository is or is not listed. */
export function Explain({ id }: { id: string }) {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isLoading, setLoading] = useState(false);
  const run = async (path: string) => {
    setLoading(true);
    setError(null);
    try {
      setAnswer(await explain(id, path));
    } catch (err) {
      setAnswer(null);
      setError(err);
    } finally {
      setLoading(false);
    }
  };
  return (
    <details className={classes['explain']}>
      <summary>Why is a repository not listed?</summary>
      <form
        className={classes['form']}
        onSubmit={(event) => {
          event.preventDefault();
          void run(formField(event.currentTarget, 'path').trim());
        }}
      >
        <TextInput
          name="path"
          aria-label="Path or URL of the repository"
          placeholder="group/project"
          required
          maxLength={2_000}
          spellCheck={false}
          className={classes['path']}
        />
        <Button type="submit" variant="default" loading={isLoading}>
          Explain
        </Button>
      </form>
      <div role="status">
        {answer !== null && (
          <Alert
            color={answer.reason === null ? 'ok' : 'info'}
            title={`${answer.path}: ${answer.listed ? 'listed' : 'not listed'}`}
          >
            {answer.detail} {answer.reason !== null && <Code>{answer.reason}</Code>}
          </Alert>
        )}
      </div>
      {error !== null && <ProblemPanel error={error} />}
    </details>
  );
}
