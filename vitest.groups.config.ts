import { defineConfig } from 'vitest/config'
import { shared } from './vitest.config.ts'

/** Proofs about consumer groups, with load, kills and zombies: one at a time, some six minutes in all. */
export default defineConfig({
  test: {
    ...shared,
    include: ['test/groups/**/*.{proof,test}.ts'],
    maxWorkers: 1,
    testTimeout: 30 * 60_000,
  },
})
