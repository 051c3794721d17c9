/** Native ES modules through swc; TypeScript's `.js` imports are mapped back to their sources. */
export default {
  testEnvironment: '<rootDir>/test/support/environment.mjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: [
    // What fails together, and what one connection cannot show, needs a server; what the engine alone does needs none.
    ...(process.env.TEST_DATABASE_URL
      ? ['<rootDir>/test/embedded/']
      : ['<rootDir>/test/faults/', '<rootDir>/test/cluster/']),
    // A browser tells no database and no Node.js from another: the gate visits the console once.
    ...(process.env.WITHOUT_BROWSER ? ['<rootDir>/test/console/browser/'] : []),
  ],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  // Generous: two cores may be busy with more than this suite, and no test's promise is a matter of speed. Through a pooler
  // statements are not prepared, and take longer.
  testTimeout: process.env.TEST_POOLER_URL ? 240_000 : 120_000,
};
