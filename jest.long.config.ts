import common from './jest.config.ts';

/** Kills, browsers and matrices, one after the other: with the servers of the fast tier and longer timeouts. */
export default {
  ...common,
  maxWorkers: 1,
  testTimeout: 600_000,
  testMatch: ['<rootDir>/test/long/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
