/** An event of `GET /events/stream`. Only stored events have an id. */
export interface LiveEvent {
  id?: string;
  at: string;
  kind: string;
  integrationId: string | null;
  repositoryId: string | null;
  data: Record<string, unknown>;
}
