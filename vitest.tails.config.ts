import { defineConfig } from 'vitest/config'
import { shared } from './vitest.config.ts'

/** Proofs about live tails, with load, kills and waits: one at a time, some ten minutes in all. */
export default defineConfig({
  test: {
    ...shared,
    include: ['test/tails/**/*.{proof,test}.ts'],
    maxWorkers: 1,
    testTimeout: 30 * 60_000,
  },
})
