import { cleanRecipes } from './clean.ts';
import { flawedCodeRecipes, flawedRecipes } from './flawed.ts';
import { hostileRecipes } from './hostile.ts';
import { largeRecipes } from './large.ts';
import { leakingRecipes } from './leaking.ts';
import type { Expectation, Recipe } from './recipe.ts';
import { stateRecipes } from './states.ts';

/** The default projects of an instance; the first has ID 15. */
export function defaultRecipes(): Recipe[] {
  // Five and two projects come before the states, so the project pending deletion gets ID 23, which its name contains.
  return [
    ...leakingRecipes(),
    ...cleanRecipes(),
    ...stateRecipes(),
    ...flawedRecipes(),
    ...largeRecipes(),
    ...hostileRecipes(),
    ...flawedCodeRecipes(),
  ];
}

/** The expected result of listing and scanning the recipes, by project path. */
export function expectationsOf(recipes: Recipe[]): Record<string, Expectation & { recipe: string }> {
  return Object.fromEntries(
    recipes.map((recipe) => [recipe.path, { ...recipe.expect, recipe: recipe.name }]),
  );
}
