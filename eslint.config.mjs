import nx from '@nx/eslint-plugin';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import importX from 'eslint-plugin-import-x';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** What a library or an app may import: dependencies point one way (docs/architecture.md, "Layers"). */
const LAYERS = [
  { sourceTag: 'lib:kernel', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'lib:contracts', onlyDependOnLibsWithTags: ['lib:kernel'] },
  { sourceTag: 'lib:ledger-proof', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'lib:postgres', onlyDependOnLibsWithTags: ['lib:kernel'] },
  { sourceTag: 'lib:service', onlyDependOnLibsWithTags: ['lib:kernel', 'lib:contracts', 'lib:postgres'] },
  {
    sourceTag: 'lib:messaging',
    onlyDependOnLibsWithTags: ['lib:kernel', 'lib:contracts', 'lib:postgres', 'lib:service'],
  },
  { sourceTag: 'lib:clients', onlyDependOnLibsWithTags: ['lib:kernel', 'lib:contracts', 'lib:service'] },
  { sourceTag: 'lib:testing', onlyDependOnLibsWithTags: ['type:lib'] },
  {
    sourceTag: 'type:app',
    onlyDependOnLibsWithTags: [
      'lib:kernel',
      'lib:contracts',
      'lib:ledger-proof',
      'lib:postgres',
      'lib:service',
      'lib:messaging',
      'lib:clients',
    ],
  },
];

const KAFKAJS = { name: 'kafkajs', message: 'Only libs/messaging knows the Kafka client (docs/adr/0002).' };
/** No feature folder reaches back up: http and events call application, application calls processors, store, clients and domain. */
const upward = (...folders) => ({
  group: folders.map((folder) => `**/${folder}/**`),
  message: 'Dependencies point one way: http, events → application → processors, store, clients → domain.',
});

const IMPURE_MODULES = {
  group: [
    'node:*',
    '@nestjs/*',
    'typeorm',
    'pg',
    'undici',
    'kafkajs',
    'fastify',
    '@payflow/postgres',
    '@payflow/service',
    '@payflow/messaging',
    '@payflow/clients',
  ],
  message: 'The domain is pure: what it needs comes in the command.',
};
const IMPURE_GLOBALS = [
  'process',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'console',
  'crypto',
  'performance',
  'Buffer',
].map((name) => ({ name, message: 'The domain is pure: no I/O, clock or timers.' }));
const IMPURE_PROPERTIES = [
  { object: 'Date', property: 'now', message: 'Time comes in the command.' },
  { object: 'Math', property: 'random', message: 'Randomness comes in the command.' },
];
const PURE_SYNTAX = [
  { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'Time comes in the command.' },
  { selector: 'AwaitExpression', message: 'The domain is synchronous.' },
];
const NO_THROW = {
  selector: 'ThrowStatement',
  message: 'A business "no" is a refusal value; only kernel assertions throw.',
};

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.payflow/**', '.nx/**', 'coverage/**', '**/*.d.ts'] },
  ...tseslint.configs.strictTypeChecked,
  {
    files: ['**/*.ts'],
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
      globals: globals.node,
    },
    plugins: { '@nx': nx, 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [
        createTypeScriptImportResolver({
          project: './tsconfig.json',
          conditionNames: ['payflow-source', 'import', 'default'],
        }),
      ],
    },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { depConstraints: LAYERS, allow: [], enforceBuildableLibDependency: false },
      ],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'no-restricted-imports': ['error', { paths: [KAFKAJS] }],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true },
      ],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'always' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // `Row` in `query<Row>(…)` names what the SQL returns: the one place where a foreign shape is asserted.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  // A contract's type is its schema: writing it out again would be the second description.
  { files: ['libs/contracts/src/**/*.ts'], rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' } },
  { files: ['libs/messaging/**/*.ts'], rules: { 'no-restricted-imports': 'off' } },
  {
    files: ['apps/*/src/domain/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [{ name: '@payflow/kernel', importNames: ['newId'], message: 'Ids come in the command.' }],
          patterns: [IMPURE_MODULES, upward('http', 'events', 'application', 'processors', 'store', 'clients')],
        },
      ],
      'no-restricted-globals': ['error', ...IMPURE_GLOBALS],
      'no-restricted-properties': ['error', ...IMPURE_PROPERTIES],
      'no-restricted-syntax': ['error', ...PURE_SYNTAX, NO_THROW],
    },
  },
  {
    files: ['libs/kernel/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: [KAFKAJS], patterns: [IMPURE_MODULES] }],
      'no-restricted-globals': ['error', ...IMPURE_GLOBALS],
      'no-restricted-properties': ['error', ...IMPURE_PROPERTIES],
      'no-restricted-syntax': ['error', ...PURE_SYNTAX],
    },
  },
  {
    files: ['apps/*/src/{store,clients,processors}/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: [KAFKAJS], patterns: [upward('http', 'events', 'application')] }],
    },
  },
  {
    files: ['apps/*/src/application/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [KAFKAJS], patterns: [upward('http', 'events')] }] },
  },
  {
    // Tests speak to real servers and to foreign shapes; they may use every library, the testing one included.
    files: ['**/*.spec.ts', '**/*.test.ts', '**/test/**/*.ts', 'e2e/**/*.ts', 'tools/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': 'off',
      'no-restricted-imports': 'off',
      'no-console': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
  {
    // They look at answers as a stranger does, member by member: what an answer holds is what they find out.
    files: ['e2e/**/*.ts', 'tools/demo/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: globals.node },
    rules: { 'no-console': 'off' },
  },
);
