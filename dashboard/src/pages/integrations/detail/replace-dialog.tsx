import { Alert, Button, Checkbox, Group, Modal, PasswordInput, Text } from '@mantine/core';
import { useState } from 'react';
import { api, requestWithStatus } from '../../../api/api.ts';
import { Problem } from '../../../api/problem.ts';
import { causeTitle } from '../../../format/labels.ts';
import { formField } from '../../../parts/form-field.ts';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import { showToast } from '../../../parts/toast.ts';
import type { TokenFault } from '../new/token-format.ts';
import { findTokenFault } from '../new/token-format.ts';
import { useCacheIntegration } from '../use-verify.ts';
import type { DialogProps } from './dialog-props.ts';
import { useSubmit } from './use-submit.ts';

/**
 * Puts a new token in place of the old one, which stays until the new one has proved itself. The field is emptied once
 * the server has decided; only a token that reaches less stays in it, to be sent again with a word.
 */
export function ReplaceDialog({ integration: { id, name, baseUrl }, onClose }: DialogProps) {
  const settle = useCacheIntegration();
  const [fault, setFault] = useState<TokenFault | null>(null);
  const { submit, isRunning, error } = useSubmit(async (form) => {
    const found = findTokenFault(formField(form, 'token').trim());
    setFault(found);
    if (found !== null) return;
    try {
      const { done, body } = await putToken(id, form);
      settle(body);
      showToast(
        done
          ? replacedText(body)
          : 'GitLab is slow. The old token stays until the new one is verified; the page follows.',
      );
      onClose();
    } catch (err) {
      if (!(err instanceof Problem && (err.code === 'reach_shrinks' || err.status === 0))) emptyToken(form);
      throw err;
    }
  });
  const shrinks = error instanceof Problem && error.code === 'reach_shrinks' ? error : null;
  return (
    <Modal opened onClose={onClose} title={`Replace the token of ${name}?`} closeOnClickOutside={!isRunning}>
      <form onSubmit={submit}>
        {fault !== null && (
          <Alert color="bad" title={fault.title} role="alert" mb="md">
            {fault.advice}
          </Alert>
        )}
        {error !== null && shrinks === null && <Refused error={error} />}
        <Text size="sm">
          Secu tries the new token at {baseUrl} first. If it is good, it takes the place of the old one, which
          is wiped; repositories and findings stay. If not, the old one stays.
        </Text>
        <PasswordInput
          name="token"
          label="New token"
          description="With the scopes read_api and read_repository"
          required
          autoComplete="off"
          data-1p-ignore
          data-lpignore="true"
          data-autofocus
          mt="sm"
        />
        {shrinks !== null && <ReachShrinks problem={shrinks} />}
        <Group justify="flex-end" gap="sm" mt="lg">
          <Button variant="default" onClick={onClose} disabled={isRunning}>
            Keep token
          </Button>
          <Button type="submit" loading={isRunning}>
            Replace token
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

function putToken(id: string, form: HTMLFormElement) {
  const json = { token: formField(form, 'token'), acceptLoss: formField(form, 'acceptLoss') === 'on' };
  return requestWithStatus(api.integrations[':id'].token.$put({ param: { id }, json }));
}

function replacedText({ token }: { token: { expiry: { nextFlagAt: string | null } } | null }): string {
  const next = token?.expiry.nextFlagAt ?? null;
  return next === null ? 'Token replaced.' : `Token replaced. The next warning is on ${next.slice(0, 10)}.`;
}

function emptyToken(form: HTMLFormElement): void {
  const field = form.elements.namedItem('token');
  if (field instanceof HTMLInputElement) field.value = '';
}

/** A new token that GitLab refused has a cause of its own; the old one stays in any case. */
function Refused({ error }: { error: unknown }) {
  if (error instanceof Problem && error.status === 422)
    return (
      <Alert color="bad" title={`Not replaced: ${causeTitle(error.code)}`} role="alert" mb="md">
        {error.title}. The old token stays in place.
      </Alert>
    );
  return <ProblemPanel error={error} />;
}

function ReachShrinks({ problem }: { problem: Problem }) {
  const { lost, known, owner } = problem.details;
  const newOwner = changedOwner(owner);
  return (
    <Alert
      color="warn"
      title={`It does not reach ${String(lost)} of ${String(known)} repositories`}
      role="alert"
      mt="sm"
    >
      <Text size="sm">
        {newOwner !== null && `It belongs to ${newOwner}, not to the owner of the one before. `}
        What it does not reach would leave Secu with the next lists. Give it access at GitLab and try again,
        or take it all the same.
      </Text>
      <Checkbox name="acceptLoss" size="xs" mt="sm" label="Take it all the same" />
    </Alert>
  );
}

/** Whose the new token is, where that is somebody else. */
function changedOwner(owner: unknown): string | null {
  const { before, after } = (owner ?? {}) as { before?: unknown; after?: unknown };
  return typeof after === 'string' && after !== before ? after : null;
}
