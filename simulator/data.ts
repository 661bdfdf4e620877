import { readFileSync } from 'node:fs';

import { z } from 'zod';

/** A JSON object whose fields are checked one by one. */
export type JsonObject = Record<string, unknown>;

const JsonObject = z.record(z.string(), z.unknown());

const ApiErrorCase = z.object({
  id: z.string(),
  status: z.number().int(),
  headers: z.record(z.string(), z.string()),
  body: z.union([z.string(), JsonObject]),
  body_kind: z.enum(['json', 'text', 'html']),
});
const GitCase = z.object({
  id: z.string(),
  status: z.number().int(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
});

/** One error answer of GitLab. */
type ErrorCase = {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string | Readonly<JsonObject>;
};

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./data/${name}.json`, import.meta.url), 'utf8'));
}

/** GitLab's answers, as its source and documentation define them; see `data/README.md`. */
export type GitlabData = {
  apiErrors: Readonly<Record<string, ErrorCase>>;
  gitCases: Readonly<Record<string, ErrorCase>>;
  projects: Readonly<Record<string, JsonObject>>;
  users: Readonly<Record<string, JsonObject>>;
  metadata: JsonObject;
  branch: JsonObject;
  associations: { groups: JsonObject[]; projects: JsonObject[] };
};

/** Reads the data files once; callers share the result and must not change it. */
export function loadGitlabData(): GitlabData {
  const apiErrors = z.array(ApiErrorCase).parse(readJson('api_errors'));
  const gitCases = z.array(GitCase).parse(readJson('git_http_cases'));
  return {
    apiErrors: Object.fromEntries(apiErrors.map((entry) => [entry.id, entry])),
    gitCases: Object.fromEntries(gitCases.map((entry) => [entry.id, entry])),
    projects: z.record(z.string(), JsonObject).parse(readJson('projects_list_items')),
    users: z.record(z.string(), JsonObject).parse(readJson('current_user_200')),
    metadata: JsonObject.parse(readJson('metadata_200')),
    branch: z.object({ branch: JsonObject }).parse(readJson('branch_and_commit_200')).branch,
    associations: z
      .object({ groups: z.array(JsonObject), projects: z.array(JsonObject) })
      .parse(readJson('token_associations_200')),
  };
}

/** Returns the entry of a data file by its name. @throws Error when the data file has no such entry */
export function entryOf<T>(entries: Readonly<Record<string, T>>, id: string): T {
  const entry = entries[id];
  if (entry === undefined) throw new Error(`the data has no entry "${id}"`);
  return entry;
}
