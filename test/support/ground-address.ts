/** The database that every suite's own is copied from: migrated, empty. */
export const TEMPLATE_DATABASE = 'tpl';

export const GROUND_VARIABLES = {
  postgresUrl: 'SECU_TEST_POSTGRES_URL',
  temporalAddress: 'SECU_TEST_TEMPORAL_ADDRESS',
  workflowBundle: 'SECU_TEST_WORKFLOW_BUNDLE',
} as const;

/** Where the parts of this run are, as the global set-up left it. */
export function groundAddress(part: keyof typeof GROUND_VARIABLES): string {
  const value = process.env[GROUND_VARIABLES[part]];
  if (value === undefined) throw new Error(`${part} is not up: run this suite with jest.config.ts`);
  return value;
}
