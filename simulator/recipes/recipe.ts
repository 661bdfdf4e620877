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
   * By path. Names are bytes to git: a lone U+DC80 to U+DCFF stands for the byte 80 to FF, which is no UTF-8;
   * reports show it as U+FFFD.
   */
  files: Record<string, FileContent>;
  /** Id of a tree among `rawObjects` that the commit starts from. */
  rootTree?: string;
  /** Branch of the commit; by default the recipe's default branch. */
  branch?: string;
  author?: { name: string; email: string };
};

/** One hit that gitleaks 8.30.1 makes with its default rules. `line` is the first line, from 1. */
export type ExpectedFinding = {
  path: string;
  line: number;
  ruleId: string;
  /** What must be done before any rule can see it. */
  needs?: 'utf16';
};

/** One flaw that is no secret. */
export type ExpectedFlaw = {
  path: string;
  line: number;
  kind: 'code' | 'config' | 'dependency';
  what: string;
  /** The rule of Secu that must find it; absent where no scanner looks for such flaws yet. */
  ruleId?: string;
};

export type Expectation = {
  /** Whether a Reporter's listing (`membership=true&min_access_level=20`) shows it. */
  listed: boolean;
  /** Why Secu's default filters leave a listed one out. */
  excludedBecause?: 'archived' | 'pending_deletion' | 'repository_disabled';
  /** `empty`: nothing to scan. `refused`: git's own checks refuse to fetch it (`fetch.fsckObjects`). */
  clone?: 'ok' | 'empty' | 'refused';
  /**
   * All of them, at the head of the default branch: none may be missed, none invented.
   * Repositories that are left out have some too: they would show a scan that should not have been.
   */
  findings: ExpectedFinding[];
  /** What only a scan of the whole history finds besides. */
  historyFindings?: ExpectedFinding[];
  /** Right to find and right to miss: rules beyond gitleaks' own may know these. */
  mayFind?: Array<{ path: string; line: number; what: string }>;
  /** Files made to look dangerous, in which nothing may be found. */
  cleanPaths?: string[];
  /** Flaws that are not secrets, for the other scanners: none may be missed, none invented. */
  flaws?: ExpectedFlaw[];
};

/** How GitLab presents the project; all optional. */
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
  /** Path of the project that this one was forked from; it must come earlier. */
  forkOf?: string;
  /** Scheme and host that `http_url_to_repo` names in place of the instance's. */
  cloneUrlOrigin?: string;
  /** Username of the owner of a personal project. */
  owner?: string;
  createdAt?: string;
  lastActivityAt?: string;
  /** Role of every member that has none of its own. */
  role?: Role;
};

/** A project with its repository: the same bytes on every machine. */
export type Recipe = {
  /** Unique, in kebab case. */
  name: string;
  /** What it is there to prove. */
  about: string;
  path: string;
  defaultBranch?: string;
  objectFormat?: 'sha1' | 'sha256';
  project?: ProjectTraits;
  /** Objects that only a hostile server would keep; SHA-1 repositories only. */
  rawObjects?: RawObject[];
  /** First to last. None: the repository stays empty. */
  commits: () => Iterable<CommitRecipe>;
  expect: Expectation;
};
