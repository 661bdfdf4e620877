/** The template database of every suite: migrated, empty. */
export const TEMPLATE_DATABASE = 'tpl';

export const SERVER_VARIABLES = {
  postgresUrl: 'SECU_TEST_POSTGRES_URL',
  temporalAddress: 'SECU_TEST_TEMPORAL_ADDRESS',
  workflowBundle: 'SECU_TEST_WORKFLOW_BUNDLE',
} as const;

/** The addresses of the servers of this run, set by the global set-up. */
export function testServerAddress(part: keyof typeof SERVER_VARIABLES): string {
  const value = process.env[SERVER_VARIABLES[part]];
  if (value === undefined) throw new Error(`${part} is not up: run this suite with jest.config.ts`);
  return value;
}
