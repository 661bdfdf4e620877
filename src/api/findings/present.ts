import type { FindingView } from '../../db/stores/finding-view.ts';
import { escapeForeignText, permalink } from '../../domain/finding.ts';
import type { z } from '../shared.ts';
import { iso, isoOrNull } from '../shared.ts';
import type { FindingSchema } from './schemas.ts';

export type PresentedFinding = z.infer<typeof FindingSchema>;

/** A finding for the API: foreign text is escaped, and its URL is built from the base URL. */
export function presentFinding(view: FindingView): PresentedFinding {
  return {
    id: view.id,
    repositoryId: view.repositoryId,
    repositoryPath: escapeForeignText(view.fullPath),
    kind: view.kind,
    scanner: view.scanner,
    ruleId: view.ruleId,
    title: escapeForeignText(view.title),
    severity: view.severity,
    cwe: view.cwe,
    path: escapeForeignText(view.path),
    startLine: view.startLine,
    endLine: view.endLine,
    commit: view.commit,
    author: view.author === null ? null : escapeForeignText(view.author),
    committedAt: isoOrNull(view.committedAt),
    excerpt: escapeForeignText(view.excerpt),
    permalink: permalink({ ...view, commit: view.placeCommit }),
    fingerprint: view.fingerprint,
    status: view.status,
    atHead: view.atHead,
    headChangedAt: isoOrNull(view.headChangedAt),
    triage: view.triage,
    firstSeenAt: iso(view.firstSeenAt),
    lastSeenAt: iso(view.lastSeenAt),
  };
}
