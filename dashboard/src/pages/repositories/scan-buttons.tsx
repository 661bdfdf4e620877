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

/** Scan now, or with all of the past; also by the keys `s` and `f`. */
export function ScanButtons({ repository }: { repository: Repository }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const mayScan = useHasRole('operator');
  const [asking, setAsking] = useState(false);
  const why = mayScan ? scanBlockReason(repository) : 'Operators and administrators may scan.';
  const scan = async (full: boolean) => {
    if (why !== null || asking) return;
    setAsking(true);
    try {
      const { scanId } = await request(
        api.repositories[':id'].scan.$post(
          { param: { id: repository.id }, json: { full } },
          { headers: { 'Idempotency-Key': newIdempotencyKey() } },
        ),
      );
      showToast(
        <>
          {full ? 'Scan with history queued.' : 'Scan queued.'}{' '}
          <Anchor
            component="button"
            type="button"
            size="sm"
            onClick={() => void navigate({ to: '/scans/$id', params: { id: scanId } })}
          >
            Follow it
          </Anchor>
        </>,
      );
      await client.invalidateQueries({ queryKey: queryKeys.repository(repository.id) });
    } catch (err) {
      showErrorToast(err);
    } finally {
      setAsking(false);
    }
  };
  useShortcuts({ s: () => void scan(false), f: () => void scan(true) });
  return (
    <Tooltip label={why} disabled={why === null}>
      <Group gap="sm">
        <Button
          loading={asking}
          data-disabled={why !== null}
          aria-disabled={why !== null}
          onClick={() => void scan(false)}
        >
          Scan
        </Button>
        <Button
          variant="default"
          data-disabled={why !== null}
          aria-disabled={why !== null}
          onClick={() => void scan(true)}
        >
          Scan with history
        </Button>
      </Group>
    </Tooltip>
  );
}
