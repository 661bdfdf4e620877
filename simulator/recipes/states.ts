import { shop } from './leaking.ts';
import type { Recipe } from './recipe.ts';
import { hit, scene } from './scene.ts';
import { createSecrets } from './secrets.ts';

/** One project for each state in which GitLab presents a project differently. */
export function stateRecipes(): Recipe[] {
  return [...notScanned(), ...scannedAllTheSame(), ...withoutCode(), unicode()];
}

/** Empty, or excluded by Secu's default filters or by GitLab itself. */
function notScanned(): Recipe[] {
  return [
    {
      ...bare('empty', 'acme/fresh'),
      about: 'empty',
      expect: { listed: true, clone: 'empty', findings: [] },
    },
    oneLeak({
      name: 'pending-deletion',
      about: 'marked for deletion, and renamed as GitLab does then',
      path: 'acme/old-deletion_scheduled-23',
      project: { markedForDeletionOn: '2026-11-10' },
      expect: { excludedBecause: 'pending_deletion' },
    }),
    oneLeak({
      name: 'archived',
      about: 'archived; clones all the same',
      path: 'acme/legacy',
      project: { archived: true },
      expect: { excludedBecause: 'archived' },
    }),
    oneLeak({
      name: 'repository-disabled',
      about: 'repository switched off: listed without a branch, never cloned',
      path: 'acme/wiki-only',
      project: { repositoryAccess: 'disabled' },
      expect: { excludedBecause: 'repository_disabled' },
    }),
    oneLeak({
      name: 'guest-only',
      about: 'the token is only Guest here: never listed from Reporter on',
      path: 'acme/hidden-code',
      project: { role: { level: 10, via: 'project' } },
      expect: { listed: false },
    }),
  ];
}

function scannedAllTheSame(): Recipe[] {
  return [
    oneLeak({
      name: 'to-be-renamed',
      about: 'the one that tests rename between two syncs',
      path: 'acme/old-name',
    }),
    {
      ...shop(),
      name: 'fork',
      about: 'a fork with the same history as its source',
      path: 'acme/fork-of-shop',
      project: { forkOf: 'acme/shop' },
    },
    oneLeak({
      name: 'personal',
      about: "in a person's namespace",
      path: 'jdoe/dotfiles',
      project: { owner: 'jdoe', role: { level: 20, via: 'project' } },
    }),
    oneLeak({
      name: 'invited-group',
      about: 'membership by an invited group: both sides of `permissions` are null',
      path: 'acme/via-invited-group',
      project: { role: { level: 30, via: 'invited_group' } },
    }),
    oneLeak({
      name: 'odd-host',
      about: '`http_url_to_repo` names another host, to which no token may go',
      path: 'acme/odd-host',
      project: { cloneUrlOrigin: 'http://git.internal.example.net' },
    }),
    oneLeak({
      name: 'sha256',
      about: 'object ids of 64 digits',
      path: 'acme/modern',
      objectFormat: 'sha256',
    }),
  ];
}

function withoutCode(): Recipe[] {
  return [
    {
      ...bare('importing', 'acme/importing'),
      about: 'an import that is still running',
      project: { importStatus: 'started' },
      expect: { listed: true, clone: 'empty', findings: [] },
    },
    {
      ...bare('never-created', 'acme/issues-only'),
      about: 'a project without a repository',
      project: { repositoryExists: false },
      expect: { listed: true, clone: 'empty', findings: [] },
    },
  ];
}

function bare(name: string, path: string) {
  return { name, path, commits: () => [] };
}

/** One finding in each project, which reveals a scan that should not happen. */
function oneLeak(
  options: Pick<Recipe, 'name' | 'about' | 'path' | 'project' | 'objectFormat'> & {
    expect?: Partial<Recipe['expect']>;
  },
): Recipe {
  const { expect, ...recipe } = options;
  const { files, findings } = scene({
    'README.md': [`# ${recipe.name}`],
    'app/settings.py': [
      'DEBUG = False',
      hit(`AWS_ACCESS_KEY = "${createSecrets(recipe.name).awsKeyId()}"`, 'aws-access-token'),
    ],
  });
  return {
    ...recipe,
    commits: () => [{ message: 'Begin', files }],
    expect: { listed: true, findings, ...expect },
  };
}

function unicode(): Recipe {
  const secrets = createSecrets('unicode');
  const { files, findings } = scene({
    'README.md': ['# Ünïcode'],
    'Übersicht/schlüssel größe.env': ['# Grüße', hit(`GITHUB=${secrets.githubToken()}`, 'github-pat')],
    '日本語/設定.yml': ['設定:', hit(`  鍵: ${secrets.stripeKey()}`, 'stripe-access-token')],
  });
  return {
    name: 'unicode',
    about: 'names and a branch beyond ASCII',
    path: 'acme/Unicode.proj_1-x',
    defaultBranch: 'feature/ünï#1',
    project: { name: 'Ünïcode / "quoted" 😀' },
    commits: () => [{ message: 'Anfang', files, author: { name: 'Jörg Müßig', email: 'joerg@example.com' } }],
    expect: { listed: true, findings },
  };
}
