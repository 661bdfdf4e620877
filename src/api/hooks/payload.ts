import type { HookHint } from '../../domain/hook.ts';
import { z } from '../shared.ts';

/** What each event of GitLab hints at; all others are received and ignored. */
const EVENTS: ReadonlyMap<string, HookHint['kind']> = new Map([
  ['push', 'commits'],
  ['tag_push', 'commits'],
  ['repository_update', 'commits'],
  ['merge_request', 'commits'],
  ['project_create', 'listing'],
  ['project_rename', 'listing'],
  ['project_transfer', 'listing'],
  ['project_update', 'listing'],
  ['project_destroy', 'removal'],
]);

const text = z.string().max(1_000).nullable().catch(null);
const projectId = z.int().positive().nullable().catch(null);

/** The few fields that are used, each read alone: an odd one does not hide the others. */
const Payload = z.object({
  event_name: text,
  object_kind: text,
  project_id: projectId,
  ref: text,
  project: z.object({ id: projectId, default_branch: text }).nullable().catch(null),
  object_attributes: z.object({ action: text }).nullable().catch(null),
});

/** A hint without content: look at everything that was active. */
export const UNREADABLE: HookHint = {
  kind: 'listing',
  gitlabProjectId: null,
  ref: null,
  defaultBranch: null,
};

/**
 * Reads the body of a project, group or system hook.
 * @see GitLab docs, "Webhook events" and "System hooks"
 */
export function hintOf(body: string): HookHint {
  const parsed = Payload.safeParse(jsonOrNull(body));
  if (!parsed.success) return UNREADABLE;
  const { event_name, object_kind, project_id, ref, project, object_attributes } = parsed.data;
  const event = event_name ?? object_kind ?? '';
  // the commits of a merge request are on the target branch once it is merged
  const isIgnored = event === 'merge_request' && object_attributes?.action !== 'merge';
  return {
    kind: isIgnored ? 'nothing' : (EVENTS.get(event) ?? 'nothing'),
    gitlabProjectId: project_id ?? project?.id ?? null,
    ref,
    defaultBranch: project?.default_branch ?? null,
  };
}

function jsonOrNull(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
