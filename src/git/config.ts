/** What every call of git is held to, for one address. */
export interface GitConfigInput {
  protocol: 'http' | 'https';
  /** Base address below which the credential may be sent. */
  scope: string;
  /** The whole header that carries the credential. */
  header: string;
  /** `host:port:address`: the address that was checked. */
  pin: string | null;
  proxy: string | null;
  caFile: string | null;
  templateFolder: string;
  lowSpeedSeconds: number;
}

/**
 * What `HEAD` of a clone names when the server said nothing of branches. A server that speaks git's protocol names the
 * branch even of a repository without a commit; a web page that answers 200 to everything does not, and git takes it
 * for an empty repository.
 * @see gitprotocol-v2(5), `unborn`; git, `remote-curl.c`, the protocol without `git-upload-pack`
 */
export const NO_BRANCH = 'secu-was-told-no-branch';

/** Blobs larger than this are streamed, not held in memory. */
const BIG_FILE = '16m';

/**
 * Objects that honest and old repositories have and that harm nobody who checks nothing out: the first three are what
 * GitLab itself lets pass. @see Gitaly, `internal/git/gitcmd`, fsck configuration
 */
const TOLERATED = [
  'badTimezone',
  'missingSpaceBeforeDate',
  'zeroPaddedFilemode',
  'gitmodulesName',
  'gitmodulesParse',
  'gitmodulesPath',
  'gitmodulesUpdate',
  'gitmodulesUrl',
];

/**
 * The only configuration that git reads: no hook, filter, helper, redirect or protocol but the one. The header is
 * scoped and redirects are off; git would otherwise carry it to another host.
 * @see git-config(1); git, `http.c`, `extra_http_headers`
 */
export function gitConfig(input: GitConfigInput): string {
  const { protocol, scope, header, pin, proxy, caFile, templateFolder, lowSpeedSeconds } = input;
  const ca = caFile === null ? {} : { sslCAInfo: caFile, proxySSLCAInfo: caFile };
  return [
    section('core', {
      hooksPath: '/dev/null',
      symlinks: 'false',
      fsmonitor: 'false',
      protectHFS: 'true',
      protectNTFS: 'true',
      askPass: '/bin/false',
      attributesFile: '/dev/null',
      bigFileThreshold: BIG_FILE,
    }),
    section('protocol', { allow: 'never', version: '2' }),
    section(['protocol', protocol], { allow: 'always' }),
    section('http', {
      followRedirects: 'false',
      lowSpeedLimit: '1000',
      lowSpeedTime: String(lowSpeedSeconds),
      proxy: proxy ?? '',
      sslVerify: 'true',
      emptyAuth: 'false',
      delegation: 'none',
      ...(pin === null ? {} : { curloptResolve: pin }),
      ...ca,
    }),
    section('credential', { helper: '' }),
    section(['http', scope], { extraHeader: header }),
    section('transfer', { fsckObjects: 'true', bundleURI: 'false', credentialsInUrl: 'die' }),
    section('fetch', {
      fsckObjects: 'true',
      recurseSubmodules: 'false',
      writeCommitGraph: 'false',
      // a small pack stays one file, as in a clone
      unpackLimit: '1',
    }),
    section(['fetch', 'fsck'], Object.fromEntries(TOLERATED.map((name) => [name, 'ignore']))),
    section('submodule', { recurse: 'false' }),
    section(['filter', 'lfs'], { smudge: '', process: '', required: 'false' }),
    section('safe', { bareRepository: 'explicit' }),
    section('gc', { auto: '0' }),
    section('maintenance', { auto: 'false' }),
    section('init', { templateDir: templateFolder, defaultBranch: NO_BRANCH }),
    section('pack', { threads: '1' }),
    section('advice', { detachedHead: 'false' }),
    section('color', { ui: 'false' }),
  ].join('');
}

function section(name: string | readonly [string, string], values: Record<string, string>): string {
  const head = typeof name === 'string' ? name : `${name[0]} ${quoted(name[1])}`;
  const lines = Object.entries(values).map(([key, value]) => `\t${key} = ${quoted(value)}\n`);
  return `[${head}]\n${lines.join('')}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
