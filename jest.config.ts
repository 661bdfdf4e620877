const ts = {
  '^.+\\.ts$': [
    '@swc/jest',
    { swcrc: false, jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
  ],
};

/** The long tier has a config of its own: `jest.long.config.ts`. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: ts,
  maxWorkers: 2,
  // for a machine several times as slow as it should be: what never comes is noticed all the same
  testTimeout: 120_000,
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  setupFiles: ['<rootDir>/test/support/one-realm.ts'],
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/long/'],
};
