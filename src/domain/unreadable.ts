/** Why an item of a listing could not be read. */
export const UNREADABLE_PROBLEMS = ['unexpected_shape', 'server_error'] as const;
export type UnreadableProblem = (typeof UNREADABLE_PROBLEMS)[number];

/** A project that GitLab lists and that cannot be read. Its known rows stay unchanged. */
export interface UnreadableProject {
  gitlabProjectId: number;
  problem: UnreadableProblem;
  /** The first field that is not as documented. */
  field: string | null;
}
