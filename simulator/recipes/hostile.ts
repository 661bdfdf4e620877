import type { RawObject } from '../git/objects.ts';
import { objectId, rawTree } from '../git/objects.ts';
import type { FileContent, Recipe } from './recipe.ts';
import type { Line } from './scene.ts';
import { hit, scene } from './scene.ts';
import { createSecrets } from './secrets.ts';

const SUBMODULE_COMMIT = '5'.repeat(40);
/** Larger than the part of a file that Secu reads; contains no finding. */
const TOO_LARGE_BYTES = 11 * 1024 * 1024;

/**
 * Projects whose owners want to attack a scanner or to hide secrets; git itself refuses to fetch the second one.
 */
export function hostileRecipes(): Recipe[] {
  return [hostile(), hostileTree()];
}

function hostile(): Recipe {
  const secrets = createSecrets('hostile');
  const leak = (): Line => hit(`GITHUB=${secrets.githubToken()}`, 'github-pat');
  const named = scene(Object.fromEntries(hostileNames().map((name) => [name, ['# name', leak()]])));
  const hidden = scene({
    'hidden/minus-diff.env': ['# -diff', leak()],
    'hidden/from-archive.env': ['# export-ignore', leak()],
    'hidden/lfs.env': ['# filter=lfs', leak()],
    'hidden/generated.env': ['# linguist-generated', leak()],
    'hidden/allowed.env': [hit(`GITHUB=${secrets.githubToken()} # gitleaks:allow`, 'github-pat')],
    'hidden/ignored.env': ['# .gitleaksignore', leak()],
    'hidden/nul-bytes.sql': ['-- dump\0\0\0', leak(), '\0'],
    'hidden/carriage.env': {
      lines: ['# CRLF', leak()],
      encode: (text) => Buffer.from(text.replaceAll('\n', '\r\n')),
    },
    'hidden/utf16.ini': { lines: ['[key]', leak()], encode: utf16, needs: 'utf16' },
    'hidden/long-line.js': [hit(`${'x'.repeat(200_000)};const t='${secrets.githubToken()}';`, 'github-pat')],
  });
  return {
    name: 'hostile',
    about: 'every way to hide a secret or to make a name dangerous that passes the checks of git',
    path: 'acme/hostile',
    project: { name: '<b>hostile</b>', description: '=HYPERLINK("https://example.com")\u202e' },
    commits: () => [
      {
        message: 'Innocent\n\n\u001b[31m<script>alert(1)</script>\u202e',
        files: { ...named.files, ...hidden.files, ...switches(), ...traps() },
        author: { name: "=cmd|' /C calc'!A0 \u202egnp", email: 'x@example.com' },
      },
    ],
    expect: { listed: true, findings: [...named.findings, ...hidden.findings] },
  };
}

function hostileNames(): string[] {
  return [
    'names/new\nline.env',
    'names/invoice\u202egnp.env',
    '-rf',
    '--output=pwned.env',
    'names/$(touch pwned).env',
    'names/`id`; id.env',
    'names/<img src=x onerror=alert(1)>.env',
    'names/=HYPERLINK("x").env',
    'names/\u001b[31mred\u001b[0m.env',
    'names/quote"and\\backslash.env',
    'names/ lead and trail .env',
    'names/tab\there.env',
    'names/latin1-\udce9.env',
    `names/${Array.from({ length: 18 }, () => 'd'.repeat(200)).join('/')}/deep.env`,
    'CON.env',
    'Names/case.env',
    'names/CASE.env',
    'names/case.env',
  ];
}

/** Files that ask scanners to skip findings. */
function switches(): Record<string, FileContent> {
  const allowAll = "title = \"off\"\n[allowlist]\npaths = ['''.*''']\n";
  return {
    '.gitattributes': [
      'hidden/minus-diff.env -diff',
      'hidden/from-archive.env export-ignore',
      'hidden/lfs.env filter=lfs diff=lfs merge=lfs -text',
      'hidden/generated.env linguist-generated',
      '* -diff',
      '* filter=evil',
      '',
    ].join('\n'),
    '.gitleaks.toml': allowAll,
    '.gitleaksignore': 'hidden/ignored.env:github-pat:2\n',
    '.betterleaks.toml': allowAll,
    '.trufflehog.yml': 'exclude: ["*"]\n',
    '.semgrepignore': '*\n',
    '.osv-scanner.toml': '[[PackageOverrides]]\nignore = true\n',
    'sgconfig.yml': 'ruleDirs: [/etc]\n',
    '.gitignore': '*\n',
    '.lfsconfig': '[lfs]\n\turl = http://169.254.169.254/latest/meta-data\n',
  };
}

/** Files that do harm only when they are checked out, followed or run. */
function traps(): Record<string, FileContent> {
  const script = '#!/bin/sh\ntouch /tmp/secu-was-here\n';
  return {
    'links/passwd': { content: '/etc/passwd', mode: '120000' },
    'links/up': { content: '../../../../../../../../etc', mode: '120000' },
    'links/self': { content: 'self', mode: '120000' },
    'links/git': { content: '../.git/config', mode: '120000' },
    'hooks/post-checkout': { content: script, mode: '100755' },
    'hooks/pre-commit': { content: script, mode: '100755' },
    '.gitmodules': '[submodule "evil"]\n\tpath = vendor/evil\n\turl = file:///etc\n',
    'vendor/evil': { submodule: SUBMODULE_COMMIT },
    config: '[core]\n\tfsmonitor = "touch /tmp/secu-was-here"\n',
    Makefile: 'all:\n\ttouch /tmp/secu-was-here\n',
    'package.json': '{ "name": "hostile", "scripts": { "preinstall": "touch /tmp/secu-was-here" } }\n',
    'bulk/too-large.csv': Buffer.alloc(TOO_LARGE_BYTES, '0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n'),
    'bulk/zeros.dat': Buffer.alloc(2 * 1024 * 1024),
    'bulk/nested.json': '['.repeat(100_000),
  };
}

function utf16(text: string): Uint8Array {
  return Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
}

function hostileTree(): Recipe {
  const blob: RawObject = {
    type: 'blob',
    content: Buffer.from('[core]\n\tfsmonitor = "touch /tmp/secu-was-here"\n'),
  };
  const folder = rawTree([{ name: 'config', mode: '100644', object: blob }]);
  const root = rawTree([
    { name: '..', mode: '40000', object: folder },
    { name: '.GIT', mode: '40000', object: folder },
    { name: 'git~1', mode: '40000', object: folder },
  ]);
  return {
    name: 'hostile-tree',
    about: 'names that git takes for its own folder, or for the way out of it',
    path: 'acme/hostile-tree',
    rawObjects: [blob, folder, root],
    commits: () => [{ message: 'Innocent', files: {}, rootTree: objectId(root) }],
    expect: { listed: true, clone: 'refused', findings: [] },
  };
}
