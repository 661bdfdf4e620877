import type { ScanCause } from '../../domain/causes.ts';
import type {
  IncompleteReason,
  ScanHistory,
  ScannedRef,
  ScannerRun,
  ScanOutcome,
  ScanPhase,
  ScanStatus,
  ScanTrigger,
} from '../../domain/scan.ts';
import type { ListInput } from '../list-query.ts';
import { listPage } from '../list-query.ts';
import type { Page } from '../rows.ts';
import { dateOf, dateOrNull } from '../rows.ts';
import type { Sql } from '../sql.ts';

export interface ScanView {
  id: string;
  repositoryId: string;
  trigger: ScanTrigger;
  status: ScanStatus;
  phase: ScanPhase | null;
  outcome: ScanOutcome | null;
  history: ScanHistory;
  cause: ScanCause | null;
  commit: string | null;
  attempt: number;
  queuedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  cloneBytes: number | null;
  cloneMs: number | null;
  refs: ScannedRef[];
  incompleteBecause: IncompleteReason[];
  scanners: ScannerRun[];
}

interface ScanRow {
  id: string;
  sort_value: string;
  repository_id: string;
  trigger: ScanTrigger;
  status: ScanStatus;
  phase: ScanPhase | null;
  outcome: ScanOutcome | null;
  history: ScanHistory;
  cause: ScanCause | null;
  commit: string | null;
  attempt: number;
  queued_at: string;
  started_at: string | null;
  finished_at: string | null;
  clone_bytes: string | null;
  clone_ms: number | null;
  refs: ScannedRef[];
  incomplete_because: IncompleteReason[];
  scanners: ScannerRun[] | null;
}

const SELECT = `
select s.*, (select jsonb_agg(jsonb_build_object('name', n.name, 'version', n.version, 'rules', n.rules, 'status', n.status,
    'cause', n.cause, 'findings', n.findings, 'filesScanned', n.files_scanned, 'filesSkipped', n.files_skipped,
    'durationMs', n.duration_ms) order by n.name) from scanner_run n where n.scan_id = s.id) as scanners /*sort*/
from scan s join integration i on i.id = s.integration_id and i.removed_at is null`;

export function createScanViewStore(sql: Sql) {
  return {
    async find(id: string): Promise<ScanView | null> {
      const row = await sql.first<ScanRow>(`${SELECT} where s.id = $1`, [id]);
      return row === null ? null : viewOf(row);
    },

    async list(repositoryId: string, list: ListInput): Promise<Page<ScanView>> {
      return listPage<ScanRow, ScanView>({
        sql,
        select: SELECT,
        conditions: [{ text: 's.repository_id = ?', params: [repositoryId] }],
        columns: { queuedAt: { expression: 's.id', cast: 'text' } },
        defaultSort: '-queuedAt',
        idColumn: 's.id',
        list,
        item: viewOf,
      });
    },
  };
}

function viewOf(row: ScanRow): ScanView {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    trigger: row.trigger,
    status: row.status,
    phase: row.phase,
    outcome: row.outcome,
    history: row.history,
    cause: row.cause,
    commit: row.commit,
    attempt: row.attempt,
    queuedAt: dateOf(row.queued_at),
    startedAt: dateOrNull(row.started_at),
    finishedAt: dateOrNull(row.finished_at),
    cloneBytes: row.clone_bytes === null ? null : Number(row.clone_bytes),
    cloneMs: row.clone_ms,
    refs: row.refs,
    incompleteBecause: row.incomplete_because,
    scanners: row.scanners ?? [],
  };
}
