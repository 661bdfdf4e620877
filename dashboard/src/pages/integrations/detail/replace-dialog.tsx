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
 * Replaces the token. The server verifies the new one before it drops the old one. The field is cleared after the
 * answer, except when the new token reaches fewer repositories and the user may want to accept that.
 */
export function ReplaceDialog({ integration: { id, name, baseUrl }, onClose }: DialogProps) {
  const cacheIntegration = useCacheIntegration();
  const [fault, setFault] = useState<TokenFault | null>(null);
  const { submit, isRunning, error } = useSubmit(async (form) => {
    const tokenFault = findTokenFault(formField(form, 'token').trim());
    setFault(tokenFault);
    if (tokenFault !== null) return;
    try {
      const { done, body } = await putToken(id, form);
      cacheIntegration(body);
      showToast(
        done
          ? replacedText(body)
          : 'GitLab is slow. The old token stays in use until the new one is verified.',
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
          Secu verifies the new token with {baseUrl} first. If it works, Secu deletes the old token and keeps
          repositories and findings. If not, the old token stays in use.
        </Text>
        <PasswordInput
          name="token"
          label="New token"
          description="Required scopes: read_api, read_repository"
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
            Cancel
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
  return next === null
    ? 'Token replaced.'
    : `Token replaced. The next expiry warning is on ${next.slice(0, 10)}.`;
}

function emptyToken(form: HTMLFormElement): void {
  const field = form.elements.namedItem('token');
  if (field instanceof HTMLInputElement) field.value = '';
}

/** Why the new token was not accepted. */
function Refused({ error }: { error: unknown }) {
  if (error instanceof Problem && error.status === 422)
    return (
      <Alert color="bad" title={`Not replaced: ${causeTitle(error.code)}`} role="alert" mb="md">
        {error.title}. The old token stays in use.
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
      title={`The new token cannot access ${String(lost)} of ${String(known)} repositories`}
      role="alert"
      mt="sm"
    >
      <Text size="sm">
        {newOwner !== null && `It belongs to a different owner, ${newOwner}. `}
        Secu would remove these repositories with the next syncs. Give the token access in GitLab and try
        again, or accept the change.
      </Text>
      <Checkbox name="acceptLoss" size="xs" mt="sm" label="Replace the token anyway" />
    </Alert>
  );
}

/** The owner of the new token, if it is not the owner of the old one. */
function changedOwner(owner: unknown): string | null {
  const { before, after } = (owner ?? {}) as { before?: unknown; after?: unknown };
  return typeof after === 'string' && after !== before ? after : null;
}
