import type { Recipe } from './recipe.ts';
import { hit, scene } from './scene.ts';
import { createSecrets } from './secrets.ts';

/**
 * Many small projects for benchmarks: four files each, every tenth with one secret.
 * @param count number of projects; a larger fleet begins with the projects of a smaller one
 */
export function fleetRecipes(count: number): Recipe[] {
  return Array.from({ length: count }, (_, index) => fleetRecipe(index));
}

function fleetRecipe(index: number): Recipe {
  const number = String(index).padStart(5, '0');
  const secret = index % 10 === 3 ? createSecrets(`fleet-${number}`).githubToken() : null;
  const { files, findings } = scene({
    'README.md': [`# Service ${number}`],
    'src/index.js': [`export const service = ${index};`, 'export const start = () => service;'],
    'src/util.js': [`export const times = (value) => value * ${index};`],
    'config/app.env': [
      'MODE=production',
      secret === null ? 'TRACE=off' : hit(`DEPLOY=${secret}`, 'github-pat'),
    ],
  });
  return {
    name: `fleet-${number}`,
    about: 'one of many',
    path: `fleet/team-${String(index % 20).padStart(2, '0')}/service-${number}`,
    commits: () => [{ message: 'Begin', files }],
    expect: { listed: true, findings },
  };
}
