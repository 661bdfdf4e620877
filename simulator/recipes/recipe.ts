import type { RawObject } from '../git/objects.ts';
import type { RepositoryAccess, Role, Visibility } from '../project-access.ts';

/** A file's content, or null to delete it. */
export type FileContent =
  | string
  | Uint8Array
  | { content: string | Uint8Array; mode: '100755' | '120000' }
  | { submodule: string }
  | null;

export type CommitRecipe = {
  message: string;
  /**
   * By path. Names are bytes in git: a lone surrogate U+DC80 to U+DCFF represents the byte 80 to FF, which is not
   * UTF-8; reports show it as U+FFFD.
   */
  files: Record<string, FileContent>;
  /** ID of a tree in `rawObjects` that the commit starts from. */
  rootTree?: string;
  /** Branch of the commit; by default the recipe's default branch. */
  branch?: string;
  author?: { name: string; email: string };
};

/** One finding of gitleaks 8.30.1 with its default rules. `line` is the first line, from 1. */
export type ExpectedFinding = {
  path: string;
  line: number;
  ruleId: string;
  /** The decoding that is required before any rule can match. */
  needs?: 'utf16';
};

/** One flaw that is not a secret. */
export type ExpectedFlaw = {
  path: string;
  line: number;
  kind: 'code' | 'config' | 'dependency';
  what: string;
  /** The rule of Secu that must find it; absent if no scanner searches for such flaws yet. */
  ruleId?: string;
};

export type Expectation = {
  /** Whether a Reporter's listing (`membership=true&min_access_level=20`) shows it. */
  listed: boolean;
  /** Why Secu's default filters exclude a listed project. */
  excludedBecause?: 'archived' | 'pending_deletion' | 'repository_disabled';
  /** `empty`: nothing to scan. `refused`: git's own checks refuse to fetch it (`fetch.fsckObjects`). */
  clone?: 'ok' | 'empty' | 'refused';
  /**
   * All findings at the head of the default branch: none may be missed or invented. Excluded repositories have
   * findings too, which would reveal a scan that should not happen.
   */
  findings: ExpectedFinding[];
  /** Additional findings of a scan of the whole history. */
  historyFindings?: ExpectedFinding[];
  /** A scanner may find or miss these: rules that gitleaks does not have may match them. */
  mayFind?: Array<{ path: string; line: number; what: string }>;
  /** Files that look dangerous, in which scanners must find nothing. */
  cleanPaths?: string[];
  /** Flaws that are not secrets, for the other scanners: none may be missed or invented. */
  flaws?: ExpectedFlaw[];
};

/** How GitLab presents the project; all fields are optional. */
export type ProjectTraits = {
  name?: string;
  description?: string;
  visibility?: Visibility;
  archived?: boolean;
  repositoryAccess?: RepositoryAccess;
  /** False: the project never had a repository. */
  repositoryExists?: boolean;
  /** `YYYY-MM-DD` */
  markedForDeletionOn?: string;
  importStatus?: string;
  /** Path of the project that this one was forked from; that project must come earlier in the list. */
  forkOf?: string;
  /** Scheme and host in `http_url_to_repo`, instead of the instance's own. */
  cloneUrlOrigin?: string;
  /** Username of the owner of a personal project. */
  owner?: string;
  createdAt?: string;
  lastActivityAt?: string;
  /** Role of every member without their own role. */
  role?: Role;
};

/** A project with its repository, which has the same bytes on every machine. */
export type Recipe = {
  /** Unique, in kebab case. */
  name: string;
  /** What the project is for. */
  about: string;
  path: string;
  defaultBranch?: string;
  objectFormat?: 'sha1' | 'sha256';
  project?: ProjectTraits;
  /** Objects that only a hostile server would store; SHA-1 repositories only. */
  rawObjects?: RawObject[];
  /** In order. No commits: the repository stays empty. */
  commits: () => Iterable<CommitRecipe>;
  expect: Expectation;
};
