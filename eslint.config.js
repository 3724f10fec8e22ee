import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

const noDefaultExport = {
  selector: 'ExportDefaultDeclaration, ExportSpecifier[exported.name="default"]',
  message: 'Export by name: one word per thing, the same in every file that uses it.',
}
const noSkippedTest = {
  selector:
    'MemberExpression[object.name=/^(describe|it|suite|test)$/][property.name=/^(only|skip|todo)$/]',
  message: 'A test that does not run proves nothing: fix it or delete it.',
}
const environmentMessage =
  'Only src/config.ts and src/cli/profile.ts read the environment: ask for the value as an argument.'

/** Guidance, not law: a warning asks whether two ideas live in one place. */
const sizes = {
  'max-lines': ['warn', { max: 400, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['warn', { max: 70, skipBlankLines: true, skipComments: true }],
  complexity: ['warn', 12],
  'max-params': ['warn', 4],
}

/** Rules that need no types: they hold for TypeScript and for the few JavaScript files. */
const everywhere = {
  eqeqeq: ['error', 'always', { null: 'ignore' }],
  'no-restricted-syntax': ['error', noDefaultExport],
  ...sizes,
}

const typed = {
  '@typescript-eslint/consistent-type-imports': 'error',
  '@typescript-eslint/consistent-type-exports': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': 'error',
  '@typescript-eslint/no-unused-vars': [
    'error',
    { argsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_', ignoreRestSiblings: true },
  ],
  // Numbers and booleans read well in a template; objects, null and undefined do not.
  '@typescript-eslint/restrict-template-expressions': [
    'error',
    { allowNumber: true, allowBoolean: true },
  ],
  '@typescript-eslint/restrict-plus-operands': ['error', { allowNumberAndString: true }],
  // `() => socket.close()` is plain speech.
  '@typescript-eslint/no-confusing-void-expression': [
    'error',
    { ignoreArrowShorthand: true, ignoreVoidOperator: true },
  ],
  // `while (true)` with a return inside is a loop with one exit in the middle.
  '@typescript-eslint/no-unnecessary-condition': [
    'error',
    { allowConstantLoopConditions: 'only-allowed-literals' },
  ],
  // Handlers and hooks are `async` so that a throw becomes a rejection, with or without an await.
  '@typescript-eslint/require-await': 'off',
}

const noEnvironment = {
  'no-restricted-properties': [
    'error',
    { object: 'process', property: 'env', message: environmentMessage },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: ['process', 'node:process'].map((name) => ({
        name,
        importNames: ['env'],
        message: environmentMessage,
      })),
    },
  ],
}

const tests = {
  'no-restricted-syntax': ['error', noDefaultExport, noSkippedTest],
  // Bodies of answers are `any` until an assertion has looked at them.
  '@typescript-eslint/no-unsafe-argument': 'off',
  '@typescript-eslint/no-unsafe-assignment': 'off',
  '@typescript-eslint/no-unsafe-call': 'off',
  '@typescript-eslint/no-unsafe-member-access': 'off',
  '@typescript-eslint/no-unsafe-return': 'off',
  '@typescript-eslint/no-non-null-assertion': 'off',
  // Strings of tests are taken apart by code point on purpose.
  '@typescript-eslint/no-misused-spread': 'off',
  '@typescript-eslint/unbound-method': 'off',
  ...Object.fromEntries(Object.keys(sizes).map((rule) => [rule, 'off'])),
}

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', '.tailrace/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' }, rules: everywhere },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: typed,
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config.ts', 'src/cli/profile.ts'],
    rules: noEnvironment,
  },
  { files: ['test/**/*.ts'], rules: tests },
  { files: ['*.config.ts', 'eslint.config.js'], rules: { 'no-restricted-syntax': 'off' } },
)
