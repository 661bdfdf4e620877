import { SecuError } from '../domain/errors.ts';

const MAX_PATH_CHARACTERS = 1_024;

export interface CloneAddress {
  /** For git: without user info, each segment encoded. */
  url: string;
  /** Every address below it belongs to this GitLab; credentials are sent nowhere else. */
  scope: string;
  protocol: 'http' | 'https';
}

/**
 * The address of a repository, rebuilt from checked parts, because `http_url_to_repo` of GitLab may name any host.
 * @throws SecuError `clone_failed` for parts that no GitLab repository has
 */
export function cloneAddress({ baseUrl, fullPath }: { baseUrl: string; fullPath: string }): CloneAddress {
  const base = URL.parse(baseUrl);
  if (base === null || !isPlain(base)) throw addressRefused('the base URL');
  const segments = fullPath.split('/');
  if (fullPath.length > MAX_PATH_CHARACTERS || segments.length < 2 || !segments.every(isSegment)) {
    throw addressRefused('the path of the repository');
  }
  const scope = `${base.origin}${base.pathname.replace(/\/+$/, '')}`;
  return {
    url: `${scope}/${segments.map(encodeURIComponent).join('/')}.git`,
    scope: `${scope}/`,
    protocol: base.protocol === 'https:' ? 'https' : 'http',
  };
}

function isPlain(url: URL): boolean {
  const isBare = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return isBare && /^https?:$/.test(url.protocol);
}

/**
 * Not empty, not `.` or `..`, not an option, and without characters that are special in a URL, a line or a shell.
 */
function isSegment(segment: string): boolean {
  return /^(?!-)(?!\.{1,2}$)[^\p{C}\p{Z}\\:@?#%*"'<>|`$;&(){}[\]!^]+$/u.test(segment);
}

function addressRefused(what: string): SecuError {
  return new SecuError('clone_failed', `${what} cannot be cloned from`, {
    details: { problem: 'address_refused' },
  });
}
