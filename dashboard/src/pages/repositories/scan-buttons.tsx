import { Anchor, Button, Group, Tooltip } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, newIdempotencyKey, request } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { useHasRole } from '../../api/session.ts';
import { scanBlockReason } from '../../format/scan-labels.ts';
import { useShortcuts } from '../../keyboard/hotkeys.ts';
import { showErrorToast, showToast } from '../../parts/toast.ts';
import type { Repository } from './repository-data.ts';

/** Buttons for a scan of new commits and of the full history; also shortcuts `s` and `f`. */
export function ScanButtons({ repository }: { repository: Repository }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const mayScan = useHasRole('operator');
  const [isRequesting, setRequesting] = useState(false);
  const blockReason = mayScan
    ? scanBlockReason(repository)
    : 'Only operators and administrators can start scans.';
  const scan = async (full: boolean) => {
    if (blockReason !== null || isRequesting) return;
    setRequesting(true);
    try {
      const { scanId } = await request(
        api.repositories[':id'].scan.$post(
          { param: { id: repository.id }, json: { full } },
          { headers: { 'Idempotency-Key': newIdempotencyKey() } },
        ),
      );
      showToast(
        <QueuedMessage
          full={full}
          onView={() => void navigate({ to: '/scans/$id', params: { id: scanId } })}
        />,
      );
      await client.invalidateQueries({ queryKey: queryKeys.repository(repository.id) });
    } catch (err) {
      showErrorToast(err);
    } finally {
      setRequesting(false);
    }
  };
  useShortcuts({ s: () => void scan(false), f: () => void scan(true) });
  return (
    <Tooltip label={blockReason} disabled={blockReason === null}>
      <Group gap="sm">
        <Button
          loading={isRequesting}
          data-disabled={blockReason !== null}
          aria-disabled={blockReason !== null}
          onClick={() => void scan(false)}
        >
          Scan
        </Button>
        <Button
          variant="default"
          data-disabled={blockReason !== null}
          aria-disabled={blockReason !== null}
          onClick={() => void scan(true)}
        >
          Scan full history
        </Button>
      </Group>
    </Tooltip>
  );
}

/** The toast is rendered outside the router, so it gets the navigation as a callback. */
function QueuedMessage({ full, onView }: { full: boolean; onView: () => void }) {
  return (
    <>
      {full ? 'Full history scan queued.' : 'Scan queued.'}{' '}
      <Anchor component="button" type="button" size="sm" onClick={onView}>
        View scan
      </Anchor>
    </>
  );
}
