import { storeProblem, writtenAfter } from '../store/sqlstate.ts'

/** Runs a call of the broker; where the database fails, the caller is told so, and of a write whether it was done. */
export async function told<T>(writes: boolean, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw storeProblem(error, writes ? writtenAfter(error) : undefined)
  }
}
