/** Jest runs the TypeScript sources as ES modules; `@payflow/*` resolves to `libs/*\/src` through the `payflow-source` condition. */
const transform = { '^.+\\.ts$': ['@swc/jest', { swcrc: true }] };
export const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform,
  // Not `metadata.json.js` of libphonenumber-js: that is JavaScript, and without its ending it would be the JSON beside it.
  moduleNameMapper: { '^(\\.{1,2}/.*)(?<!\\.json)\\.js$': '$1' },
  testEnvironmentOptions: { customExportConditions: ['payflow-source', 'node', 'node-addons'] },
};
const servers = {
  globalSetup: '<rootDir>/tools/test/global-setup.mjs',
  globalTeardown: '<rootDir>/tools/test/global-teardown.mjs',
};
export default {
  // Room for a machine that is busy with other things: no test asserts a time.
  testTimeout: 240_000,
  projects: [
    {
      ...base,
      displayName: 'unit',
      rootDir: '.',
      testMatch: ['<rootDir>/{apps,libs,tools}/**/src/**/*.spec.ts', '<rootDir>/tools/**/*.spec.ts'],
    },
    {
      ...base,
      ...servers,
      displayName: 'integration',
      rootDir: '.',
      testMatch: ['<rootDir>/{apps,libs}/*/test/**/*.test.ts', '<rootDir>/tools/**/*.test.ts'],
    },
    {
      ...base,
      globalSetup: '<rootDir>/tools/test/system-setup.mjs',
      globalTeardown: '<rootDir>/tools/test/global-teardown.mjs',
      displayName: 'system',
      rootDir: '.',
      testMatch: ['<rootDir>/e2e/**/*.test.ts'],
    },
  ],
};
