import { Text } from '@mantine/core';
import { useHasRole } from '../api/session.ts';
import { ButtonLink } from './button-link.tsx';
import { Empty } from './states.tsx';

/** The empty state of a new installation. */
export function FirstUse() {
  const isOperator = useHasRole('operator');
  return (
    <Empty title="Connect GitLab to get started">
      <Text size="sm" c="dimmed">
        Add a GitLab token with read access. Secu lists and scans every repository that the token can access,
        and alerts you before the token expires.
      </Text>
      {isOperator ? (
        <ButtonLink to="/integrations/new">New integration</ButtonLink>
      ) : (
        <Text size="sm">An operator or administrator can add an integration.</Text>
      )}
    </Empty>
  );
}
