export type { ProjectRef, SimulatorControl } from './control.ts';
export type { FaultAnswer, FaultHandle, FaultMatch } from './faults.ts';
export type { HookDelivery, Webhook } from './hooks.ts';
export { deliverHook, signatureOf } from './hooks.ts';
export { fleetRecipes } from './recipes/fleet.ts';
export { defaultRecipes, expectationsOf } from './recipes/index.ts';
export type {
  CommitRecipe,
  Expectation,
  ExpectedFinding,
  FileContent,
  ProjectTraits,
  Recipe,
} from './recipes/recipe.ts';
export type { LoggedRequest } from './requests.ts';
export type { Simulator, SimulatorOptions } from './simulator.ts';
export { createSimulator } from './simulator.ts';
