import { call } from '../../client/call.ts'
import { getReadiness } from '../../contract/health.ts'
import { EXIT } from '../exit-codes.ts'
import { serverUrl } from '../profile.ts'

const WAIT_MS = 4_000

/** For container health checks: is the server ready? Prints what is not. */
export async function healthcheck(url = serverUrl()): Promise<void> {
  try {
    await call(url, getReadiness, { signal: AbortSignal.timeout(WAIT_MS) })
    process.stdout.write('ready\n')
  } catch (error) {
    process.stderr.write(`not ready: ${(error as Error).message}\n`)
    process.exitCode = EXIT.server
  }
}
