/** Jest runs the TypeScript sources as ES modules; `@payflow/*` resolves to `libs/*\/src` through the `payflow-source` condition. */
const transform = { '^.+\\.ts$': ['@swc/jest', { swcrc: true }] };
export const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform,
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testEnvironmentOptions: { customExportConditions: ['payflow-source', 'node', 'node-addons'] },
};
export default {
  projects: [
    { ...base, displayName: 'unit', rootDir: '.', testMatch: ['<rootDir>/{apps,libs,tools}/**/src/**/*.spec.ts', '<rootDir>/tools/**/*.spec.ts'] },
    { ...base, displayName: 'integration', rootDir: '.', testMatch: ['<rootDir>/{apps,libs}/*/test/**/*.test.ts'] },
    { ...base, displayName: 'system', rootDir: '.', testMatch: ['<rootDir>/e2e/**/*.test.ts'] },
  ],
};
