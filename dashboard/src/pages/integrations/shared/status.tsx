import { Badge, Text } from '@mantine/core';
import {
  IconAlertCircle,
  IconCircleCheck,
  IconPlayerPause,
  IconPlugConnectedX,
  IconProgress,
} from '@tabler/icons-react';
import type { IntegrationStatus } from '../../../api/types.ts';
import { causeTitle } from '../../../format/labels.ts';
import { useNow } from '../../../format/time.ts';
import type { Integration } from '../data.ts';
import { outageText, statusLabel } from '../labels.ts';

const ICONS: Record<IntegrationStatus, typeof IconProgress> = {
  pending: IconProgress,
  active: IconCircleCheck,
  invalid: IconAlertCircle,
  paused: IconPlayerPause,
};

/** The status with its icon and colour. */
export function StatusBadge({ integration }: { integration: Integration }) {
  const { text, hue } = statusLabel(integration);
  const Icon = ICONS[integration.status];
  return (
    <Badge
      color={hue}
      leftSection={<Icon size={12} aria-hidden="true" />}
      h="auto"
      mih={20}
      maw="100%"
      styles={{ label: { whiteSpace: 'normal' } }}
    >
      {text}
    </Badge>
  );
}

/** An outage and its cause. An outage never changes the status. */
export function Unreachable({ integration }: { integration: Integration }) {
  const nowMs = useNow();
  const { state, since, cause } = integration.reachability;
  if (state !== 'unreachable') return null;
  const detail = cause === null || cause === 'gitlab_unreachable' ? '' : ` (${causeTitle(cause)})`;
  return (
    <Text size="xs" c="warn">
      <IconPlugConnectedX size={12} aria-hidden="true" /> {outageText(since, nowMs)}
      {detail}
    </Text>
  );
}
