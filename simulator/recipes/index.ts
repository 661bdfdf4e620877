import type { Expectation, Recipe } from './recipe.ts';

/** The projects of an instance that nobody chose others for. */
export function defaultRecipes(): Recipe[] {
  return [
    {
      name: 'shop',
      about: 'a first one',
      path: 'acme/shop',
      commits: () => [{ message: 'Begin', files: { 'README.md': '# Shop\n' } }],
      expect: { listed: true, findings: [] },
    },
  ];
}

/** What a correct listing and scan must say of the recipes, by project path. */
export function expectationsOf(recipes: Recipe[]): Record<string, Expectation & { recipe: string }> {
  return Object.fromEntries(
    recipes.map((recipe) => [recipe.path, { ...recipe.expect, recipe: recipe.name }]),
  );
}
