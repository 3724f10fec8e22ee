import { defineConfig } from 'vitest/config'
import { shared } from './vitest.config.ts'

/** Proofs about log drains, with load, kills and what senders really do: one at a time, some eight minutes in all. */
export default defineConfig({
  test: {
    ...shared,
    include: ['test/drains-proof/**/*.{proof,test}.ts'],
    maxWorkers: 1,
    testTimeout: 30 * 60_000,
  },
})
