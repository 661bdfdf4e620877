import type { CommitRecipe, FileContent, Recipe } from './recipe.ts';
import { hit, scene } from './scene.ts';
import { createSecrets } from './secrets.ts';

const FILES = 10_000;
const COMMITS = 2_000;

/** Projects that are large in different ways. */
export function largeRecipes(): Recipe[] {
  return [monolith(), chronicle()];
}

function monolith(): Recipe {
  const { files, findings } = scene({
    'services/orders/src/main/resources/application.properties': [
      'spring.application.name=orders',
      hit(`stripe=${createSecrets('monolith').stripeKey()}`, 'stripe-access-token'),
    ],
  });
  return {
    name: 'monolith',
    about: `${FILES} files and one secret`,
    path: 'acme/monolith',
    commits: () => [{ message: 'Import', files: { ...manyFiles(), ...files } }],
    expect: { listed: true, findings },
  };
}

function manyFiles(): Record<string, FileContent> {
  const files: Record<string, FileContent> = {};
  for (let index = 0; index < FILES - 1; index += 1) {
    const folder = `services/part-${String(index % 100).padStart(2, '0')}/src`;
    files[`${folder}/Class${index}.java`] =
      `package acme.part${index % 100};\n\npublic final class Class${index} {\n  public int number() {\n    return ${index};\n  }\n}\n`;
  }
  return files;
}

function chronicle(): Recipe {
  const secrets = createSecrets('chronicle');
  const head = scene({ 'config/live.env': ['# live', hit(`GITHUB=${secrets.githubToken()}`, 'github-pat')] });
  const past = scene({ 'config/old.env': [hit(`STRIPE=${secrets.stripeKey()}`, 'stripe-access-token')] });
  return {
    name: 'chronicle',
    about: `${COMMITS} commits; a secret at the head and another that was deleted long ago`,
    path: 'acme/chronicle',
    commits: () => chronicleCommits({ head: head.files, past: past.files }),
    expect: { listed: true, findings: head.findings, historyFindings: past.findings },
  };
}

function* chronicleCommits(
  options: Record<'head' | 'past', Record<string, FileContent>>,
): Generator<CommitRecipe> {
  for (let index = 0; index < COMMITS; index += 1) {
    const files: Record<string, FileContent> = {
      [`notes/${index % 50}.md`]: `# Note ${index}\n\nWritten in step ${index}.\n`,
    };
    if (index === 0) Object.assign(files, options.head);
    if (index === 700) Object.assign(files, options.past);
    if (index === 710) for (const path of Object.keys(options.past)) files[path] = null;
    yield { message: `Step ${index}`, files };
  }
}
