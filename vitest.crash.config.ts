import { defineConfig } from 'vitest/config'
import { shared } from './vitest.config.ts'

/** Kills servers and databases in mid-write: one at a time, and slow on purpose. */
export default defineConfig({
  test: {
    ...shared,
    include: ['test/crash/**/*.test.ts'],
    maxWorkers: 1,
    testTimeout: 10 * 60_000,
  },
})
