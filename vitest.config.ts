import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** What every suite shares; vitest.crash.config.ts builds on it too. */
export const shared = {
  globalSetup: ['test/support/global-setup.ts'],
  // Processes, not threads: a test may send signals and change the umask or the working folder.
  pool: 'forks',
  // Two, so that Postgres and the tests' own servers keep a share of a small machine.
  maxWorkers: 2,
  testTimeout: 30_000,
  hookTimeout: 120_000,
  allowOnly: false,
  dangerouslyIgnoreUnhandledErrors: false,
  // The order is always the same, so a failure that depends on it repeats.
  sequence: { shuffle: false, seed: 7070 },
} satisfies ViteUserConfig['test']

export default defineConfig({
  test: {
    ...shared,
    include: ['test/**/*.test.ts'],
    exclude: ['test/crash/**', 'test/bench/**'],
  },
})
